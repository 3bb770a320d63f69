"""Measures and lesions as the page words them: rounded, with units, and a dash where a number is undefined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rmaunet.report.lesions import Lesion
from rmaunet.report.measures import Measures

__all__ = ["lesion_rows", "no_lesion_words", "number", "tiles"]

DASH = "–"


def number(value: float | None, digits: int | None = None) -> str:
    """A number as the page shows it.

    Args:
        value: The number; None and NaN are undefined.
        digits: Decimals; by default three significant digits and never more than two decimals.

    Returns:
        The number, or a dash where it is undefined.

    Example:
        >>> number(1534.2), number(34.56), number(0.0123), number(float("nan"))
        ('1534', '34.6', '0.01', '–')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def tiles(measures: Measures, lesions: Sequence[Lesion]) -> list[dict[str, str]]:
    """The four numbers at the top of the page.

    Args:
        measures: Of the whole liver.
        lesions: The lesion table.

    Returns:
        For each: key (the color's name or empty), name, value, unit, note.
    """
    longest = max((one.longest_axial_mm for one in lesions), default=math.nan)
    return [
        _tile(
            "liver", "Liver with tumor", number(measures.liver_ml), "ml", f"{number(measures.parenchyma_ml)} ml without"
        ),
        _tile(
            "tumor",
            "Tumor",
            number(measures.tumor_ml),
            "ml",
            f"mean {number(measures.tumor_hu.mean, 0)} HU" if measures.tumor_ml else "none segmented",
        ),
        _tile("", "Tumor burden", number(measures.burden_percent), "%", "tumor / liver with tumor"),
        _tile(
            "",
            "Lesions",
            str(len(lesions)),
            "",
            f"longest axial diameter {number(longest, 0)} mm" if lesions else "none segmented",
        ),
    ]


def _tile(key: str, name: str, value: str, unit: str, note: str) -> dict[str, str]:
    return {"key": key, "name": name, "value": value, "unit": unit if value != DASH else "", "note": note}


def lesion_rows(lesions: Sequence[Lesion]) -> list[dict[str, Any]]:
    """The rows of the page's lesion table.

    Args:
        lesions: The lesion table.

    Returns:
        Words for each column, and go_mm, where the viewer's crosshair jumps to, in RAS mm as "x,y,z".
    """
    rows = []
    for one in lesions:
        # The middle of the longest diameter: the slice that the diameters and the picture come from.
        x, y, z = ((a + b) / 2 for a, b in zip(*one.longest_ends_mm, strict=True))
        rows.append(
            {
                "id": one.id,
                "target": one.target_candidate,
                "volume": number(one.volume_ml),
                "axial": f"{number(one.longest_axial_mm, 0)} × {number(one.perpendicular_mm, 0)}",
                "diameter_3d": number(one.diameter_3d_mm, 0),
                "surface": number(one.surface_distance_mm, 0),
                "hu": number(one.mean_hu, 0),
                "contrast": number(one.contrast_hu, 0),
                "notes": _notes(one),
                "go_mm": f"{-x:.2f},{-y:.2f},{z:.2f}",
            }
        )
    return rows


def _notes(one: Lesion) -> str:
    words = []
    if one.touches_scan_border:
        words.append("reaches the scan’s border: may go on")
    if not one.in_liver:
        words.append("apart from the parenchyma")
    elif one.touches_mask_edge:
        words.append("reaches the liver’s surface")
    return "; ".join(words)


def no_lesion_words(measures: Measures) -> str:
    """What stands in place of the lesion table where there is none."""
    return "The mask holds no tumor." if measures.liver_ml > 0 else "The mask is empty: neither liver nor tumor."
