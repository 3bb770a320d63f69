"""What a file's affine must be before it can carry a mask: finite, invertible, of a body's size, and orthogonal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.notices import IDENTITY_AFFINE, Notice

__all__ = [
    "LARGEST_SPACING",
    "LEAST_SPACING",
    "RAS_TO_LPS",
    "check_affine",
    "identity_notice",
    "index_reversed",
    "is_identity",
    "obliquity",
    "orthogonal_grid",
    "orthonormalised",
    "resampled",
]

RAS_TO_LPS: NDArray[np.float64] = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Multiplied from the left it turns NIfTI's world into DICOM's; it is its own inverse."""

LEAST_SPACING, LARGEST_SPACING = 1e-3, 1e3
"""In mm: what a scanner can make."""

_REVERSED: NDArray[np.float64] = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
_SHEAR_LIMIT = float(np.sin(np.deg2rad(45)))


def check_affine(path: Path, field: str, affine: NDArray[np.float64]) -> None:
    """Refuse an affine that maps no voxel grid.

    Args:
        path: The file, for messages.
        field: The header field it was made from.
        affine: 4 x 4 in mm.

    Raises:
        InputError: If an entry is not finite, a column is zero, the matrix is singular, the shear above 45 degrees, or
            the spacing is none a scanner makes (below 1 micrometre or above 1 metre).
    """
    shown = np.array2string(affine[:3], precision=4, separator=",", suppress_small=True).replace("\n", "")
    if not np.isfinite(affine).all():
        raise InputError(path, field, shown, "has entries that are not finite", "take the original file")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if (spacing == 0).any():
        raise InputError(path, field, shown, "has a spacing of zero", "take the original file")
    if (spacing < LEAST_SPACING).any() or (spacing > LARGEST_SPACING).any():
        raise InputError(path, field, shown, "has an impossible spacing in mm", "take the original file")
    if np.abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-3:
        raise InputError(path, field, shown, "is singular", "take the original file")
    if obliquity(affine) > _SHEAR_LIMIT:
        raise InputError(path, field, shown, "is sheared by more than 45 degrees", "take the original file")


def identity_notice(field: str) -> Notice:
    """Notice that the affine in ``field`` is the identity."""
    text = f"{field} is the identity: spacing and orientation were probably lost; it is used as it is"
    return Notice(text, IDENTITY_AFFINE)


def obliquity(affine: NDArray[np.float64]) -> float:
    """How far the axes are from right angles: the largest cosine between two columns (0 for an orthogonal grid)."""
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return float(np.abs(unit.T @ unit - np.eye(3)).max())


def index_reversed(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine for indices (k, j, i) of one for (i, j, k), or the other way round."""
    return affine @ _REVERSED


def is_identity(affine: NDArray[np.float64]) -> bool:
    """Whether voxels are 1 mm cubes along the axes and the origin is 0: what files get that lost their geometry."""
    return bool(np.array_equal(np.abs(affine), np.eye(4)))


def orthonormalised(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine with its columns turned by rounding's width to exact right angles; spacing and origin stay.

    Args:
        affine: 4 x 4, orthogonal but for rounding.

    Returns:
        4 x 4 with orthogonal columns (nearest in the least-squares sense).
    """
    if obliquity(affine) < 1e-12:
        return affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    left, _, right = np.linalg.svd(affine[:3, :3] / spacing)
    result = affine.copy()
    result[:3, :3] = (left @ right) * spacing
    return result


def orthogonal_grid(
    affine: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """The orthogonal grid that covers a sheared one: same first axis, same in-plane turn, third axis made upright.

    Args:
        affine: 4 x 4 of the sheared grid, indices (i, j, k).
        shape: Voxels along (i, j, k).

    Returns:
        The new affine and shape, same index order, spacing of the planes measured across them.
    """
    columns = affine[:3, :3]
    one, two = columns[:, 0], columns[:, 1]
    first = one / np.linalg.norm(one)
    second = two - first * (first @ two)
    second /= np.linalg.norm(second)
    third = np.cross(first, second)
    third *= np.sign(third @ columns[:, 2])
    turned = np.stack([first, second, third], axis=1)
    spacing = np.abs(np.diag(turned.T @ columns))
    extent = np.array(shape) - 1
    corners = np.array(np.meshgrid(*[(0, n) for n in extent], indexing="ij")).reshape(3, -1)
    along = turned.T @ (columns @ corners)
    low, high = along.min(axis=1), along.max(axis=1)
    sizes = [int(n) for n in np.floor((high - low) / spacing + 1e-6) + 1]
    result = np.eye(4)
    result[:3, :3] = turned * spacing
    result[:3, 3] = affine[:3, 3] + turned @ low
    return result, (sizes[0], sizes[1], sizes[2])


def resampled(
    array: NDArray[Any],
    affine: NDArray[np.float64],
    to_affine: NDArray[np.float64],
    to_shape: tuple[int, int, int],
    *,
    outside: float,
    nearest: bool,
) -> NDArray[Any]:
    """Resample between two grids of any affine, shear included.

    Args:
        array: (D, H, W) on the grid of ``affine``.
        affine: Indices (i, j, k) to mm.
        to_affine: The grid wanted, indices (i, j, k) to mm.
        to_shape: Its size (i, j, k).
        outside: Value beyond the array.
        nearest: Nearest neighbour (labels) instead of linear (HU).

    Returns:
        (k, j, i) array of the same dtype; interpolated HU of an integer array are rounded to the nearest.
    """
    import SimpleITK as sitk  # noqa: N813

    between = np.linalg.inv(affine) @ to_affine
    transform = sitk.AffineTransform(between[:3, :3].ravel().tolist(), between[:3, 3].tolist())
    how = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    size = [int(n) for n in to_shape]
    unit = (size, transform, how, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), tuple(np.eye(3).ravel()), float(outside))
    if nearest or array.dtype.kind == "f":
        return np.asarray(sitk.GetArrayFromImage(sitk.Resample(image, *unit)))
    # SimpleITK truncates towards zero where it interpolates into integers.
    exact = sitk.Resample(image, *unit, sitk.sitkFloat32)
    rounded: NDArray[Any] = np.rint(sitk.GetArrayViewFromImage(exact)).astype(array.dtype)
    return rounded
