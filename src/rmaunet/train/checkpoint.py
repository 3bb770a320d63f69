"""Checkpoints that survive anything: written aside, flushed, renamed; the one before is kept."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rmaunet.core.errors import InputError
from rmaunet.core.files import write_bytes
from rmaunet.core.notices import notice

__all__ = ["load_checkpoint", "save_checkpoint"]

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
DIGEST = 32  # SHA-256 of the rest stands at the end of the file


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Keep the state of a run.

    Args:
        folder: The run's folder.
        state: Tensors, numbers, strings, nested in dictionaries and lists.

    Raises:
        OutputError: If the disk is full; the checkpoint before stays.
    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    data = buffer.getvalue()
    current = folder / NAME
    if current.is_file():
        previous = folder / PREVIOUS
        previous.unlink(missing_ok=True)
        previous.hardlink_to(current)
    write_bytes(current, data + hashlib.sha256(data).digest())


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that can be read whole.

    Args:
        folder: The run's folder.

    Returns:
        What :func:`save_checkpoint` was given, or None if there is none.

    Raises:
        InputError: If there are checkpoints and none can be read.
    """
    broken: list[str] = []
    for name in (NAME, PREVIOUS):
        path = folder / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        if len(data) > DIGEST and hashlib.sha256(data[:-DIGEST]).digest() == data[-DIGEST:]:
            if broken:
                notice(folder / broken[0], "cannot be read; the run goes on from the checkpoint before it")
            state: dict[str, Any] = torch.load(io.BytesIO(data[:-DIGEST]), weights_only=True)
            return state
        broken.append(name)
    if broken:
        raise InputError(folder, "checkpoint", ", ".join(broken), "cannot be read", "start in a new folder")
    return None
