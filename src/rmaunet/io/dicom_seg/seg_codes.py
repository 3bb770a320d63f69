"""What a segment of a DICOM SEG says about itself: name, type and anatomic region."""

from __future__ import annotations

from pydicom import Dataset

from rmaunet.core.vocabulary import Code, Named
from rmaunet.io.dicom.dicom_files import text

__all__ = ["described"]


def described(number: int, segment: Dataset) -> Named:
    """A segment for the vocabulary.

    Args:
        number: Its SegmentNumber.
        segment: An item of SegmentSequence.

    Returns:
        Its label (else its type's meaning) with the codes of type and region.
    """
    kind = _code(segment, "SegmentedPropertyTypeCodeSequence")
    name = text(segment, "SegmentLabel") or (kind.meaning if kind else "")
    return Named(str(number), name, kind, _code(segment, "AnatomicRegionSequence"))


def _code(dataset: Dataset, keyword: str) -> Code | None:
    items = dataset.get(keyword)
    if not items:
        return None
    item = items[0]
    value = text(item, "CodeValue") or text(item, "LongCodeValue")
    return Code(text(item, "CodingSchemeDesignator"), value, text(item, "CodeMeaning"))
