"""How much memory a scan will take, said beforehand, kept to a limit, and measured afterwards."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rmaunet.core.errors import UsageError

if TYPE_CHECKING:
    from rmaunet.preprocess import Prepared

__all__ = ["Needs", "fitting_batch", "peak_bytes", "predicted_bytes", "size_in_bytes"]

_PROGRAM = 650 << 20
"""Interpreter and libraries, PyTorch among them: a network is converted with it the first time."""
_BYTES_A_PARAMETER = 16
"""Four copies in float32 while a network is read, built, converted and compiled."""
_FLOATS_A_PIXEL = 11
"""Of working memory for each pixel of a slab and each channel of the network's first stage; measured."""
_BYTES_A_KEPT_VOXEL = 0.5
"""Two probabilities in 8 bits in the box around the liver of each slice, at most 0.23 of a scan in LiTS."""


@dataclass(frozen=True)
class Needs:
    """What decides how much memory a set of weights takes.

    Attributes:
        width: Channels of the first stage, of the wider network where there are two.
        parameters: Of all networks together.
        keeps_maps: Whether the first network's probabilities are kept for the second.
    """

    width: int = 16
    parameters: int = 0
    keeps_maps: bool = False


def predicted_bytes(prepared: Prepared, batch: int, needs: Needs) -> int:
    """Peak memory of the process for a scan: the program, the HU values, the mask, and the network's working memory.

    Args:
        prepared: The scan.
        batch: Slices a call of the network.
        needs: Of the weights.

    Returns:
        Bytes; an upper bound, measured with every runtime for base 16, 32 and 64 and two networks; OpenVINO takes less.
    """
    array = prepared.ct.array
    rows, columns = prepared.grid.canvas
    slab = batch * rows * columns * 4 * _FLOATS_A_PIXEL * needs.width
    kept = int(array.size * _BYTES_A_KEPT_VOXEL) if needs.keeps_maps else 0
    return _PROGRAM + needs.parameters * _BYTES_A_PARAMETER + array.nbytes + array.size + kept + slab


def fitting_batch(prepared: Prepared, batch: int, limit: int | None, needs: Needs) -> int:
    """The batch, made smaller where memory is limited.

    Args:
        prepared: The scan.
        batch: Slices a call that were asked for.
        limit: Bytes the process may take, None for no limit.
        needs: Of the weights.

    Returns:
        At least 1, at most ``batch``.

    Raises:
        UsageError: If one slice at a time would take more.
    """
    while limit is not None and predicted_bytes(prepared, batch, needs) > limit:
        if batch == 1:
            needed = f"about {predicted_bytes(prepared, 1, needs) / 2**30:.2f} GiB are needed for this scan"
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
    """Largest resident memory of this process so far; None where the system does not tell.

    On Linux the process's own count: what getrusage says begins at the size of the process that started this one.
    """
    try:
        with Path("/proc/self/status").open(encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
