"""Everything that is measured of one mask, together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rmaunet.core.volume import Volume
from rmaunet.measurement.flags import Flag, quality_flags
from rmaunet.measurement.lesions import Lesion, lesion_table
from rmaunet.measurement.liver_volumes import Measures, measure
from rmaunet.measurement.measure_tables import cohort_row, lesion_row, measures_content, summary_lines

if TYPE_CHECKING:
    from rmaunet.measurement.confidence import Confidence

__all__ = ["Measurement", "measure_mask"]


@dataclass(frozen=True, repr=False)
class Measurement:
    """Measures, lesions and warnings of one mask.

    Attributes:
        measures: Volumes and intensities.
        lesions: One entry per lesion, largest first.
        flags: Warnings about scan or mask.
        confidence: Volume ranges and confidence of each lesion; None if it was not estimated.
    """

    measures: Measures
    lesions: list[Lesion]
    flags: list[Flag]
    confidence: Confidence | None = None
    _mask: Volume | None = field(default=None, compare=False)
    _ct: Volume | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Content of measures.json."""
        return measures_content(self.measures, self.lesions, self.flags, self.confidence)

    def row(self) -> dict[str, Any]:
        """Row of the scan in a cohort table."""
        return cohort_row(self.measures, self.lesions, self.flags, self.confidence)

    def lines(self) -> list[str]:
        """Summary in a few lines of text."""
        return summary_lines(self.measures, self.lesions, self.flags, self.confidence)

    def lesion_rows(self) -> list[dict[str, Any]]:
        """Rows of the lesion table, with the confidence of each lesion if it was estimated."""
        if self.confidence is None:
            return [lesion_row(one) for one in self.lesions]
        return [lesion_row(one, its) for one, its in zip(self.lesions, self.confidence.lesions, strict=True)]

    def with_confidence(self, confidence: Confidence) -> Measurement:
        """The same measurement with the estimated confidence."""
        return replace(self, confidence=confidence)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        from rmaunet.core.volume.preview import preview_html

        return preview_html(repr(self), ct=self._ct, mask=self._mask)


def measure_mask(mask: Volume, ct: Volume | None = None, *, slice_thickness_mm: float | None = None) -> Measurement:
    """Measure a mask and, if given, the CT below it.

    Args:
        mask: Labels {0, 1, 2}.
        ct: HU on the same voxels; None leaves intensities and their warnings out.
        slice_thickness_mm: Slice thickness stated by the scanner.

    Returns:
        Measures, lesions, flags.

    Raises:
        InputError: If CT and mask are not on one grid.
    """
    measures, lesions = measure(ct, mask), lesion_table(ct, mask)
    flags = quality_flags(ct, mask, measures, lesions, slice_thickness_mm=slice_thickness_mm)
    return Measurement(measures, lesions, flags, None, mask, ct)
