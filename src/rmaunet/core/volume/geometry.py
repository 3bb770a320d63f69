"""Orientation and comparison of grids; all of it lossless (permutations and flips, never resampling)."""

from __future__ import annotations

import contextlib

import numpy as np
from highdicom import Volume, VolumeGeometry
from numpy.typing import NDArray

__all__ = ["AXIAL", "axial", "geometry_difference", "make_volume", "same_grid", "to_grid", "voxel_volume_ml"]

AXIAL = "HPL"
"""Index 0 grows toward the head, rows toward posterior, columns toward the patient's left: axial CT as displayed."""


def make_volume(array: NDArray[np.generic], affine: NDArray[np.floating] | None = None) -> Volume:
    """Make a volume in the patient's coordinate system.

    Args:
        array: Voxels (D, H, W).
        affine: 4 x 4, from indices (d, h, w) to LPS millimetres; columns orthogonal. By default axial voxels of 1 mm.

    Returns:
        The volume.

    Raises:
        ValueError: If the affine is singular or sheared (from highdicom).
    """
    if affine is None:
        affine = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    return Volume(array=np.asarray(array), affine=np.asarray(affine, float), coordinate_system="PATIENT")


def axial(volume: Volume) -> Volume:
    """The same voxels in the axial orientation nearest to theirs (:data:`AXIAL`), a view where NumPy allows one.

    Args:
        volume: Any orientation, oblique ones included.

    Returns:
        Axes permuted and flipped; no voxel value changes. :func:`to_grid` undoes it.
    """
    return volume.to_patient_orientation(AXIAL)


def to_grid(volume: Volume, like: VolumeGeometry | Volume) -> Volume:
    """Permute and flip ``volume`` onto the grid of ``like``, the inverse of :func:`axial`.

    Args:
        volume: Covers the same voxel positions as ``like``, its axes in any order and direction.
        like: The grid wanted.

    Returns:
        ``volume``'s voxels in ``like``'s order, with exactly ``like``'s affine.

    Raises:
        ValueError: If the two grids do not hold the same voxel positions (1e-3 mm).
    """
    oriented = volume.to_patient_orientation(like.get_closest_patient_orientation())
    difference = geometry_difference(oriented, like)
    if difference is not None and sorted(volume.spatial_shape) == sorted(like.spatial_shape):
        # At 45 degrees rounding decides which axis is "nearest": compare the axes themselves.
        with contextlib.suppress(RuntimeError):
            oriented = volume.match_geometry(like, tol=1e-3)
            difference = geometry_difference(oriented, like)
    if difference is not None:
        raise ValueError(f"the grids do not match: {difference}")
    return Volume(
        array=oriented.array,
        affine=like.affine,
        coordinate_system="PATIENT",
        frame_of_reference_uid=like.frame_of_reference_uid,
    )


def geometry_difference(
    one: VolumeGeometry | Volume, other: VolumeGeometry | Volume, *, tolerance_mm: float = 1e-3
) -> str | None:
    """What differs between two grids, in words.

    Corners are compared, not matrix entries: an error of direction grows with the size of the grid.

    Args:
        one: A grid.
        other: Another.
        tolerance_mm: How far apart equal corners may lie.

    Returns:
        None if the grids are equal, else e.g. "shape (3, 4, 5) against (3, 4, 6)" or "corners up to 2.00 mm apart".
    """
    if tuple(one.spatial_shape) != tuple(other.spatial_shape):
        return f"shape {tuple(one.spatial_shape)} against {tuple(other.spatial_shape)}"
    extent = np.array(one.spatial_shape) - 1
    corners = np.array(np.meshgrid(*[(0, n) for n in extent], indexing="ij")).reshape(3, -1).astype(float)
    corners = np.vstack([corners, np.ones(corners.shape[1])])
    gap = np.linalg.norm((np.asarray(one.affine) - np.asarray(other.affine)) @ corners, axis=0).max()
    return None if gap <= tolerance_mm else f"corners up to {gap:.2f} mm apart"


def same_grid(one: VolumeGeometry | Volume, other: VolumeGeometry | Volume, *, tolerance_mm: float = 1e-3) -> bool:
    """Whether two grids have the same shape and the same corners within ``tolerance_mm``."""
    return geometry_difference(one, other, tolerance_mm=tolerance_mm) is None


def voxel_volume_ml(volume: VolumeGeometry | Volume) -> float:
    """Volume of one voxel in millilitres."""
    return float(np.prod(volume.spacing)) / 1000.0
