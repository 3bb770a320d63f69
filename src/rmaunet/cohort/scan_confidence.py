"""Uncertainty of a scan: masks at other thresholds and of augmented passes, measured one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rmaunet.measurement import Lesion
from rmaunet.measurement.confidence import Confidence, ConfidenceMeter
from rmaunet.predict import Prediction, Predictor
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.uncertainty import augmented, rethresholded

__all__ = ["estimate_confidence"]


def estimate_confidence(
    predictor: Predictor,
    prediction: Prediction,
    lesions: Sequence[Lesion],
    kept: KeptMaps,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Confidence:
    """Compare the mask with masks at other thresholds and of augmented passes.

    Args:
        predictor: Predictor that made the mask.
        prediction: The mask and the prepared CT.
        lesions: Lesion table of the mask.
        kept: Probabilities of the plain pass.
        progress: Called with (slices_done, slices_total) over all augmented passes.

    Returns:
        Volume ranges and the numbers of each lesion, over four other thresholds and five augmented passes.
    """
    meter = ConfidenceMeter(prediction.mask, lesions)
    for variant in rethresholded(kept, predictor.postprocessing, ct=prediction.prepared.ct):
        meter.add(variant.kind, variant.name, variant.labels)
    for variant in augmented(predictor, prediction, kept, progress=progress):
        meter.add(variant.kind, variant.name, variant.labels)
    return meter.result(kept.plane)
