"""Result of segmenting one scan: mask, measures, lesions, flags, uncertainty.

Libraries that measure are imported once there is a mask: the first slice does not wait for SciPy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rmaunet.core.volume import axial
from rmaunet.core.volume.mask import Mask
from rmaunet.io.scan import Scan
from rmaunet.predict import ModelCard, Prediction, Predictor
from rmaunet.predict.probability_store import KeptMaps

if TYPE_CHECKING:
    from rmaunet.measurement import Confidence, Flag, Lesion, Measurement, Measures

__all__ = ["Result", "analyze"]


@dataclass(frozen=True, repr=False)
class Result:
    """Mask of a scan and its measurements.

    Attributes:
        scan: The CT.
        card: Model card of the weights.
        prediction: The mask with times and memory.
        measured: Measures, lesions, flags, confidence.
        seconds: Time of each step.
    """

    scan: Scan
    card: ModelCard
    prediction: Prediction
    measured: Measurement
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def mask(self) -> Mask:
        """uint8 labels (0 background, 1 liver, 2 tumor) on the CT's own grid."""
        return Mask.of(self.prediction.mask)

    @property
    def measures(self) -> Measures:
        """Volumes and intensities."""
        return self.measured.measures

    @property
    def lesions(self) -> list[Lesion]:
        """One entry per lesion, largest first."""
        return self.measured.lesions

    @property
    def flags(self) -> list[Flag]:
        """Warnings about scan or mask."""
        return self.measured.flags

    @property
    def confidence(self) -> Confidence | None:
        """Volume ranges and confidence of each lesion; None if not requested."""
        return self.measured.confidence

    def save(self, path: str | Path) -> Path:
        """Write the mask; the suffix chooses the format.

        Args:
            path: NAME.nii.gz, NAME.seg.nrrd, or NAME.dcm for a DICOM SEG of a scan read from DICOM.

        Returns:
            The path.

        Raises:
            OutputError: If it cannot be written.
            UsageError: If the suffix is unknown, or a DICOM SEG is requested for a scan that is not DICOM.
        """
        from rmaunet.io import write_mask

        write_mask(self.mask, Path(path), like=self.scan)
        return Path(path)

    def report(self, path: str | Path) -> Path:
        """Write a self-contained HTML report without text that identifies the patient.

        Args:
            path: NAME.html.

        Returns:
            The path.

        Raises:
            OutputError: If it cannot be written.
        """
        from rmaunet.report import write_report

        write_report(
            self.scan.volume,
            self.mask,
            Path(path),
            title=self.scan.name,
            facts=self.weights_facts(),
            measured=self.measured,
        )
        return Path(path)

    def weights_facts(self) -> dict[str, str]:
        """Name, identity and licence of the weights, for reports."""
        card = self.card
        return {"Weights": f"{card.name}, identity {card.identity[:12]}", "Licence of the weights": card.licence}

    def __repr__(self) -> str:
        count = len(self.lesions)
        return (
            f"<Result {self.scan.name}: liver {self.measures.liver_ml:.0f} ml, tumor {self.measures.tumor_ml:.1f} ml in "
            f"{count} lesion{'' if count == 1 else 's'}, {len(self.flags)} flags>"
        )

    def _repr_html_(self) -> str:
        from rmaunet.core.volume.preview import preview_html

        return preview_html("\n".join([self.scan.name, *self.measured.lines()]), ct=self.scan.volume, mask=self.mask)


def analyze(
    scan: Scan,
    predictor: Predictor,
    *,
    confidence: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Result:
    """Segment a scan and measure the mask.

    Args:
        scan: CT in HU.
        predictor: Network with weights.
        confidence: If True, estimate uncertainty from other thresholds and test-time augmentation.
        progress: Called with (slices_done, slices_total).

    Returns:
        Mask, measures, lesions, flags.

    Raises:
        UsageError: If the scan cannot be segmented within the memory allowed.
    """
    kept = KeptMaps(axial(scan.volume).spatial_shape) if confidence else None
    prediction = predictor.predict(scan.volume, progress=progress, watch=kept.watch if kept else None)
    began = time.perf_counter()
    from rmaunet.measurement import measure_mask

    measured = measure_mask(prediction.mask, scan.volume, slice_thickness_mm=scan.slice_thickness_mm)
    seconds = prediction.seconds | {"measure": time.perf_counter() - began}
    if kept is not None:
        began = time.perf_counter()
        from rmaunet.cohort.scan_confidence import estimate_confidence

        confidence_found = estimate_confidence(predictor, prediction, measured.lesions, kept, progress=progress)
        measured = measured.with_confidence(confidence_found)
        seconds["confidence"] = time.perf_counter() - began
    return Result(scan, predictor.card, prediction, measured, seconds)
