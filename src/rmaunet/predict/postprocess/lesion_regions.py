"""What the steps of the postprocessing that look at lesions and at the CT have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import tumor_mask

__all__ = ["liver_median_hu", "number_lesions"]


def number_lesions(labels: NDArray[np.uint8]) -> NDArray[np.unsignedinteger]:
    """Number of the lesion (26-neighbours) that each voxel of (D, H, W) labels belongs to; 0 for none."""
    import cc3d  # not needed before the first slice

    # Numbers follow the order in memory: "C" gives one numbering however the scan is stored.
    tumor = tumor_mask(labels).astype(np.uint8, order="C")
    lesions: NDArray[np.unsignedinteger] = cc3d.connected_components(tumor, connectivity=26)
    return lesions


def liver_median_hu(ct: NDArray[np.generic], parenchyma: NDArray[np.bool_]) -> float | None:
    """Median of the liver without tumors; None if there is none."""
    return float(np.median(np.asarray(ct[parenchyma], np.float32))) if parenchyma.any() else None
