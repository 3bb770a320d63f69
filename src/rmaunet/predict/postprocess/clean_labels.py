"""From probabilities to labels, and what is tidied afterwards."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import BACKGROUND, LIVER, TUMOR, liver_mask, tumor_mask
from rmaunet.core.volume.box import grow_box, mask_box
from rmaunet.predict.postprocess.faint_lesions import faint_lesions
from rmaunet.predict.postprocess.fluid_lesions import fluid_lesions
from rmaunet.predict.postprocess.lesion_outline import outline_lesions
from rmaunet.predict.postprocess.lesion_regions import number_lesions
from rmaunet.predict.postprocess.liver_border import drop_unlike

__all__ = ["Postprocessing", "labels_from_probabilities", "postprocess"]

PEAK = 3
"""Label, between the two steps only, of tumor that passes ``tumor_peak``."""
COMPARED = ("brighter_by_hu", "darker_by_hu", "tumor_contrast_hu", "outline_lesions", "fluid_below_hu")
"""Settings that compare a part of the mask with the liver in the CT."""
ENOUGH_SURE_ML = 5.0
"""Of a lesion, whatever its size: of a tumor as large as few training patients have the rest is unsure."""


@dataclass(frozen=True)
class Postprocessing:
    """Settings of :func:`labels_from_probabilities` and :func:`postprocess`; the paper names none.

    Attributes:
        liver_threshold: A pixel is liver above this probability.
        tumor_threshold: A pixel is tumor above this probability.
        brighter_by_hu: A piece at the liver's edge that is brighter than the liver by this is none
            (:mod:`rmaunet.predict.postprocess.liver_border`); 0 asks for nothing.
        darker_by_hu: The same for one that is darker.
        largest_liver: Keep only the largest connected liver (6-neighbours); what is not connected to it goes.
        tumor_inside_liver: A tumor pixel outside the liver is dropped; otherwise it makes its place liver.
        fill_holes: Background enclosed by liver within an axial slice becomes liver.
        tumor_peak: A lesion (26-neighbours) whose probability nowhere passes this becomes liver; 0 asks for nothing. With a
            low ``tumor_threshold`` this is thresholding with hysteresis.
        tumor_peak_share: Share of a lesion's voxels that must pass ``tumor_peak``, looked at after the lesion was outlined; of
            those that were marked before; 5 ml are enough of any. 0 is one voxel, which a large lesion has more easily than a
            small one.
        min_lesion_ml: Lesions smaller than this become liver.
        tumor_contrast_hu: A lesion whose mean differs by less from that of the liver around it becomes liver
            (:mod:`.faint_lesions`); 0 to keep all.
        outline_lesions: Voxels at the border of each lesion leave or join it by their HU (:mod:`.lesion_outline`).
        fluid_below_hu: A lesion whose core is darker becomes liver (:mod:`.fluid_lesions`); 0 to keep all.
        min_liver_ml: A liver smaller than this is no liver: the mask is empty.
    """

    liver_threshold: float = 0.5
    tumor_threshold: float = 0.5
    brighter_by_hu: float = 0.0
    darker_by_hu: float = 0.0
    largest_liver: bool = False
    tumor_inside_liver: bool = False
    fill_holes: bool = False
    tumor_peak: float = 0.0
    tumor_peak_share: float = 0.0
    min_lesion_ml: float = 0.0
    tumor_contrast_hu: float = 0.0
    outline_lesions: bool = False
    fluid_below_hu: float = 0.0
    min_liver_ml: float = 0.0

    @property
    def thresholds(self) -> tuple[float, float]:
        """Above what a channel makes a place part of the mask; infinite for a tumor that counts inside the liver only."""
        return self.liver_threshold, math.inf if self.tumor_inside_liver else self.tumor_threshold

    def __post_init__(self) -> None:
        """Refuse what is out of range (ValueError)."""
        for name in ("liver_threshold", "tumor_threshold"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must lie between 0 and 1")
        for name in ("tumor_peak", "tumor_peak_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 0 and below 1")
        for name in (*COMPARED, "min_lesion_ml", "min_liver_ml"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} = {getattr(self, name)}: must be at least 0")


def labels_from_probabilities(probabilities: NDArray[np.float32], settings: Postprocessing) -> NDArray[np.uint8]:
    """Labels of one slab: 2 where tumor, else 1 where liver, else 0; 3 where tumor passes the peak that is asked for.

    Args:
        probabilities: (C, ...) with channel 0 liver (with tumor) and channel 1 tumor.
        settings: Thresholds, and whether a tumor must lie in the liver.

    Returns:
        uint8 of the shape of a channel.
    """
    liver = probabilities[0] > settings.liver_threshold
    labels = np.asarray(liver, np.uint8)
    if probabilities.shape[0] > 1:
        tumor = probabilities[1] > settings.tumor_threshold
        if settings.tumor_inside_liver:
            tumor &= liver
        labels[tumor] = TUMOR
        if settings.tumor_peak > 0:
            labels[tumor & (probabilities[1] > settings.tumor_peak)] = PEAK
    return labels


def postprocess(
    labels: NDArray[np.uint8],
    settings: Postprocessing,
    *,
    spacing_mm: tuple[float, float, float],
    ct: NDArray[np.generic] | None = None,
) -> NDArray[np.uint8]:
    """Tidy a mask; works on the box of the liver only.

    Args:
        labels: (D, H, W) axial, from :func:`labels_from_probabilities` with the same settings; changed in place.
        settings: What to do.
        spacing_mm: (z, y, x).
        ct: HU of the same shape; only the settings named in ``COMPARED`` need it.

    Returns:
        ``labels``, {0, 1, 2}.

    Raises:
        ValueError: If one of these is asked for without a CT.
    """
    asked = [f"{name} = {getattr(settings, name)}" for name in COMPARED if getattr(settings, name) > 0]
    if asked and ct is None:
        raise ValueError(f"{', '.join(asked)}: needs the CT")
    box = mask_box(labels)
    if box is None:
        return labels
    # Unlike pieces are judged by what lies around them, one voxel beyond the mask included.
    box = grow_box(box, (1, 1, 1))
    part = labels[box]
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    peaks = part == PEAK
    part[peaks] = TUMOR
    hu = None if ct is None else ct[box]
    if hu is not None:
        limits = {"brighter_by_hu": settings.brighter_by_hu, "darker_by_hu": settings.darker_by_hu}
        drop_unlike(part, hu, spacing_mm=spacing_mm, **limits)
    if settings.largest_liver:
        import cc3d  # not needed before the first slice

        kept = cc3d.largest_k(liver_mask(part).astype(np.uint8, order="C"), k=1, connectivity=6)
        part[kept == 0] = BACKGROUND
    if settings.fill_holes:
        for plane in part:
            plane[_enclosed(plane == BACKGROUND)] = LIVER
    if tumor_mask(part).any():
        _drop_lesions(part, peaks, hu, settings, spacing_mm)
        marked = tumor_mask(part)
        if settings.outline_lesions and hu is not None:
            outline_lesions(part, hu, spacing_mm=spacing_mm)
        _drop_outlined(part, peaks, marked, hu, settings, spacing_mm)
    if np.count_nonzero(part) * voxel_ml < settings.min_liver_ml:
        part[...] = BACKGROUND
    return labels


def _enclosed(background: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where background does not reach the edge of a plane, going from face to face."""
    rows, columns = background.shape
    # OpenCV fills in place and takes rows one after another in memory only; a plane of a turned scan may lie otherwise.
    left = np.ones((rows + 2, columns + 2), np.uint8)
    left[1:-1, 1:-1] = background
    cv2.floodFill(left, None, (0, 0), 0, flags=4)
    return left[1:-1, 1:-1].view(np.bool_)


