"""Stored voxels to HU or labels, a piece at a time, so that a scan of 800 MB needs little more than its own size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError
from rmaunet.io.storage.byte_stream import ByteStream
from rmaunet.io.storage.voxel_layout import StoredImage

__all__ = ["AIR_HU", "HuFacts", "read_hu", "stored_pieces"]

AIR_HU = -1024
"""The lowest value of a CT: what padding is clipped to and unknown voxels are set to."""

_PIECE_VOXELS = 1 << 20
_INT16_MAX = 32767
_FLOAT_LIMIT = 1e30  # far beyond any HU, safely inside float32


@dataclass
class HuFacts:
    """What was seen while reading, over all voxels, before padding was clipped.

    Attributes:
        count: Voxels.
        lowest: Smallest finite value.
        highest: Largest finite value.
        unknown: Voxels that were NaN or infinite.
        below_air: Voxels below :data:`AIR_HU`.
        padding_bytes: Bytes after the last voxel.
    """

    count: int = 0
    lowest: float = math.inf
    highest: float = -math.inf
    unknown: int = 0
    below_air: int = 0
    padding_bytes: int = 0

    def notes(self, *, offset: bool = True) -> list[str]:
        """Sentences the user should read; ``offset`` says whether ``--hu-offset`` applies to the format."""
        said = []
        if self.unknown:
            said.append(f"{self.unknown} of {self.count} voxels are NaN or infinite; they are taken as air")
        if self.padding_bytes:
            said.append(f"{self.padding_bytes} bytes follow the last voxel; they are ignored")
        span = f"values from {self.lowest:g} to {self.highest:g}"
        offer = "not HU? nothing was shifted"
        if offset:
            offer += advise("--hu-offset", "; give --hu-offset (often -1024) if the offset is known", "")
        if self.lowest < self.highest:
            if self.lowest >= 0:
                said.append(f"{span}, no air near -1000: {offer}")
            elif self.lowest >= -20 and self.highest <= 20:
                said.append(f"{span}: not HU? a normalised image cannot be segmented; give the original CT")
        if self.highest > 1e5:
            said.append(f"{span}: far beyond any CT; the file may be damaged")
        if 2 * self.below_air > self.count:
            said.append(f"{span}, more than half of it below {AIR_HU}: not HU? the intercept may be wrong")
        return said


def stored_pieces(stream: ByteStream, image: StoredImage, volume: int) -> Iterator[NDArray[Any]]:
    """The stored values of one volume, in file order, in pieces of about a million voxels.

    The end of the stream is reached and checked after the last piece; what the pieces hold may be used only once the
    iterator is exhausted.

    Args:
        stream: At the start of the voxel data.
        image: What the header says.
        volume: Which volume, from 0.

    Yields:
        1-D arrays in the stored dtype; each is overwritten by the next.

    Raises:
        InputError: If the data are cut, damaged or longer than the header says.
    """
    width = image.volumes if image.interleaved else 1
    before = 0 if image.interleaved else volume
    after = 0 if image.interleaved else image.volumes - 1 - volume
    count = math.prod(image.shape)
    stream.expect(image.skip + image.volume_bytes * image.volumes)
    stream.skip(image.skip + before * image.volume_bytes)
    step = _PIECE_VOXELS // width  # at least 16, see MAX_VOLUMES
    buffer = np.empty(min(count, step) * width, image.dtype)
    for start in range(0, count, step):
        piece = buffer[: min(len(buffer), (count - start) * width)]
        stream.fill(piece.view(np.uint8).data)
        yield piece[volume::width] if image.interleaved else piece
    stream.skip(after * image.volume_bytes)


@dataclass
class _HuArray:
    """Grows piece by piece: int16 as long as every value is whole and fits, float32 from the first that is not."""

    count: int
    facts: HuFacts
    array: NDArray[Any] = field(init=False)
    filled: int = 0

    def __post_init__(self) -> None:
        self.array = np.empty(self.count, np.int16)

    def append(self, values: NDArray[Any]) -> None:
        if values.dtype.kind == "f":
            values = self._without_unknown(values)
        lowest, highest = float(values.min()), float(values.max())
        if lowest < AIR_HU:
            self.facts.below_air += int(np.count_nonzero(values < AIR_HU))
            values = np.maximum(values, AIR_HU)
        whole = values.dtype.kind != "f" or bool(np.array_equal(np.rint(values), values))
        if self.array.dtype == np.int16 and (highest > _INT16_MAX or not whole):
            wider = np.empty(self.count, np.float32)
            wider[: self.filled] = self.array[: self.filled]
            self.array = wider
        self.array[self.filled : self.filled + len(values)] = values
        self.filled += len(values)
        self.facts.lowest = min(self.facts.lowest, lowest)
        self.facts.highest = max(self.facts.highest, highest)

    def _without_unknown(self, values: NDArray[Any]) -> NDArray[Any]:
        known = np.isfinite(values)
        if not known.all():
            self.facts.unknown += int(np.count_nonzero(~known))
            values = np.where(known, values, values.dtype.type(AIR_HU))
        return np.asarray(np.clip(values, -_FLOAT_LIMIT, _FLOAT_LIMIT))


def _scaled(values: NDArray[Any], slope: float, intercept: float) -> NDArray[Any]:
    integer = values.dtype.kind in "iu"
    if integer and slope == 1 and intercept.is_integer() and abs(intercept) < 2**31 and values.dtype.itemsize <= 4:
        if intercept == 0:
            return values.astype(values.dtype.newbyteorder("="), copy=False)
        return values.astype(np.int64) + int(intercept)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values.astype(np.float64) * slope + intercept)


def read_hu(stream: ByteStream, image: StoredImage, *, volume: int, hu_offset: float) -> tuple[NDArray[Any], HuFacts]:
    """Read one volume as HU.

    Args:
        stream: At the start of the voxel data.
        image: What the header says.
        volume: Which volume, from 0.
        hu_offset: Added to every value, in HU.

    Returns:
        The array (D, H, W) = (k, j, i), int16 or float32, clipped at :data:`AIR_HU` from below; and what was seen.

    Raises:
        InputError: If the data are cut or damaged, or no voxel has a value, or memory does not suffice.
    """
    count = math.prod(image.shape)
    facts = HuFacts(count=count)
    try:
        stream.expect(image.skip + image.volume_bytes * image.volumes)
        result = _HuArray(count, facts)
        for piece in stored_pieces(stream, image, volume):
            result.append(_scaled(piece, image.slope, image.intercept + hu_offset))
    except MemoryError as error:
        raise _no_memory(image.path, image.shape) from error
    facts.padding_bytes = stream.end()
    if facts.unknown == count:
        raise InputError(image.path, "voxels", None, "all are NaN or infinite", "take the original scan")
    return result.array.reshape(image.shape[::-1]), facts


def _no_memory(path: Path, shape: tuple[int, int, int]) -> InputError:
    return InputError(path, "shape", str(list(shape)), "does not fit into memory", "free memory or crop the scan")
