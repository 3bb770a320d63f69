"""What should make a reader doubt the numbers: a liver cut off, a scan that is no contrast CT, spots out of place.

The limits are wide on purpose: a flag says "look at this", not "this is wrong". They are stated here and in
``docs/reference/measurements.md``, and a flag's sentence names the value found and the limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import liver_mask
from rmaunet.core.volume import Volume, axial
from rmaunet.core.volume.box import union_box
from rmaunet.measurement.lesions import Lesion
from rmaunet.measurement.liver_volumes import Measures

__all__ = ["Flag", "quality_flags"]

LIVER_ML = (500.0, 3500.0)
"""Adults' livers: about 1000 to 2000 ml; resected ones may be smaller, polycystic or metastatic ones larger."""

TISSUE_HU = (-30.0, 250.0)
"""Median HU a liver can have in CT: from severe steatosis to iron, amiodarone or the arterial phase's extremes."""

CONTRAST_HU = 80.0
"""Median HU from which a liver is taken as enhanced: unenhanced about 45 to 65, portal venous about 90 to 130."""

AIR_HU = -800.0
"""A CT of a body has air below this."""

THICK_MM = 5.0
PART_ML = 1.0
MANY_PARTS = 20
MANY_LESIONS = 50
SIDES = (("feet end", "head end"), ("front", "back"), ("right side", "left side"))


@dataclass(frozen=True)
class Flag:
    """One doubt.

    Attributes:
        code: Stable name for tables, e.g. "partial_liver".
        text: A sentence for people, without a full stop, naming the value found.
    """

    code: str
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def quality_flags(
    ct: Volume | None,
    mask: Volume,
    measures: Measures,
    lesions: Sequence[Lesion],
    *,
    slice_thickness_mm: float | None = None,
) -> list[Flag]:
    """Look for reasons to doubt a scan's numbers.

    Args:
        ct: CT in HU on the mask's voxel positions; None leaves the checks of HU out.
        mask: Labels {0, 1, 2}, any orientation.
        measures: The scan's, from :func:`rmaunet.report.measure`.
        lesions: The scan's, from :func:`rmaunet.report.lesion_table`.
        slice_thickness_mm: What the scanner recorded of each slice's thickness, if known.

    Returns:
        The flags, the gravest first; none if nothing is suspicious.

    Example:
        >>> from rmaunet.report import measure
        >>> from rmaunet.core.volume import make_volume
        >>> empty = make_volume(np.zeros((4, 4, 4), np.uint8))
        >>> [flag.code for flag in quality_flags(None, empty, measure(None, empty), [])]
        ['no_liver']
    """
    labels = np.asarray(axial(mask).array)
    flags = _liver_flags(labels, measures)
    if ct is not None:
        flags += _hu_flags(ct, measures)
    if measures.liver_ml > 0:
        flags += _part_flags(labels, measures.voxel_ml)
    return flags + _lesion_flags(lesions) + _slice_flags(measures.spacing_mm[0], slice_thickness_mm)


def _liver_flags(labels: NDArray[np.generic], measures: Measures) -> list[Flag]:
    if not labels.any():
        return [Flag("no_liver", "the mask holds no liver")]
    flags = []
    cut = [
        side
        for axis, sides in enumerate(SIDES)
        for side, index in zip(sides, (0, -1), strict=True)
        if np.take(labels, index, axis=axis).any()
    ]
    if cut:
        text = f"the liver reaches the scan's {_listed(cut)}: it may go on, and its volumes are lower bounds"
        flags.append(Flag("partial_liver", text))
    low, high = LIVER_ML
    if measures.liver_ml > high or (measures.liver_ml < low and not cut):
        words = f"the liver measures {measures.liver_ml:.0f} ml, outside the {low:.0f} to {high:.0f} ml of most adults"
        flags.append(Flag("implausible_volume", words))
    return flags


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _hu_flags(ct: Volume, measures: Measures) -> list[Flag]:
    flags = []
    darkest = float(np.nanmin(ct.array)) if ct.array.size else math.nan
    if not darkest <= AIR_HU:
        text = f"the darkest voxel has {darkest:.0f} HU: no air, so the values may be clipped or not HU"
        flags.append(Flag("no_air", text))
    # The median stands for the organ: vessels, calcifications and a border of fat do not move it.
    median = measures.parenchyma_hu.p50
    low, high = TISSUE_HU
    if not math.isfinite(median):
        return flags
    if not low <= median <= high:
        text = (
            f"the liver's median is {median:.0f} HU, outside {low:.0f} to {high:.0f} HU: not a CT in HU, or not liver"
        )
        flags.append(Flag("implausible_hu", text))
    elif median < CONTRAST_HU:
        text = f"the liver's median is {median:.0f} HU, below {CONTRAST_HU:.0f} HU: unenhanced, early arterial or fatty"
        flags.append(Flag("not_contrast_like", text))
    return flags


def _part_flags(labels: NDArray[np.generic], voxel_ml: float) -> list[Flag]:
    liver = liver_mask(labels[union_box(labels, labels)])  # nothing of a long scan's size is made
    parts = np.asarray(cc3d.connected_components(np.ascontiguousarray(liver), connectivity=26))
    sizes = np.bincount(parts.ravel())[1:] * voxel_ml
    large = int(np.count_nonzero(sizes >= PART_ML))
    if large <= 1 and sizes.size <= MANY_PARTS:
        return []
    text = f"the liver is in {sizes.size} parts, {large} of them of {PART_ML:g} ml or more"
    return [Flag("many_components", text)]


def _lesion_flags(lesions: Sequence[Lesion]) -> list[Flag]:
    flags = []
    outside = [str(one.id) for one in lesions if not one.in_liver]
    if outside:
        flags.append(Flag("tumor_outside_liver", f"no parenchyma touches {_named(outside)}"))
    cut = [str(one.id) for one in lesions if one.touches_scan_border]
    if cut:
        flags.append(Flag("lesion_cut", f"the scan's border cuts {_named(cut)}: sizes are lower bounds"))
    if len(lesions) > MANY_LESIONS:
        flags.append(Flag("many_lesions", f"{len(lesions)} lesions, more than {MANY_LESIONS}: the mask may hold noise"))
    return flags


def _named(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:8]) + (f" and {len(ids) - 8} more" if len(ids) > 8 else "")
    return f"lesion {shown}" if len(ids) == 1 else f"lesions {shown}"


def _slice_flags(distance_mm: float, thickness_mm: float | None) -> list[Flag]:
    flags = []
    if thickness_mm is not None and distance_mm > thickness_mm * 1.01:
        text = f"slices of {thickness_mm:g} mm lie {distance_mm:g} mm apart: what lies between was not imaged"
        flags.append(Flag("slice_gap", text))
    if distance_mm > THICK_MM:
        text = (
            f"slices lie {distance_mm:g} mm apart, more than {THICK_MM:g} mm: small lesions and volumes are uncertain"
        )
        flags.append(Flag("thick_slices", text))
    return flags
