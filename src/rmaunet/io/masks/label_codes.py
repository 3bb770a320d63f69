"""Name, color and codes of the two labels in every file format."""

from __future__ import annotations

from dataclasses import dataclass

from rmaunet.core.colors import LIVER_RGB, TUMOR_RGB
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.vocabulary import Code

__all__ = ["SEGMENTS", "Code", "Segment"]


@dataclass(frozen=True)
class Segment:
    """One label.

    Attributes:
        label: Its value in a mask.
        name: As shown to people.
        rgb: Color, 0 to 255.
        category: SNOMED CT category.
        type: SNOMED CT type.
        region: Anatomic region, for what is found in an organ.
    """

    label: int
    name: str
    rgb: tuple[int, int, int]
    category: Code
    type: Code
    region: Code | None = None


_LIVER = Code("SCT", "10200004", "Liver")

SEGMENTS = (
    Segment(LIVER, "liver", LIVER_RGB, Code("SCT", "91723000", "Anatomical Structure"), _LIVER),
    Segment(
        TUMOR,
        "tumor",
        TUMOR_RGB,
        Code("SCT", "49755003", "Morphologically Abnormal Structure"),
        Code("SCT", "108369006", "Neoplasm"),
        _LIVER,
    ),
)
"""Liver and tumor. Label 1 marks liver tissue outside the tumors; the organ is labels 1 and 2 together."""
