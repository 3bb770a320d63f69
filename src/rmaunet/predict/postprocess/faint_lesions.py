"""Which lesions cannot be told from the liver around them.

What a network marks as tumor by its place or by its texture, and what no reader would see, is no lesion to be counted on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import parenchyma_mask
from rmaunet.core.volume.box import grow_box
from rmaunet.predict.postprocess.lesion_regions import liver_median_hu

__all__ = ["faint_lesions"]

GAP_MM = 2.0
"""Around a lesion that counts for neither: its soft border."""
REACH_MM = 10.0
WHOLE = 3.0
"""A lesion that differs by so many times as much from the whole liver is not faint: around it may be unmarked tumor."""
FEWEST_AROUND = 50
"""Voxels of liver around a lesion; with fewer it is compared with the whole liver."""


def faint_lesions(
    labels: NDArray[np.uint8],
    lesions: NDArray[np.unsignedinteger],
    ct: NDArray[np.generic],
    by_hu: float,
    *,
    spacing_mm: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """Say of each lesion whether its mean differs too little from that of the liver around it in the same slices.

    And from the whole liver's median, by less than three times as much.

    Args:
        labels: (D, H, W) axial, {0, 1, 2}.
        lesions: (D, H, W), the number of the lesion that a voxel belongs to; 0 for none.
        ct: (D, H, W) HU.
        by_hu: What is enough, brighter or darker.
        spacing_mm: (z, y, x).

    Returns:
        bool by number of lesion; False for 0 and for a liver that is all lesion, where there is nothing to compare with.
    """
    import cc3d  # not needed before the first slice

    boxes = cc3d.statistics(lesions)["bounding_boxes"]
    faint = np.zeros(len(boxes), np.bool_)
    parenchyma = parenchyma_mask(labels)
    liver_hu = liver_median_hu(ct, parenchyma)
    if liver_hu is None:
        return faint
    near, far = (
        cv2.getStructuringElement(cv2.MORPH_RECT, [2 * round(reach / mm) + 1 for mm in spacing_mm[:0:-1]])
        for reach in (GAP_MM, REACH_MM)
    )
    margins = (0, *(round(REACH_MM / mm) for mm in spacing_mm[1:]))
    for number in range(1, len(boxes)):
        box = grow_box(boxes[number], margins)
        lesion = lesions[box] == number
        around = np.zeros(lesion.shape, np.bool_)
        for plane, here, liver in zip(lesion, around, parenchyma[box], strict=True):
            mask = plane.astype(np.uint8)
            here[...] = (cv2.dilate(mask, far) > cv2.dilate(mask, near)) & liver
        hu = np.asarray(ct[box], np.float32)
        own = float(hu[lesion].mean())
        beside = float(hu[around].mean()) if np.count_nonzero(around) >= FEWEST_AROUND else liver_hu
        faint[number] = abs(own - beside) < by_hu and abs(own - liver_hu) < WHOLE * by_hu
    return faint