def _drop_lesions(
    part: NDArray[np.uint8],
    peaks: NDArray[np.bool_],
    hu: NDArray[np.generic] | None,
    settings: Postprocessing,
    spacing_mm: tuple[float, float, float],
) -> None:
    """Lesions that are too small, too faint, or nowhere among ``peaks`` where a peak is asked for become liver."""
    if not (settings.min_lesion_ml or settings.tumor_peak or settings.tumor_contrast_hu):
        return
    lesions = number_lesions(part)
    sizes = np.bincount(lesions.ravel())
    keep = sizes * float(np.prod(spacing_mm)) / 1000 >= settings.min_lesion_ml
    if settings.tumor_contrast_hu > 0 and hu is not None:
        keep &= ~faint_lesions(part, lesions, hu, settings.tumor_contrast_hu, spacing_mm=spacing_mm)
    keep[0] = False
    if settings.tumor_peak > 0:
        keep &= np.bincount(lesions[peaks], minlength=len(keep)) > 0
    part[~keep[lesions] & (lesions > 0)] = LIVER


def _drop_outlined(
    part: NDArray[np.uint8],
    peaks: NDArray[np.bool_],
    marked: NDArray[np.bool_],
    hu: NDArray[np.generic] | None,
    settings: Postprocessing,
    spacing_mm: tuple[float, float, float],
) -> None:
    """Lesions that are not sure enough, splinters cut off from their peak, and such as are dark as water become liver.

    They are judged as they are outlined, without the border of liver that was ``marked`` with them; what joined them since
    says nothing about how sure they are.
    """
    if not (settings.tumor_peak > 0 or settings.fluid_below_hu > 0):
        return
    lesions = number_lesions(part)
    drop = np.zeros(int(lesions.max()) + 1, np.bool_)
    if settings.tumor_peak > 0:
        own, sure = (np.bincount(lesions[voxels], minlength=len(drop)) for voxels in (marked, peaks))
        enough = ENOUGH_SURE_ML * 1000 / np.prod(spacing_mm)
        drop |= sure <= np.minimum(settings.tumor_peak_share * own, enough)
    if settings.fluid_below_hu > 0 and hu is not None:
        drop |= fluid_lesions(part, lesions, hu, settings.fluid_below_hu, spacing_mm=spacing_mm)
    drop[0] = False
    part[drop[lesions]] = LIVER
