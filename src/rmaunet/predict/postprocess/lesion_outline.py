"""The outline of a lesion, drawn anew where it differs from the liver in the CT.

A network knows better that there is a lesion than where it ends: small ones it marks with a ring of liver around them, and of
large ones, of which training patients have few, it leaves out parts that are as dark as the rest. Between what the lesion's
own voxels and the liver's are like, each voxel at its border says to which of the two it is closer.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import LIVER, TUMOR, liver_mask, parenchyma_mask
from rmaunet.core.volume.box import grow_box
from rmaunet.predict.postprocess.lesion_regions import liver_median_hu, number_lesions

__all__ = ["core_hu", "outline_lesions", "smoothed", "smoothing_reach"]

SMOOTH_MM = 1.5
"""Standard deviation of the smoothing that voxels are compared after: noise is as large as the difference."""
CORE_SHARE = 0.2
"""Of a lesion's voxels, those most unlike the liver; the last of them stands for the lesion."""
REACH_MM = (15.0, 30.0)
"""Around a lesion: the liver that it is compared with, and that may join it. As far as the lesion's radius, within these."""
FEWEST_AROUND = 50
SMALLEST_DIFFERENCE_HU = 10.0
"""A lesion whose core differs by less is left as it is."""
LEAVES = 0.3
"""A voxel leaves a lesion that lies closer to the liver than this share of the way to the lesion's core."""
JOINS = 0.5
"""A voxel of the liver joins a lesion that it hangs together with when it lies beyond this share of the way."""
EDGE_MM = 3.0
"""Nothing joins that is so close to the liver's surface, where what lies beyond is mixed in."""
VESSEL_MM = 6.0
"""Nothing joins that is narrower than twice this: vessels and fissures are."""
LEAST_KEPT = 0.1
"""Share of a lesion that must stay; otherwise its core says nothing about it, and it is left as it is."""


def outline_lesions(
    labels: NDArray[np.uint8], ct: NDArray[np.generic], *, spacing_mm: tuple[float, float, float]
) -> None:
    """Let voxels leave and join each lesion by their HU, in place.

    Args:
        labels: (D, H, W) axial, {0, 1, 2}; only 1 and 2 change, into each other.
        ct: (D, H, W) HU.
        spacing_mm: (z, y, x).
    """
    import cc3d  # not needed before the first slice

    lesions = number_lesions(labels)
    statistics = cc3d.statistics(lesions)
    before = parenchyma_mask(labels)
    liver_hu = liver_median_hu(ct, before)
    if liver_hu is None:
        return
    for number, (box, count) in enumerate(zip(statistics["bounding_boxes"], statistics["voxel_counts"], strict=True)):
        if number == 0:
            continue
        radius = (count * np.prod(spacing_mm) * 3 / (4 * np.pi)) ** (1 / 3)
        margins = [round(float(np.clip(radius, *REACH_MM)) / mm) for mm in spacing_mm]
        near = grow_box(box, margins)
        _outline(labels[near], lesions[near] == number, before[near], ct[near], liver_hu, spacing_mm)


def smoothing_reach(spacing_mm: tuple[float, float, float]) -> list[int]:
    """Voxels (z, y, x) around a place that :func:`smoothed` takes in; what lies beyond weighs less than 1 in 1000."""
    return [math.ceil(4 * SMOOTH_MM / mm) for mm in spacing_mm]


def smoothed(ct: NDArray[np.generic], spacing_mm: tuple[float, float, float]) -> NDArray[np.float32]:
    """HU (D, H, W) with less noise, as lesions are compared."""
    from scipy import ndimage  # not needed before the first slice

    hu = np.array(ct, np.float32)
    ndimage.gaussian_filter(hu, [SMOOTH_MM / mm for mm in spacing_mm], output=hu)
    return hu


def core_hu(own: NDArray[np.float32], liver_hu: float) -> float:
    """What a lesion is like whose voxels, smoothed, are ``own``: with a ring of liver around it it is unlike most of them."""
    return float(np.quantile(own, CORE_SHARE if float(own.mean()) < liver_hu else 1 - CORE_SHARE))


def _outline(
    labels: NDArray[np.uint8],
    lesion: NDArray[np.bool_],
    parenchyma: NDArray[np.bool_],
    ct: NDArray[np.generic],
    liver_hu: float,
    spacing_mm: tuple[float, float, float],
) -> None:
    import cc3d

    hu = smoothed(ct, spacing_mm)
    if np.count_nonzero(parenchyma) >= FEWEST_AROUND:
        liver_hu = float(np.median(hu[parenchyma]))
    core = core_hu(hu[lesion], liver_hu)
    if abs(core - liver_hu) < SMALLEST_DIFFERENCE_HU:
        return
    hu -= np.float32(liver_hu)
    hu /= np.float32(core - liver_hu)
    way = hu  # in place: a large lesion's box holds ten million voxels
    kept = lesion & (way >= LEAVES)
    if np.count_nonzero(kept) < LEAST_KEPT * np.count_nonzero(lesion):
        return
    labels[lesion & ~kept] = LIVER
    edge, narrow = (_disc(mm, spacing_mm) for mm in (EDGE_MM, VESSEL_MM))
    room = np.zeros(lesion.shape, np.bool_)
    candidates = (parenchyma | lesion) & (way > JOINS)
    for plane, here, liver in zip(candidates, room, liver_mask(labels), strict=True):
        if plane.any():
            inner = cv2.erode(liver.astype(np.uint8), edge)
            here[...] = cv2.morphologyEx(plane & inner, cv2.MORPH_OPEN, narrow) > 0
    parts = cc3d.connected_components((room | kept).astype(np.uint8, order="C"), connectivity=6)
    joined = np.zeros(int(parts.max()) + 1, np.bool_)
    joined[parts[kept]] = True
    joined[0] = False
    labels[joined[parts] & parenchyma_mask(labels)] = TUMOR


def _disc(radius_mm: float, spacing_mm: tuple[float, float, float]) -> NDArray[np.uint8]:
    size = [2 * round(radius_mm / mm) + 1 for mm in spacing_mm[:0:-1]]
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)
