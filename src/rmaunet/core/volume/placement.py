"""Where one grid's voxels lie on another: permuted, flipped, shifted by whole voxels, never resampled.

Both grids may be sheared (gantry tilt), so masks are compared with the grid a CT was stored on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SILENT_MM", "VOXEL_SHARE", "Grid", "Placement", "placement"]

VOXEL_SHARE = 0.01
"""Corners may lie this share of a voxel off: what converters round away."""

SILENT_MM = 1e-3
"""Corners this near are equal, whatever the size of a voxel, and nothing is said."""


@dataclass(frozen=True)
class Grid:
    """Voxel positions of a file.

    Attributes:
        affine: 4 x 4, indices (d, h, w) to LPS mm; may be sheared.
        shape: (D, H, W).
    """

    affine: NDArray[np.float64]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Placement:
    """Where the voxels of one grid lie on another.

    Attributes:
        order: Axis of the source for each axis of the target.
        flipped: Whether that axis runs the other way, per axis of the target.
        start: First index of the target that is covered, per axis; may be negative.
        off_voxels: Largest distance of a corner from the target's voxels, in voxels along one axis.
        off_mm: Largest distance of a corner, in mm.
    """

    order: tuple[int, ...]
    flipped: tuple[bool, ...]
    start: tuple[int, ...]
    off_voxels: float
    off_mm: float

    @property
    def fits(self) -> bool:
        """Whether all corners lie on the target's voxels, up to what converters round."""
        return self.off_voxels <= VOXEL_SHARE or self.off_mm <= SILENT_MM

    @property
    def off(self) -> str:
        """The distance in words, with enough digits to tell it from zero."""
        voxels = self.off_voxels
        share = f"{100 * voxels:.2g} % of a voxel" if voxels < 0.5 else f"{voxels:.3g} voxels"
        return f"{self.off_mm:.3g} mm ({share})"

    def oriented(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """A view of the source's array with the target's axes and directions."""
        turned = array.transpose(self.order)
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]

    def onto(self, array: NDArray[np.generic], result: NDArray[np.generic]) -> int:
        """Write an array's voxels onto the target, the larger value winning.

        Args:
            array: The source's voxels.
            result: The target's voxels, changed in place.

        Returns:
            How many of the source's voxels that are not 0 lie outside the target.
        """
        turned = self.oriented(array)
        here, there = [], []
        for first, size, whole in zip(self.start, turned.shape, result.shape, strict=True):
            low, high = max(0, first), min(whole, first + size)
            here.append(slice(low, max(low, high)))
            there.append(slice(low - first, max(low, high) - first))
        inside = turned[tuple(there)]
        into = result[tuple(here)]
        np.maximum(into, inside, out=into)
        return int(np.count_nonzero(turned)) - int(np.count_nonzero(inside))


def placement(source: Grid, target: Grid, *, whole: bool = False) -> Placement | None:
    """Find where a grid's voxels lie on another grid.

    Args:
        source: The grid to place.
        target: The grid to place it on.
        whole: If True, both hold the same voxels, so the source starts at the target's first voxel.

    Returns:
        The placement, whether it fits or not; None if the axes do not correspond or, with ``whole``, the shapes differ.
    """
    between = np.linalg.inv(target.affine) @ source.affine
    turn = between[:3, :3]
    order = [int(axis) for axis in np.abs(turn).argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        return None
    signed = np.zeros((3, 3))
    for axis, other in enumerate(order):
        signed[axis, other] = np.sign(turn[axis, other])
    if whole and tuple(source.shape[axis] for axis in order) != tuple(target.shape):
        return None
    last = np.array(source.shape, float) - 1
    corners = np.array(np.meshgrid(*[(0.0, n) for n in last], indexing="ij")).reshape(3, -1)
    difference = (turn - signed) @ corners + between[:3, 3:]
    flipped = signed.sum(axis=1) < 0
    reach = last[order] * flipped  # a flipped axis begins at its other end
    shift = reach if whole else np.round(difference.mean(axis=1))
    off = difference - shift[:, None]
    mm = np.linalg.norm(target.affine[:3, :3] @ off, axis=0).max()
    start = tuple(int(n) for n in shift - reach)
    return Placement(tuple(order), tuple(map(bool, flipped)), start, float(np.abs(off).max()), float(mm))
