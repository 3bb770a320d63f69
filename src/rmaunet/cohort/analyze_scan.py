"""What the weights say of a scan: the mask, its measures, and how sure they are.

What measures a mask is imported once there is one: the first slice does not wait for SciPy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rmaunet.core.volume import Volume, axial
from rmaunet.io.scan import Scan
from rmaunet.predict import Prediction, Predictor
from rmaunet.predict.probability_store import KeptMaps

if TYPE_CHECKING:
    from rmaunet.measurement import Confidence, Flag, Lesion, Measures

__all__ = ["Finding", "examine"]


@dataclass(frozen=True)
class Finding:
    """A scan's mask and what is said about it.

    Attributes:
        prediction: The mask and how it came about.
        measures: Volumes and intensities.
        lesions: One entry a lesion, largest first.
        flags: What is odd about scan or mask.
        sure: Ranges of volumes and each lesion's sureness, where they were asked for.
        seconds: Time of each step so far.
    """

    prediction: Prediction
    measures: Measures
    lesions: list[Lesion]
    flags: list[Flag]
    sure: Confidence | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def mask(self) -> Volume:
        """uint8 labels on the CT's own grid."""
        return self.prediction.mask

    def content(self) -> dict[str, Any]:
        """What measures.json holds."""
        from rmaunet.measurement.measure_tables import measures_content

        return measures_content(self.measures, self.lesions, self.flags, self.sure)

    def row(self) -> dict[str, Any]:
        """The scan's row of a cohort sheet."""
        from rmaunet.measurement.measure_tables import cohort_row

        return cohort_row(self.measures, self.lesions, self.flags, self.sure)

    def lines(self) -> tuple[str, ...]:
        """The same in a few lines for people."""
        from rmaunet.measurement.measure_tables import summary_lines

        return tuple(summary_lines(self.measures, self.lesions, self.flags, self.sure))

    def lesion_rows(self) -> list[dict[str, Any]] | None:
        """Rows of the lesion table with each lesion's sureness; None where that was not asked for."""
        if self.sure is None:
            return None
        from rmaunet.measurement.measure_tables import lesion_row

        return [lesion_row(one, its) for one, its in zip(self.lesions, self.sure.lesions, strict=True)]


def examine(
    scan: Scan,
    predictor: Predictor,
    *,
    confidence: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Finding:
    """Segment a scan and measure what came out.

    Args:
        scan: CT in HU with what its file said.
        predictor: Network with weights.
        confidence: Ask the weights again, at other thresholds and for warped slices.
        progress: Told (slices done, slices in all).

    Returns:
        Mask, measures, lesions, flags.

    Raises:
        UsageError: If the scan cannot be segmented within the memory allowed.
    """
    kept = KeptMaps(axial(scan.volume).spatial_shape) if confidence else None
    prediction = predictor.predict(scan.volume, progress=progress, watch=kept.watch if kept else None)
    began = time.perf_counter()
    from rmaunet.measurement import lesion_table, measure, quality_flags

    measures, lesions = measure(scan.volume, prediction.mask), lesion_table(scan.volume, prediction.mask)
    thickness = scan.slice_thickness_mm
    flags = quality_flags(scan.volume, prediction.mask, measures, lesions, slice_thickness_mm=thickness)
    seconds = prediction.seconds | {"measure": time.perf_counter() - began}
    if kept is None:
        return Finding(prediction, measures, lesions, flags, seconds=seconds)
    began = time.perf_counter()
    from rmaunet.cohort.scan_confidence import gauge

    sure = gauge(predictor, prediction, lesions, kept, progress=progress)
    return Finding(prediction, measures, lesions, flags, sure, seconds | {"confidence": time.perf_counter() - began})
