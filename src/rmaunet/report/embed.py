"""Packing a CT and a mask for a page: cropped to the liver, 8 bits, coarser only where the size bound asks for it."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import liver_mask
from rmaunet.core.volume import Volume, make_volume
from rmaunet.measurement.planes import matched, region

__all__ = ["PACKED_HU", "Embedded", "embed", "nifti_bytes"]

PACKED_HU = (-200.0, 310.0)
"""HU packed as 0 and as 255: 2 HU a step, which holds every window for soft tissue."""

MARGIN_MM = 20.0
MOST_VOXELS = 24_000_000
LEAST_VOXELS = 100_000


@dataclass(frozen=True)
class Embedded:
    """What the viewer shows, ready to be put into a page.

    Attributes:
        ct: Packed values 0 to 255 in the axial orientation; HU = value * 2 - 200.
        mask: Labels {0, 1, 2} on the same grid.
        ct_gz: The CT as gzipped NIfTI with slope and intercept to HU.
        mask_gz: The mask as gzipped NIfTI.
        spacing_mm: Of the packed grid: between slices, rows, columns.
        source_spacing_mm: Of the CT, in the same order.
    """

    ct: Volume
    mask: Volume
    ct_gz: bytes
    mask_gz: bytes
    spacing_mm: tuple[float, ...]
    source_spacing_mm: tuple[float, ...]

    @property
    def reduced(self) -> bool:
        """Whether the packed grid is coarser than the CT's."""
        return any(new > old * 1.001 for new, old in zip(self.spacing_mm, self.source_spacing_mm, strict=True))


def embed(ct: Volume, mask: Volume, *, most_bytes: int = 7_500_000) -> Embedded:
    """Crop to the liver's box with a margin, pack to 8 bits and compress.

    If the result is larger than asked, the finest axes are averaged to coarser voxels until it fits.

    Args:
        ct: CT in HU, any orientation.
        mask: Labels {0, 1, 2} on the CT's voxel positions.
        most_bytes: Bound on the compressed CT, before base64 (which adds a third).

    Returns:
        Both volumes, packed.

    Raises:
        InputError: If the mask is not on the CT's grid.
    """
    turned, labels = matched(ct, mask)
    box = _box(turned, labels)
    turned, labels = _part(turned, box), _part(labels, box)
    source = tuple(float(s) for s in turned.spacing)
    wanted = min(MOST_VOXELS, turned.array.size)
    while True:
        small, small_labels = _coarser(turned, labels, wanted)
        packed = _pack(small.array)
        ct_gz = _compress(nifti_bytes(packed, np.asarray(small.affine), slope=2.0, intercept=PACKED_HU[0]))
        if len(ct_gz) <= most_bytes or wanted <= LEAST_VOXELS:
            break
        wanted = int(min(wanted, packed.size) * min(0.9, 0.95 * most_bytes / len(ct_gz)))
    return Embedded(
        ct=make_volume(packed, np.asarray(small.affine)),
        mask=small_labels,
        ct_gz=ct_gz,
        mask_gz=_compress(nifti_bytes(small_labels.array, np.asarray(small.affine), labels=True)),
        spacing_mm=tuple(float(s) for s in small.spacing),
        source_spacing_mm=source,
    )


def nifti_bytes(
    array: NDArray[np.uint8],
    affine: NDArray[np.floating],
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    labels: bool = False,
) -> bytes:
    """A NIfTI-1 file of 8-bit voxels with nothing in it but voxels and geometry.

    Args:
        array: (D, H, W).
        affine: 4 x 4, from (d, h, w) to LPS mm.
        slope: value * slope + intercept is what a voxel means.
        intercept: See ``slope``.
        labels: Whether values are labels, which the header's intent then says.

    Returns:
        The file's bytes, little endian, sform only (scanner coordinates, RAS mm).
    """
    sform = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine[:, [2, 1, 0, 3]]
    steps = np.linalg.norm(sform[:3, :3], axis=0)
    depth, height, width = array.shape
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, width, height, depth, 1, 1, 1, 1)
    struct.pack_into("<hhh", header, 68, 1002 if labels else 0, 2, 8)
    struct.pack_into("<8f", header, 76, 1.0, *steps, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<fff", header, 108, 352.0, slope, intercept)
    header[123] = 2  # millimetres
    struct.pack_into("<hh", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, *sform[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + np.ascontiguousarray(array, np.uint8).tobytes()


def _compress(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=6, mtime=0)  # no time in the file: equal input, equal page


def _pack(hu: NDArray[np.generic]) -> NDArray[np.uint8]:
    low, high = PACKED_HU
    steps = (np.clip(np.nan_to_num(hu, nan=low), low, high) - low) * (255.0 / (high - low))
    return np.asarray(np.rint(steps), np.uint8)


def _part(volume: Volume, box: tuple[slice, slice, slice]) -> Volume:
    affine = np.array(volume.affine, float)
    affine[:3, 3] += affine[:3, :3] @ [part.start or 0 for part in box]
    return make_volume(volume.array[box], affine)


def _box(ct: Volume, labels: Volume) -> tuple[slice, slice, slice]:
    """The liver's box with a margin; without a liver, the body."""
    inside = liver_mask(labels.array)
    if not inside.any():
        return region(ct, labels)
    box = []
    for axis in range(3):
        places = np.flatnonzero(inside.any(axis=tuple(i for i in range(3) if i != axis)))
        margin = int(np.ceil(MARGIN_MM / ct.spacing[axis]))
        box.append(slice(max(0, int(places[0]) - margin), min(inside.shape[axis], int(places[-1]) + margin + 1)))
    return box[0], box[1], box[2]


def _coarser(ct: Volume, labels: Volume, most_voxels: int) -> tuple[Volume, Volume]:
    """Both on a grid of at most so many voxels: axes finer than one common step are brought to it, the others kept."""
    shape, spacing = np.array(ct.array.shape), np.array(ct.spacing)
    if shape.prod() <= most_voxels:
        return ct, labels
    low, high = float(spacing.min()), float((shape * spacing).max())
    for _ in range(40):
        step = (low + high) / 2
        low, high = (low, step) if _sizes(shape, spacing, step).prod() <= most_voxels else (step, high)
    sizes = _sizes(shape, spacing, high)
    image, mask = ct.array.astype(np.float32), labels.array
    for axis, count in enumerate(sizes):
        image = np.moveaxis(np.tensordot(_averaging(shape[axis], int(count)), image, axes=(1, axis)), 0, axis)
        centers = np.floor((np.arange(count) + 0.5) * shape[axis] / count).astype(int)
        mask = np.take(mask, centers, axis=axis)
    factor = shape / sizes
    affine = np.array(ct.affine, float)
    affine[:3, 3] += affine[:3, :3] @ ((factor - 1) / 2)
    affine[:3, :3] *= factor
    return make_volume(image, affine), make_volume(mask, affine)


def _sizes(shape: NDArray[np.int_], spacing: NDArray[np.floating], step: float) -> NDArray[np.int_]:
    coarse = np.maximum(1, np.floor(shape * spacing / step)).astype(int)
    return np.asarray(np.where(spacing >= step, shape, np.minimum(coarse, shape)))


def _averaging(count: int, fewer: int) -> NDArray[np.float32]:
    """(fewer, count) weights by which equal new voxels average the old ones they cover; rows add up to 1."""
    edges = np.arange(fewer + 1) * (count / fewer)
    old = np.arange(count)
    covered = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return np.asarray(np.clip(covered, 0, None) * (fewer / count), np.float32)
