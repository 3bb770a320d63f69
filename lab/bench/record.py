"""Context of a measurement: machine, versions, threads."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

from rmaunet.core.machine import machine

__all__ = ["new_record", "versions"]

LIBRARIES = ("torch", "openvino", "onnxruntime", "numpy", "opencv-python-headless")


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Versions of those of some packages that are installed, by name."""
    found = {}
    for name in libraries:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def new_record(*, threads: int, note: str = "", libraries: Sequence[str] = LIBRARIES) -> dict[str, Any]:
    """The head of a file of measurements.

    Args:
        threads: That the network, or each peer, may use.
        note: Remark, for example other running processes.
        libraries: Packages whose versions matter.

    Returns:
        "machine", "libraries", "threads" and "note"; the measurements are added to it.
    """
    return {"machine": machine(), "libraries": versions(libraries), "threads": threads, "note": note}
