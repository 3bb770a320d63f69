"""The smallest box around a mask or two: everything outside is background and need not be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["grow_box", "mask_box", "union_box"]


def union_box(one: NDArray[np.generic], other: NDArray[np.generic]) -> tuple[slice, ...]:
    """The smallest box that holds every non-zero voxel of two arrays.

    Args:
        one: Array of any shape.
        other: Array of the same shape.

    Returns:
        One slice an axis; all of them empty if both arrays are zero everywhere.

    Example:
        >>> union_box(np.array([[0, 1, 0, 0]]), np.array([[0, 0, 1, 0]]))
        (slice(0, 1, None), slice(1, 3, None))
    """
    box = [slice(None)] * one.ndim
    for axis in range(one.ndim):
        # Each axis looks only at what the axes before it have left.
        rest = tuple(other_axis for other_axis in range(one.ndim) if other_axis != axis)
        seen = one[tuple(box)].any(axis=rest)
        if other is not one:
            seen |= other[tuple(box)].any(axis=rest)
        occupied = np.flatnonzero(seen)
        if occupied.size == 0:
            return (slice(0, 0),) * one.ndim
        box[axis] = slice(int(occupied[0]), int(occupied[-1]) + 1)
    return tuple(box)


def mask_box(mask: NDArray[np.generic]) -> tuple[slice, ...] | None:
    """The smallest box that holds every non-zero voxel.

    Args:
        mask: Array of any shape.

    Returns:
        One slice an axis; None if there is no such voxel.

    Example:
        >>> mask_box(np.array([[0, 0], [0, 2]]))
        (slice(1, 2, None), slice(1, 2, None))
        >>> mask_box(np.array([0, 0])) is None
        True
    """
    box = union_box(mask, mask)
    return None if box[0].stop == box[0].start else box


def grow_box(box: Sequence[slice], by: Sequence[int]) -> tuple[slice, ...]:
    """A box with a margin; it begins at 0 at the least and may end beyond the array, where indexing cuts it off.

    Args:
        box: One slice an axis.
        by: Voxels on either side, one number an axis.

    Returns:
        One slice an axis.

    Example:
        >>> grow_box((slice(3, 5), slice(1, 2)), (2, 2))
        (slice(1, 7, None), slice(0, 4, None))
    """
    return tuple(slice(max(0, side.start - n), side.stop + n) for side, n in zip(box, by, strict=True))
