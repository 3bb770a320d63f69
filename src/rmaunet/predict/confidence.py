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

from rmaunet.predict.postprocess import Postprocessing, labels_from_probabilities, postprocess
from rmaunet.predict.predictor import Predictor
from rmaunet.predict.tta import WARPS, Warp, Warped
from rmaunet.preprocess import Prepared

__all__ = ["STEPS", "KeptMaps", "Variant", "augmented", "rethresholded"]

STEPS = (-0.2, -0.1, 0.1, 0.2)
"""Added to both thresholds of the weights; 0.5 becomes 0.3, 0.4, 0.6, 0.7."""

LEAST, MOST = 0.05, 0.95
MARGIN_MM = 10.0
Box = tuple[slice, slice]


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


class KeptMaps:
    """Probabilities of a scan, kept in 8 bits where they matter. Hand :meth:`watch` to ``Predictor.predict``.

    Args:
        shape: (D, H, W) of the axial orientation.
        lowest: Probabilities up to here may be forgotten.
    """

    def __init__(self, shape: Sequence[int], *, lowest: float = LEAST) -> None:
        self.shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.lowest = lowest
        self._kept: dict[int, tuple[Box, NDArray[np.uint8]]] = {}

    def watch(self, index: int, maps: NDArray[np.float32]) -> None:
        """Keep one slice.

        Args:
            index: Of the axial slice.
            maps: Probabilities (2, H, W) of liver (with tumor) and tumor in [0, 1].
        """
        found: NDArray[np.bool_] = np.any(maps > self.lowest, axis=0)
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        if rows.size:
            box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            self._kept[index] = box, np.rint(maps[:, box[0], box[1]] * 255).astype(np.uint8)

    def plane(self, index: int) -> NDArray[np.float32]:
        """Probabilities (2, H, W) of a slice as far as they were kept, within 1/510; 0 elsewhere."""
        maps = np.zeros((2, *self.shape[1:]), np.float32)
        if index in self._kept:
            (rows, columns), kept = self._kept[index]
            maps[:, rows, columns] = kept / np.float32(255)
        return maps

    def slices(self, margin: int = 0) -> range:
        """From the first slice with anything kept to the last, and ``margin`` slices beyond, within the scan."""
        if not self._kept:
            return range(0)
        return range(max(0, min(self._kept) - margin), min(self.shape[0], max(self._kept) + margin + 1))


def rethresholded(
    maps: KeptMaps,
    settings: Postprocessing,
    *,
    spacing_mm: tuple[float, float, float],
    steps: Sequence[float] = STEPS,
) -> Iterator[Variant]:
    """Masks at other thresholds, both of them moved together.

    Args:
        maps: The plain pass's.
        settings: Of the plain pass.
        spacing_mm: (z, y, x) of the axial orientation.
        steps: Added to the thresholds, which stay within 0.05 to 0.95.

    Yields:
        One mask a step, named by its tumor threshold.
    """
    for step in steps:
        liver, tumor = (min(MOST, max(LEAST, t + step)) for t in (settings.liver_threshold, settings.tumor_threshold))
        moved = replace(settings, liver_threshold=liver, tumor_threshold=tumor)
        labels = np.zeros(maps.shape, np.uint8)
        for index in maps.slices():
            labels[index] = labels_from_probabilities(maps.plane(index), moved)
        yield Variant("threshold", f"{tumor:.2g}", postprocess(labels, moved, spacing_mm=spacing_mm))


def augmented(
    predictor: Predictor,
    prepared: Prepared,
    maps: KeptMaps,
    *,
    warps: Sequence[Warp] = WARPS,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[Variant]:
    """Masks of warped passes.

    Args:
        predictor: The plain pass's.
        prepared: The CT as the network saw it in the plain pass.
        maps: The plain pass's; slices more than 10 mm beyond those it kept are not looked at again.
        warps: One pass each.
        progress: Told (slices done, slices in all passes).

    Yields:
        One mask a warp.
    """
    spacing_mm = prepared.ct.spacing
    slices = maps.slices(int(np.ceil(MARGIN_MM / spacing_mm[0])))
    for number, warp in enumerate(warps):
        runtime = Warped(predictor.runtime, warp)
        labels = np.zeros(prepared.ct.spatial_shape, np.uint8)
        for index, native in _probabilities(runtime, prepared, slices, predictor.batch):
            labels[index] = labels_from_probabilities(native, predictor.postprocessing)
            progress(number * len(slices) + index - slices.start + 1, len(warps) * len(slices))
        postprocess(labels, predictor.postprocessing, spacing_mm=spacing_mm)
        yield Variant("augmentation", warp.name, labels)


def _probabilities(
    runtime: Warped, prepared: Prepared, slices: range, batch: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Index and native probabilities (2, H, W) of each slice."""
    for start in range(slices.start, slices.stop, batch):
        stop = min(start + batch, slices.stop)
        for index, maps in enumerate(runtime(prepared.slices(start, stop)), start=start):
            yield index, prepared.grid.backward(maps)
