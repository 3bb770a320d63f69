"""The label map, the same everywhere: LiTS's and MSD Task03's values.

"Liver" in every metric and table means the liver *with* its tumors (LiTS scoring); the liver without tumor is
called parenchyma.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUND", "LIVER", "TUMOR", "liver_box", "liver_mask", "parenchyma_mask", "tumor_mask"]

BACKGROUND = 0
LIVER = 1
TUMOR = 2


def liver_mask(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Voxels of the liver including its tumors.

    Args:
        labels: Label array of any shape with values in {0, 1, 2}.

    Returns:
        Boolean array of the same shape, True where the label is 1 or 2.

    Example:
        >>> liver_mask(np.array([0, 1, 2])).tolist()
        [False, True, True]
    """
    mask = np.asarray(labels == LIVER)
    mask |= labels == TUMOR
    return mask


def tumor_mask(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Voxels of liver tumor.

    Args:
        labels: Label array of any shape with values in {0, 1, 2}.

    Returns:
        Boolean array of the same shape, True where the label is 2.

    Example:
        >>> tumor_mask(np.array([0, 1, 2])).tolist()
        [False, False, True]
    """
    return np.asarray(labels == TUMOR)


def liver_box(labels: NDArray[np.generic]) -> tuple[slice, slice, slice] | None:
    """The smallest box around every voxel that is not background.

    Args:
        labels: (D, H, W).

    Returns:
        A slice along each axis; None if all is background.

    Example:
        >>> liver_box(np.array([[[0, 0], [0, 1]]]))
        (slice(0, 1, None), slice(1, 2, None), slice(1, 2, None))
    """
    depth = np.flatnonzero(labels.any(axis=(1, 2)))
    if not len(depth):
        return None
    z = slice(int(depth[0]), int(depth[-1]) + 1)
    flat: NDArray[np.bool_] = np.any(labels[z], axis=0)
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return z, slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def parenchyma_mask(labels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Voxels of the liver without its tumors.

    Args:
        labels: Label array of any shape with values in {0, 1, 2}.

    Returns:
        Boolean array of the same shape, True where the label is 1.

    Example:
        >>> parenchyma_mask(np.array([0, 1, 2])).tolist()
        [False, True, False]
    """
    return np.asarray(labels == LIVER)
