"""How far a lesion is from the liver's surface."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from rmaunet.core.labels import liver_mask
from rmaunet.core.volume.box import grow_box, union_box

__all__ = ["LiverSurface"]


class LiverSurface:
    """The liver's surface as points in mm; the scan's border is no surface.

    Args:
        labels: {0, 1, 2} (D, H, W).
        spacing_mm: Along d, h, w.
    """

    def __init__(self, labels: NDArray[np.generic], spacing_mm: Sequence[float]) -> None:
        self._spacing = np.asarray(spacing_mm, dtype=float)
        points = _surface_voxels(labels) * self._spacing
        self._tree = _tree(points) if len(points) else None

    def distance_mm(self, inside: NDArray[np.bool_], start: Sequence[int]) -> float:
        """From a lesion's outline to the surface.

        Args:
            inside: The lesion in a box of its own.
            start: The box's first voxel.

        Returns:
            Millimetres, 0 where it reaches the surface; NaN where the scan shows none.
        """
        if self._tree is None:
            return math.nan
        # The lesion's voxel nearest to the surface is one of its own outer voxels. A few of them bound the distance, and the
        # search for the others ends there: deep inside the liver, where all of its surface is equally far, it is slow.
        rim = inside & ~ndimage.binary_erosion(inside)
        points = (np.argwhere(rim) + start) * self._spacing
        some = points[:: max(1, len(points) // 16)]
        bound = float(self._tree.query(some)[0].min())
        if len(some) < len(points) and bound > 0:
            bound = min(bound, float(self._tree.query(points, distance_upper_bound=bound)[0].min()))
        return bound


def _tree(points: NDArray[np.float64]) -> cKDTree:
    """A search tree, halved at the middle of its box and not at the median, scipy's default; on a grid it is as good.

    The default one ends in a segmentation fault (scipy 1.17.1) where a thread takes denormal numbers as zero, as code
    around networks makes it do: if the median of a coordinate is its least value 0, scipy splits at
    ``nextafter(0, inf)``, which is denormal; then nothing lies below the split, and the recursion never ends. The middle
    of a box is above its least value whatever the processor does.
    """
    return cKDTree(points, balanced_tree=False)


def _surface_voxels(labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """Voxels of the liver (with tumor) with a face toward outside; the scan's border does not count as outside.

    Between their centers and a lesion's lies the same distance as between both outlines, half a voxel further out.
    """
    box = grow_box(union_box(labels, labels), (1, 1, 1))  # outside is seen, where the scan has it
    part = liver_mask(labels[box])
    if not part.any():
        return np.zeros((0, 3), np.int64)
    core = ndimage.binary_erosion(part, border_value=1)
    return np.asarray(np.argwhere(part & ~core) + [s.start for s in box])
