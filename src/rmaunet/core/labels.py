"""The label map, the same everywhere: LiTS's and MSD Task03's values.

"Liver" in every metric and table means the liver *with* its tumors (LiTS scoring); the liver without tumor is
called parenchyma.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKGROUND", "LIVER", "TUMOR", "liver_mask", "parenchyma_mask", "tumor_mask"]

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
