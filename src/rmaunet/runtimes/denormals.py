"""Denormal numbers slow a processor down many times over and change no result worth having."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

__all__ = ["flushed_denormals"]


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take denormal numbers as zero inside the block, on processors that can; the setting before is put back.

    It is a setting of each thread; a thread begins with that of the one which starts it.
    """
    import torch

    before = torch.tensor(1e-40).mul(1.0).item() == 0.0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
