"""The other answers that the same weights could have given: at other thresholds, and for warped slices.

The plain pass is watched, and its probabilities are kept in 8 bits, for each slice only where they are above the
lowest threshold asked for. From them come the masks of other thresholds without running the network again; the warped
passes run it anew, on the slices where the plain pass found anything and a little beyond. Every mask goes through the
same postprocessing as the plain one, so each is what would have been handed out. They are made one by one: memory does
not grow with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.volume import Volume
from rmaunet.predict.postprocess.clean_labels import Postprocessing, labels_from_probabilities, postprocess
from rmaunet.predict.predictor import Prediction, Predictor
from rmaunet.predict.probability_store import LEAST, KeptMaps
from rmaunet.predict.test_time_augmentation import WARPS, Warp, Warped
from rmaunet.preprocess import Prepared

__all__ = ["STEPS", "Variant", "augmented", "rethresholded"]

STEPS = (-0.2, -0.1, 0.1, 0.2)
"""Added to both thresholds of the weights, and to the peak that lesions must pass; 0.5 becomes 0.3, 0.4, 0.6, 0.7."""

MOST = 0.95
MARGIN_MM = 10.0


@dataclass(frozen=True)
class Variant:
    """Another answer.

    Attributes:
        kind: "threshold" or "augmentation".
        name: Which, e.g. "0.3" or "scaled by 0.92".
        labels: uint8 {0, 1, 2} (D, H, W), axial orientation.
    """

    kind: str
    name: str
    labels: NDArray[np.uint8]


def rethresholded(
    maps: KeptMaps,
    settings: Postprocessing,
    *,
    ct: Volume,
    steps: Sequence[float] = STEPS,
) -> Iterator[Variant]:
    """Masks at other thresholds, all of them moved together.

    The peak goes with the others: were it to stay, more voxels at a lower threshold would leave a smaller share that passes it.

    Args:
        maps: The plain pass's.
        settings: Of the plain pass.
        ct: What the plain pass saw, in axial orientation.
        steps: Added to the thresholds, which stay within 0.05 to 0.95.

    Yields:
        One mask a step, named by its tumor threshold.
    """
    names = ("liver_threshold", "tumor_threshold", *(["tumor_peak"] if settings.tumor_peak > 0 else []))
    for step in steps:
        moved = replace(settings, **{name: min(MOST, max(LEAST, getattr(settings, name) + step)) for name in names})
        labels = np.zeros(maps.shape, np.uint8)
        for index in maps.slices():
            labels[index] = labels_from_probabilities(maps.plane(index), moved)
        yield Variant(
            "threshold", f"{moved.tumor_threshold:.2g}", postprocess(labels, moved, spacing_mm=ct.spacing, ct=ct.array)
        )


def augmented(
    predictor: Predictor,
    prediction: Prediction,
    maps: KeptMaps,
    *,
    warps: Sequence[Warp] = WARPS,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Variant]:
    """Masks of warped passes.

    Args:
        predictor: The plain pass's.
        prediction: The plain pass's. Where another network's probabilities are mixed in, they are those of that pass.
        maps: The plain pass's; slices more than 10 mm beyond those it kept are not looked at again.
        warps: One pass each.
        progress: Told (slices done, slices in all passes).

    Yields:
        One mask a warp.
    """
    prepared, mix = prediction.prepared, prediction.mix
    ct = prepared.ct
    slices = maps.slices(int(np.ceil(MARGIN_MM / ct.spacing[0])))
    for number, warp in enumerate(warps):
        runtime = Warped(predictor.runtime, warp)
        labels = np.zeros(ct.spatial_shape, np.uint8)
        for index, native in _probabilities(runtime, prepared, slices, predictor.compute.batch):
            mixed = mix(index, native) if mix else native
            labels[index] = labels_from_probabilities(mixed, predictor.postprocessing)
            progress(number * len(slices) + index - slices.start + 1, len(warps) * len(slices))
        postprocess(labels, predictor.postprocessing, spacing_mm=ct.spacing, ct=ct.array)
        yield Variant("augmentation", warp.name, labels)


def _probabilities(
    runtime: Warped, prepared: Prepared, slices: range, batch: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Index and native probabilities (2, H, W) of each slice."""
    for start in range(slices.start, slices.stop, batch):
        stop = min(start + batch, slices.stop)
        for index, maps in enumerate(runtime(prepared.slices(start, stop)), start=start):
            yield index, prepared.grid.backward(maps)
