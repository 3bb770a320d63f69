"""How sure the weights are of a scan: their other answers, made and measured one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rmaunet.measurement import Lesion
from rmaunet.measurement.confidence import Confidence, ConfidenceMeter
from rmaunet.predict import Prediction, Predictor
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.uncertainty import augmented, rethresholded

__all__ = ["gauge"]


def gauge(
    predictor: Predictor,
    prediction: Prediction,
    lesions: Sequence[Lesion],
    kept: KeptMaps,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Confidence:
    """Ask the weights again and compare.

    Args:
        predictor: Made the mask.
        prediction: The mask and what the network saw.
        lesions: The mask's lesion table.
        kept: The probabilities behind the mask, watched in the plain pass.
        progress: Told (slices done, slices in all warped passes).

    Returns:
        Ranges of the volumes, and each lesion's numbers. Four other thresholds and five warped passes.
    """
    meter = ConfidenceMeter(prediction.mask, lesions)
    for variant in rethresholded(kept, predictor.postprocessing, ct=prediction.prepared.ct):
        meter.add(variant.kind, variant.name, variant.labels)
    for variant in augmented(predictor, prediction, kept, progress=progress):
        meter.add(variant.kind, variant.name, variant.labels)
    return meter.result(kept.plane)
