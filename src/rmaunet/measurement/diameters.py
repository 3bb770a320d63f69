"""Longest diameters of a region of voxels, measured on its outline.

The outline of a region crosses the line between a voxel inside and its neighbour outside half way, at their common
face; those crossings are the points measured here, and the contours drawn in the pictures pass through them. A single
voxel is thus as long as its edge (neither 0, as between centers, nor its diagonal, as between corners). The farthest
two points of a set are corners of its convex hull; a hull of voxels has few corners, so all their distances are
compared, which is exact. Against smooth shapes the answer is right within one voxel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

__all__ = ["PlanarDiameters", "maximum_diameter_mm", "outline_points", "planar_diameters"]

Points = NDArray[np.float64]


@dataclass(frozen=True)
class PlanarDiameters:
    """The two diameters of a planar region.

    Attributes:
        longest_mm: Between the two farthest points of the outline.
        perpendicular_mm: The longest line at right angles to it inside the outline's convex hull.
        longest_ends: Its ends (row, column) in voxels; voxel centers are whole numbers.
        perpendicular_ends: Likewise.
    """

    longest_mm: float
    perpendicular_mm: float
    longest_ends: Points
    perpendicular_ends: Points


def outline_points(inside: NDArray[np.bool_]) -> Points:
    """Where each line of voxels enters the region first and leaves it last, half a voxel beyond the voxel's center.

    Crossings in between lie inside the convex hull of these and are left out.

    Args:
        inside: Region of any number of dimensions.

    Returns:
        Points (n, dimensions) in voxels; empty if the region is.
    """
    found: list[Points] = []
    for axis in range(inside.ndim):
        hit = inside.any(axis=axis)
        lines = np.argwhere(hit).astype(float)
        first = np.argmax(inside, axis=axis)[hit] - 0.5
        last = inside.shape[axis] - 0.5 - np.argmax(np.flip(inside, axis), axis=axis)[hit]
        found += [np.insert(lines, axis, first, axis=1), np.insert(lines, axis, last, axis=1)]
    return np.concatenate(found)


def maximum_diameter_mm(inside: NDArray[np.bool_], spacing_mm: Sequence[float]) -> float:
    """The greatest distance between two points of a region's outline.

    Args:
        inside: Region (D, H, W), not empty.
        spacing_mm: Along d, h, w.

    Returns:
        Millimetres.

    Example:
        >>> maximum_diameter_mm(np.ones((1, 1, 5), bool), (2.0, 1.0, 1.0))
        5.0
    """
    points = outline_points(inside) * np.asarray(spacing_mm, dtype=float)
    return _farthest(points[ConvexHull(points).vertices])[0]


def planar_diameters(inside: NDArray[np.bool_], spacing_mm: Sequence[float]) -> PlanarDiameters:
    """Longest diameter of a planar region and the longest line perpendicular to it.

    Args:
        inside: Region (rows, columns), not empty.
        spacing_mm: Distance of rows and of columns.

    Returns:
        Both, with their ends.

    Example:
        >>> found = planar_diameters(np.ones((2, 9), bool), (1.0, 1.0))
        >>> round(found.longest_mm, 3), round(found.perpendicular_mm, 3)
        (9.055, 2.012)
    """
    spacing = np.asarray(spacing_mm, dtype=float)
    points = outline_points(inside) * spacing
    hull = points[ConvexHull(points).vertices]
    longest, one, other = _farthest(hull)
    along = (other - one) / longest
    across = np.array([-along[1], along[0]])
    x, y = (hull - one) @ along, (hull - one) @ across
    length, low, high = _widest(x, y)
    ends = [one + at[0] * along + at[1] * across for at in (low, high)]
    return PlanarDiameters(longest, length, np.stack([one, other]) / spacing, np.stack(ends) / spacing)


def _farthest(points: Points) -> tuple[float, Points, Points]:
    best, pair = -1.0, (0, 0)
    squares = np.sum(points**2, axis=1)
    for start in range(0, len(points), 1024):  # by blocks: a large region's hull may have many thousand corners
        block = points[start : start + 1024]
        distance = squares[start : start + 1024, None] + squares[None] - 2 * block @ points.T
        at = int(np.argmax(distance))
        if distance.flat[at] > best:
            best, pair = float(distance.flat[at]), (start + at // len(points), at % len(points))
    one, other = points[pair[0]], points[pair[1]]
    return float(np.linalg.norm(other - one)), one, other


def _widest(x: Points, y: Points) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Longest line x = const inside a convex polygon that lies between its corners of smallest and largest x.

    Its length is concave and piecewise linear in x, so the longest passes through a corner.
    """
    first, last = int(np.argmin(x)), int(np.argmax(x))
    chord = y[first] + (x - x[first]) / (x[last] - x[first]) * (y[last] - y[first])
    upper, lower = _chain(x, y, y >= chord), _chain(x, y, y <= chord)
    heights = np.interp(x, *upper) - np.interp(x, *lower)
    at = int(np.argmax(heights))
    low, high = float(np.interp(x[at], *lower)), float(np.interp(x[at], *upper))
    return high - low, (float(x[at]), low), (float(x[at]), high)


def _chain(x: Points, y: Points, keep: NDArray[np.bool_]) -> tuple[Points, Points]:
    keep = keep.copy()
    keep[[np.argmin(x), np.argmax(x)]] = True
    order = np.argsort(x[keep], kind="stable")
    return x[keep][order], y[keep][order]
