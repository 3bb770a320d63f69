"""What is far brighter or darker than the liver and hangs at its edge is none: bowel, a kidney, the gallbladder, the heart.

A network sees a few slices at a time and has learned livers of every brightness, so that below the liver's tip it takes bowel
for one, full of contrast or of water. Over the whole scan the liver says itself how bright it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import BACKGROUND, parenchyma_mask
from rmaunet.core.volume.box import grow_box
from rmaunet.predict.postprocess.lesion_regions import liver_median_hu

__all__ = ["drop_unlike"]

RADIUS_MM = 10.0
"""Half a side of the square over which brightness is averaged: vessels are narrower."""
SMALLEST_ML = 1.0
INSIDE_SHARE = 0.3
"""Of a piece's neighbours. One that has more of them in the mask lies in the liver, as a lesion does, even one that
bulges out of it; bowel that hangs below a liver has 0.1."""
LARGEST_DARK_SHARE = 0.4
"""Of the mask. A tumor is dark, and a huge one that hangs out of the liver is not to be lost."""
FARTHEST_HU = -200.0
"""The other way from the liver; air and fat at a bright piece's edge weigh no more, nor bone at a dark one's."""


def drop_unlike(
    labels: NDArray[np.uint8],
    ct: NDArray[np.generic],
    *,
    spacing_mm: tuple[float, float, float],
    brighter_by_hu: float = 0.0,
    darker_by_hu: float = 0.0,
) -> float:
    """Take pieces that are brighter than the liver out of a mask, and then those that are darker, in place.

    A piece goes if it has a millilitre and at most 0.3 of its neighbours are in the mask; a dark one, if it is no larger than
    two fifths of the mask.

    Args:
        labels: (D, H, W) axial, {0, 1, 2}; with a margin, or what lies at the edge counts as having fewer neighbours.
        ct: (D, H, W) HU.
        spacing_mm: (z, y, x).
        brighter_by_hu: How much brighter than the median of the liver without tumors, averaged over a square of 2 cm, a place
            must be; 0 asks for nothing.
        darker_by_hu: How much darker; 0 asks for nothing.

    Returns:
        What was taken out, in ml.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    sides = [2 * round(RADIUS_MM / mm) + 1 for mm in spacing_mm[1:]]
    dropped = 0
    for sign, by_hu, share in ((1, brighter_by_hu, 1.0), (-1, darker_by_hu, LARGEST_DARK_SHARE)):
        liver_hu = liver_median_hu(ct, parenchyma_mask(labels)) if by_hu > 0 else None
        if liver_hu is None:
            continue
        found = np.zeros(labels.shape, np.bool_)
        for plane, hu, here in zip(labels, ct, found, strict=True):
            mask = plane != BACKGROUND
            beyond = np.float32(sign) * (hu.astype(np.float32) - np.float32(liver_hu))
            if np.any(mask & (beyond > by_hu)):
                here[...] = mask & (_mean_inside(beyond, mask, by_hu, sides) > by_hu)
        if found.any():
            largest = share * np.count_nonzero(labels)
            dropped += _drop_pieces(labels, found, SMALLEST_ML / voxel_ml, largest)
    return dropped * voxel_ml


def _mean_inside(
    beyond: NDArray[np.float32], mask: NDArray[np.bool_], by_hu: float, sides: list[int]
) -> NDArray[np.float32]:
    """Mean over the part of a rectangle around each pixel that is in the mask; beyond twice the limit nothing weighs more."""
    weight = mask.astype(np.float32)
    size = (sides[1], sides[0])
    values = np.clip(beyond, FARTHEST_HU, 2 * by_hu) * weight
    total = cv2.blur(values, size, borderType=cv2.BORDER_CONSTANT)
    count = cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(count, 1e-6), np.float32)


def _drop_pieces(labels: NDArray[np.uint8], found: NDArray[np.bool_], smallest: float, largest: float) -> int:
    """Voxels of the connected pieces of such a size that do not lie in the liver."""
    import cc3d  # not needed before the first slice
    from scipy import ndimage

    pieces = cc3d.connected_components(found.view(np.uint8), connectivity=26)
    stats = cc3d.statistics(pieces)
    sizes = stats["voxel_counts"][1:]
    dropped = 0
    for number in 1 + np.flatnonzero((sizes >= smallest) & (sizes <= largest)):
        box = grow_box(stats["bounding_boxes"][number], (1, 1, 1))
        piece = pieces[box] == number
        around = ndimage.binary_dilation(piece) & ~piece
        if np.count_nonzero(labels[box][around]) <= INSIDE_SHARE * np.count_nonzero(around):
            labels[box][piece] = BACKGROUND
            dropped += int(stats["voxel_counts"][number])
    return dropped
