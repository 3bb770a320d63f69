"""What is far brighter than the liver and hangs at its edge is no liver: bowel with contrast, a kidney, a piece of heart.

A network sees a few slices at a time and has learned livers of every brightness, so that below the liver's tip it takes bowel
full of contrast for one. Over the whole scan the liver says itself how bright it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.labels import BACKGROUND, parenchyma_mask

__all__ = ["drop_brighter"]

RADIUS_MM = 10.0
"""Half a side of the square over which brightness is averaged: vessels are narrower."""
SMALLEST_ML = 1.0
INSIDE_SHARE = 0.3
"""Of a piece's neighbours. One that has more of them in the mask lies in the liver, as a bright lesion does, even one that
bulges out of it; bowel that hangs below a liver has 0.1."""
DARKEST_HU = -200.0
"""Below the liver; air and fat at an edge weigh no more."""


def drop_brighter(
    labels: NDArray[np.uint8], ct: NDArray[np.generic], by_hu: float, *, spacing_mm: tuple[float, float, float]
) -> float:
    """Take pieces that are brighter than the liver out of a mask, in place.

    Args:
        labels: (D, H, W) axial, {0, 1, 2}.
        ct: (D, H, W) HU.
        by_hu: How much brighter than the median of the liver without tumors, averaged over a square of 2 cm, a place must be.
        spacing_mm: (z, y, x).

    Returns:
        What was taken out, in ml.
    """
    parenchyma = parenchyma_mask(labels)
    if not parenchyma.any():
        return 0.0
    liver_hu = float(np.median(np.asarray(ct[parenchyma], np.float32)))
    bright = np.zeros(labels.shape, np.bool_)
    sides = [2 * round(RADIUS_MM / mm) + 1 for mm in spacing_mm[1:]]
    for plane, hu, found in zip(labels, ct, bright, strict=True):
        mask = plane != BACKGROUND
        above = hu.astype(np.float32) - np.float32(liver_hu)
        if np.any(mask & (above > by_hu)):
            found[...] = mask & (_mean_inside(above, mask, by_hu, sides) > by_hu)
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    return _drop_pieces(labels, bright, SMALLEST_ML / voxel_ml) * voxel_ml if bright.any() else 0.0


def _mean_inside(
    above: NDArray[np.float32], mask: NDArray[np.bool_], by_hu: float, sides: list[int]
) -> NDArray[np.float32]:
    """Mean over the part of a rectangle around each pixel that is in the mask; what is brighter still weighs no more."""
    weight = mask.astype(np.float32)
    size = (sides[1], sides[0])
    values = np.clip(above, DARKEST_HU, 2 * by_hu) * weight
    total = cv2.blur(values, size, borderType=cv2.BORDER_CONSTANT)
    count = cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(count, 1e-6), np.float32)


def _drop_pieces(labels: NDArray[np.uint8], bright: NDArray[np.bool_], smallest: float) -> int:
    """Voxels of the connected pieces that were large enough and do not lie in the liver."""
    import cc3d  # not needed before the first slice
    from scipy import ndimage

    pieces = cc3d.connected_components(bright.view(np.uint8), connectivity=26)
    stats = cc3d.statistics(pieces)
    dropped = 0
    for number in 1 + np.flatnonzero(stats["voxel_counts"][1:] >= smallest):
        box = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in stats["bounding_boxes"][number])
        piece = pieces[box] == number
        around = ndimage.binary_dilation(piece) & ~piece
        if np.count_nonzero(labels[box][around]) <= INSIDE_SHARE * np.count_nonzero(around):
            labels[box][piece] = BACKGROUND
            dropped += int(stats["voxel_counts"][number])
    return dropped
