"""Which lesions are as dark as water: cysts, and bile in the gallbladder or in wide ducts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import parenchyma_mask
from rmaunet.core.volume.box import grow_box
from rmaunet.predict.postprocess.lesion_outline import core_hu, smoothed, smoothing_reach
from rmaunet.predict.postprocess.lesion_regions import liver_median_hu

__all__ = ["fluid_lesions"]

LARGEST_ML = 50.0
"""A larger one may be a tumor that is dead inside."""
DARKEST_LIVER_HU = 50.0
"""In a darker liver, which is a fatty one, tumors are as dark."""


def fluid_lesions(
    labels: NDArray[np.uint8],
    lesions: NDArray[np.unsignedinteger],
    ct: NDArray[np.generic],
    below_hu: float,
    *,
    spacing_mm: tuple[float, float, float],
) -> NDArray[np.bool_]:
    """Say of each lesion whether its core, without the border that liver is mixed in, is darker than ``below_hu``.

    Args:
        labels: (D, H, W) axial, {0, 1, 2}.
        lesions: (D, H, W), the number of the lesion that a voxel belongs to; 0 for none.
        ct: (D, H, W) HU.
        below_hu: Water is 0; simple cysts and bile seldom reach 20.
        spacing_mm: (z, y, x).

    Returns:
        bool by number of lesion; False for 0, for lesions of more than 50 ml, and in a liver whose median is below 50 HU.
    """
    import cc3d  # not needed before the first slice

    statistics = cc3d.statistics(lesions)
    boxes, counts = statistics["bounding_boxes"], statistics["voxel_counts"]
    fluid = np.zeros(len(boxes), np.bool_)
    liver_hu = liver_median_hu(ct, parenchyma_mask(labels))
    if liver_hu is None or liver_hu < DARKEST_LIVER_HU:
        return fluid
    most = LARGEST_ML * 1000 / np.prod(spacing_mm)
    margins = smoothing_reach(spacing_mm)
    for number in range(1, len(boxes)):
        if counts[number] <= most:
            near = grow_box(boxes[number], margins)
            own = smoothed(ct[near], spacing_mm)[lesions[near] == number]
            fluid[number] = core_hu(own, liver_hu) < below_hu
    return fluid
