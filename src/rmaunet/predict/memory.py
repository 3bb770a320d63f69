"""How much memory a scan will take, said beforehand, kept to a limit, and measured afterwards."""

from __future__ import annotations

import sys

from rmaunet.errors import UsageError
from rmaunet.preprocess import Prepared

__all__ = ["fitting_batch", "peak_bytes", "predicted_bytes", "size_in_bytes"]

_PROGRAM = 650 << 20
"""Interpreter and libraries with a converted network of base 16, before a scan is read; see docs/performance.md."""
_FLOATS_A_PIXEL = 176
"""Of working memory for each pixel of a slab, for base 16; measured."""


def predicted_bytes(prepared: Prepared, batch: int) -> int:
    """Peak memory of the process for a scan: the program, the HU values, the mask, and the network's working memory.

    Args:
        prepared: The scan.
        batch: Slices a call of the network.

    Returns:
        Bytes; an upper bound for networks of base 16 (docs/performance.md), too little for wider ones.
    """
    array = prepared.ct.array
    rows, columns = prepared.grid.canvas
    slab = batch * rows * columns * 4 * _FLOATS_A_PIXEL
    return _PROGRAM + array.nbytes + array.size + slab


def fitting_batch(prepared: Prepared, batch: int, limit: int | None) -> int:
    """The batch, made smaller where memory is limited.

    Args:
        prepared: The scan.
        batch: Slices a call that were asked for.
        limit: Bytes the process may take, None for no limit.

    Returns:
        At least 1, at most ``batch``.

    Raises:
        UsageError: If one slice at a time would take more.
    """
    while limit is not None and predicted_bytes(prepared, batch) > limit:
        if batch == 1:
            needed = f"about {predicted_bytes(prepared, 1) / 2**30:.2f} GiB are needed for this scan"
            shown = f"{limit / 2**30:.2f} GiB"
            raise UsageError("segment", "--max-memory", shown, needed, "allow more, or cut the scan into parts")
        batch -= 1
    return batch


def size_in_bytes(text: str) -> int:
    """Bytes of "1500M", "1.5G" or a plain number of bytes.

    Raises:
        UsageError: If it is none of these or not positive.

    Example:
        >>> size_in_bytes("1.5G")
        1610612736
    """
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    word = text.strip().upper().removesuffix("B").removesuffix("I")
    number, unit = (word[:-1], units[word[-1]]) if word[-1:] in units else (word, 1)
    try:
        size = int(float(number) * unit)
    except (ValueError, OverflowError):
        size = 0
    if size < 1:
        raise UsageError("segment", "--max-memory", text, "is no amount of memory", "give e.g. 1500M or 1.5G")
    return size


def peak_bytes() -> int | None:
    """Largest resident memory of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
