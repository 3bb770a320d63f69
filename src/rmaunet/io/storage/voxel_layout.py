"""What a header says about the voxels behind it, the same for every single-file format, and the limits it must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.io.storage.byte_stream import ByteStream
from rmaunet.io.storage.decoders import Compression

__all__ = ["MAX_BYTES", "MAX_VOLUMES", "StoredImage", "checked_shape"]

MAX_BYTES = 4 << 30
"""Voxel data larger than this are refused from the header."""

MAX_VOLUMES = 65535
"""More volumes or channels than this are refused from the header."""


@dataclass(frozen=True)
class StoredImage:
    """Where the voxels are and what they mean.

    Attributes:
        path: The file the user named.
        data_path: The file that holds the voxels, often the same; or the files that hold one slice (or volume) each.
        compression: How they are packed.
        start: Where the (compressed) bytes begin in each data file; -1 where those of several files end with them.
        skip: Bytes to pass over after decompression.
        dtype: Voxel type with byte order.
        shape: Voxels along (i, j, k), i fastest in the file.
        volumes: How many volumes follow one another, or channels lie side by side.
        interleaved: Whether the volumes' values lie side by side in each voxel.
        slope: HU = stored * slope + intercept.
        intercept: See slope.
        affine: 4 x 4, indices (i, j, k) to LPS mm, as the file says (it may be sheared).
        notes: What the user should know about the header.
    """

    path: Path
    data_path: Path | tuple[Path, ...]
    compression: Compression
    start: int
    skip: int
    dtype: np.dtype[np.generic]
    shape: tuple[int, int, int]
    volumes: int
    interleaved: bool
    slope: float
    intercept: float
    affine: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    @property
    def volume_bytes(self) -> int:
        """Bytes of one volume."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def open(self) -> ByteStream:
        """The voxel bytes of all volumes, unpacked. Raises InputError if a data file cannot be opened."""
        several = 1 if isinstance(self.data_path, Path) else len(self.data_path)
        return ByteStream(
            self.path,
            self.data_path,
            compression=self.compression,
            start=self.start,
            dtype=self.dtype,
            share=self.volume_bytes * self.volumes // several,
        )


def checked_shape(
    path: Path, field: str, sizes: Sequence[int], volumes: int, dtype: np.dtype[np.generic]
) -> tuple[int, int, int]:
    """Refuse sizes no scan has before anything of that size is allocated.

    Args:
        path: The file, for messages.
        field: The header field that holds the sizes.
        sizes: Voxels along (i, j, k).
        volumes: Number of volumes.
        dtype: Voxel type.

    Returns:
        ``sizes`` as a tuple.

    Raises:
        InputError: If one is not positive or all together exceed :data:`MAX_BYTES`.
    """
    counts = [int(size) for size in sizes]
    if min([*counts, volumes]) <= 0:
        raise InputError(path, field, str(counts), "sizes must be positive", "the header is damaged; copy it again")
    if volumes > MAX_VOLUMES:
        raise InputError(path, field, volumes, "volumes or channels are more than any scan has", "save one volume")
    total = volumes * dtype.itemsize * counts[0] * counts[1] * counts[2]
    if total > MAX_BYTES:
        problem = f"claims {total / 2**30:.1f} GiB of voxels, above the limit of {MAX_BYTES >> 30} GiB"
        raise InputError(path, field, str(counts), problem, "the header is damaged, or cut the scan into parts")
    return counts[0], counts[1], counts[2]
