"""Everything that is measured of one mask, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rmaunet.core.volume import Volume
from rmaunet.core.volume.preview import preview_html
from rmaunet.measurement.flags import Flag, quality_flags
from rmaunet.measurement.lesions import Lesion, lesion_table
from rmaunet.measurement.liver_volumes import Measures, measure
from rmaunet.measurement.measure_tables import measures_content, summary_lines

__all__ = ["Measurement", "measure_mask"]


@dataclass(frozen=True, repr=False)
class Measurement:
    """Measures, lesions and warnings of one mask.

    Attributes:
        measures: Volumes and intensities.
        lesions: One entry per lesion, largest first.
        flags: Warnings about scan or mask.
    """

    measures: Measures
    lesions: list[Lesion]
    flags: list[Flag]
    _mask: Volume = field(compare=False)
    _ct: Volume | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Content of measures.json."""
        return measures_content(self.measures, self.lesions, self.flags)

    def __repr__(self) -> str:
        return "\n".join(summary_lines(self.measures, self.lesions, self.flags))

    def _repr_html_(self) -> str:
        return preview_html(repr(self), ct=self._ct, mask=self._mask)


def measure_mask(mask: Volume, ct: Volume | None = None, *, slice_thickness_mm: float | None = None) -> Measurement:
    """Measure a mask and, if given, the CT below it.

    Args:
        mask: Labels {0, 1, 2}.
        ct: HU on the same voxels.
        slice_thickness_mm: Slice thickness stated by the scanner.

    Returns:
        Measures, lesions, flags; without a CT no flags.

    Raises:
        InputError: If CT and mask are not on one grid.
    """
    measures, lesions = measure(ct, mask), lesion_table(ct, mask)
    flags = quality_flags(ct, mask, measures, lesions, slice_thickness_mm=slice_thickness_mm)
    return Measurement(measures, lesions, flags, mask, ct)
