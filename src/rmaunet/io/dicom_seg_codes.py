"""Which segments of anybody's DICOM SEG are liver and which are tumor."""

from __future__ import annotations

import re

from pydicom import Dataset

from rmaunet.io.dicom_files import text
from rmaunet.labels import LIVER, TUMOR

__all__ = ["role_of", "segment_name"]

# SNOMED CT codes, and the older SRT ones that dcmqi and Slicer wrote.
LIVER_CODES = {"10200004", "T-62000"}
TUMOR_CODES = {
    "108369006", "52988006", "4147007", "372087000", "14799000", "86049000", "128462008", "126851005", "109841003",
    "25370001", "94381002", "M-80003", "M-80006", "M-8FFFF", "M-01100", "M-03000", "M-80000", "M-80001",
}  # fmt: skip
_TUMOR_WORDS = re.compile(r"tumou?r|lesion|neoplas|\bmass(es)?\b|metasta|\bhcc\b|carcinoma|cancer")
_WITH = re.compile(r"\b(with|without|including|excluding|incl|excl|no|minus|plus|and|non)\b")
_LIVER_WORDS = re.compile(r"\b(liver|hepar|hepatic|leber|foie)\b")
_PARTS = re.compile(r"vessel|vein|venous|arter|duct|segment|couinaud|bile|lobe|portal|iv[abc]?\b")
_ELSEWHERE = re.compile(
    r"kidney|renal|lung|pulmon|pancrea|spleen|splen|colon|bone|brain|breast|prostat|node|adrenal|stomach|bladder"
)


def segment_name(segment: Dataset) -> str:
    """What a segment calls itself: its label, else its type's meaning."""
    return text(segment, "SegmentLabel") or text(_item(segment, "SegmentedPropertyTypeCodeSequence"), "CodeMeaning")


def role_of(segment: Dataset) -> int | None:
    """The label a segment stands for.

    Args:
        segment: An item of SegmentSequence.

    Returns:
        LIVER, TUMOR, or None for anything else (vessels, liver segments, other organs and their tumors).
    """
    kind = _item(segment, "SegmentedPropertyTypeCodeSequence")
    code, meaning = text(kind, "CodeValue"), text(kind, "CodeMeaning")
    label = _words(text(segment, "SegmentLabel"))
    name = f"{label} {_words(meaning)}"
    region = _item(segment, "AnatomicRegionSequence")
    place = _words(text(region, "CodeMeaning"))
    elsewhere = bool(place) and text(region, "CodeValue") not in LIVER_CODES and not _LIVER_WORDS.search(place)
    is_tumor = bool(_TUMOR_WORDS.search(label)) and not _WITH.search(label)
    if code in TUMOR_CODES or is_tumor or (_TUMOR_WORDS.search(_words(meaning)) and code not in LIVER_CODES):
        return None if elsewhere or _ELSEWHERE.search(name) else TUMOR
    if code in LIVER_CODES or _LIVER_WORDS.search(name):
        return None if _PARTS.search(label) or _ELSEWHERE.search(label) else LIVER
    return None


def _words(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.lower()).strip()


def _item(dataset: Dataset, keyword: str) -> Dataset:
    items = dataset.get(keyword)
    return items[0] if items else Dataset()
