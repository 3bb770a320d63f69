"""Measures and lesions as the page words them: rounded, with units, and a dash where a number is undefined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rmaunet.measurement.confidence import Confidence, LesionConfidence, Range
from rmaunet.measurement.lesions import Lesion
from rmaunet.measurement.liver_volumes import Measures

__all__ = ["confidence_words", "diameters", "lesion_rows", "no_lesion_words", "number", "span", "tiles"]

DASH = "–"
SMALLEST = 0.01


def number(value: float | None, digits: int | None = None) -> str:
    """A number as the page shows it.

    Args:
        value: The number; None and NaN are undefined.
        digits: Decimals; by default three significant digits and never more than two decimals, and none for nothing;
            what would round to nothing is "< 0.01".

    Returns:
        The number, or a dash where it is undefined.

    Example:
        >>> number(1534.2), number(34.56), number(0.0123), number(0.001), number(float("nan"))
        ('1534', '34.6', '0.01', '< 0.01', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if digits is None:
        if value == 0:
            return "0"
        if 0 < value < SMALLEST / 2:
            return f"< {SMALLEST:g}"
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def span(ends: Range, unit: str = "") -> str:
    """A range as the page shows it, both ends with the decimals of the larger one.

    Args:
        ends: Smallest and largest value.
        unit: Follows, e.g. "ml".

    Returns:
        The range, or a dash where it is undefined.

    Example:
        >>> span((9.512, 11.04), "ml"), span((0.0, 0.513)), span((math.nan, math.nan), "ml")
        ('9.5 to 11.0 ml', '0.00 to 0.51', '–')
    """
    low, high = ends
    if not math.isfinite(low + high):
        return DASH
    digits = 0 if high >= 100 else 1 if high >= 10 else 2
    return f"{number(low, digits)} to {number(high, digits)}" + (f" {unit}" if unit else "")


def tiles(measures: Measures, lesions: Sequence[Lesion], confidence: Confidence | None = None) -> list[dict[str, Any]]:
    """The four numbers at the top of the page.

    Args:
        measures: Of the whole liver.
        lesions: The lesion table.
        confidence: Where given, its ranges stand below.

    Returns:
        For each: key (the color's name or empty), name, value, unit, notes.
    """
    longest = max((one.longest_axial_mm for one in lesions), default=math.nan)
    liver, parenchyma = number(measures.liver_ml), number(measures.parenchyma_ml)
    tissue = [f"{parenchyma} ml without tumor"] if parenchyma != liver else []
    if measures.parenchyma_hu.voxels:
        tissue.append(
            f"parenchyma {number(measures.parenchyma_hu.mean, 0)} ± {number(measures.parenchyma_hu.sd, 0)} HU"
        )
    tumor = ["none segmented"]
    if measures.tumor_ml:
        tumor = [f"mean {number(measures.tumor_hu.mean, 0)} HU"] if measures.tumor_hu.voxels else []
    count = f"longest axial diameter {number(longest, 0)} mm" if lesions else "none segmented"
    made = [
        _tile("liver", "Liver with tumor", liver, "ml", tissue),
        _tile("tumor", "Tumor", number(measures.tumor_ml), "ml", tumor),
        _tile("", "Tumor burden", number(measures.burden_percent), "%", ["tumor / liver with tumor"]),
        _tile("", "Lesions", str(len(lesions)), "", [count]),
    ]
    if confidence is not None:
        low, high = confidence.lesion_count
        words = (
            span(confidence.liver_ml, "ml"), span(confidence.tumor_ml, "ml"), span(confidence.burden_percent, "%"),
            f"{low} to {high}",
        )  # fmt: skip
        for tile, word in zip(made, words, strict=True):
            tile["range"] = f"range {word}"
    return made


def _tile(key: str, name: str, value: str, unit: str, notes: list[str]) -> dict[str, Any]:
    return {
        "key": key, "name": name, "value": value, "unit": unit if value != DASH else "", "notes": notes, "range": "",
    }  # fmt: skip


def confidence_words(confidence: Confidence) -> str:
    """What the ranges and the confidence column of the page are, in full sentences."""
    asked = []
    if confidence.thresholds:
        asked.append(f"at tumor thresholds {', '.join(confidence.thresholds)}")
    if confidence.passes:
        asked.append(f"in {len(confidence.passes)} passes with slices {', '.join(confidence.passes)}")
    return (
        f"Ranges: smallest and largest value that the same weights give {' and '.join(asked)}. They are no confidence "
        "intervals: what the weights never see is in none of them. Confidence: mean tumor probability of the lesion’s "
        "voxels; smallest / largest volume over the thresholds; passes that have tumor there."
    )


def lesion_rows(lesions: Sequence[Lesion], confidence: Confidence | None = None) -> list[dict[str, Any]]:
    """The rows of the page's lesion table.

    Args:
        lesions: The lesion table.
        confidence: Where given, each lesion's range and sureness.

    Returns:
        Words for each column, and go_mm, where the viewer's crosshair jumps to, in RAS mm as "x,y,z".
    """
    rows = []
    sure = {its.id: its for its in confidence.lesions} if confidence is not None else {}
    for one in lesions:
        # The middle of the longest diameter: the slice that the diameters and the picture come from.
        x, y, z = ((a + b) / 2 for a, b in zip(*one.longest_ends_mm, strict=True))
        rows.append(
            {
                "id": one.id,
                "target": one.target_candidate,
                "volume": number(one.volume_ml),
                "range": span(sure[one.id].volume_ml) if one.id in sure else "",
                "sure": _sure(sure[one.id], len(confidence.passes)) if confidence and one.id in sure else "",
                "axial": diameters(one),
                "diameter_3d": number(one.diameter_3d_mm, 0),
                "slice": one.axial_index + 1,
                "surface": number(one.surface_distance_mm, 0),
                "hu": number(one.mean_hu, 0),
                "contrast": number(one.contrast_hu, 0),
                "notes": _notes(one),
                "go_mm": f"{-x:.2f},{-y:.2f},{z:.2f}",
            }
        )
    return rows


def diameters(lesion: Lesion) -> str:
    """Longest axial diameter and its perpendicular in whole mm, as one writes them."""
    return f"{number(lesion.longest_axial_mm, 0)} × {number(lesion.perpendicular_mm, 0)}"


def _sure(its: LesionConfidence, passes: int) -> str:
    words = [number(its.mean_probability, 2)]
    if math.isfinite(its.threshold_stability):
        words.append(number(its.threshold_stability, 2))
    if passes:
        words.append(f"{round(its.found_share * passes)} of {passes}")
    return " · ".join(words)


def _notes(one: Lesion) -> str:
    words = []
    if one.touches_scan_border:
        words.append("cut by the scan")
    if not one.in_liver:
        words.append("outside parenchyma")
    return ", ".join(words)


def no_lesion_words(measures: Measures) -> str:
    """What stands in place of the lesion table where there is none."""
    return "The mask holds no tumor." if measures.liver_ml > 0 else "The mask is empty: neither liver nor tumor."
