"""How sure: what other answers of the same weights make of the volumes, and of each lesion.

A mask is compared with variants of itself (other thresholds, warped passes, see :mod:`rmaunet.predict.uncertainty`), which
are shown one by one. The intervals made here are ranges: the smallest and the largest volume that any of these answers
gives. They are **no confidence intervals**: they know nothing of errors that all answers share, such as a lesion that
the weights never see, and no coverage is promised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import Volume, axial, voxel_volume_ml
from rmaunet.measurement.lesion_numbering import Box, numbered_lesions, parts_of
from rmaunet.measurement.lesions import Lesion

__all__ = ["INTERVAL", "Confidence", "ConfidenceMeter", "LesionConfidence", "Range"]

INTERVAL = "smallest and largest over the thresholds and passes named; a range, not a confidence interval"
Range = tuple[float, float]
Labels = NDArray[np.generic]


@dataclass(frozen=True)
class LesionConfidence:
    """How sure of one lesion.

    Attributes:
        id: The lesion's.
        mean_probability: Mean of its voxels' tumor probability in the plain pass.
        volume_ml: Its smallest and largest volume over all answers. In an answer a lesion is what is connected with its
            voxels there, other lesions of the mask left out; 0 where the answer has no tumor in its place.
        threshold_stability: Its smallest volume over the thresholds as a share of its largest: 1 where the probability falls
            off at its border at once, 0 where the lesion is gone at the highest threshold. NaN without other thresholds.
        found_share: Share of the warped passes with a tumor voxel in its place. NaN without warped passes.
    """

    id: int
    mean_probability: float
    volume_ml: Range
    threshold_stability: float
    found_share: float

    def to_row(self) -> dict[str, Any]:
        """As columns of a lesion's row."""
        low, high = self.volume_ml
        return {
            "mean_probability": self.mean_probability, "volume_low_ml": low, "volume_high_ml": high,
            "threshold_stability": self.threshold_stability, "found_share": self.found_share,
        }  # fmt: skip


@dataclass(frozen=True)
class Confidence:
    """How sure of one scan.

    Attributes:
        thresholds: The other tumor thresholds, as named.
        passes: The warped passes.
        liver_ml: Range of the liver's volume (with tumor) over all answers, the plain one included; likewise the others.
        tumor_ml: Of the tumor's.
        burden_percent: Of tumor / liver with tumor; NaN where no answer has a liver.
        lesion_count: Fewest and most lesions.
        lesions: One entry a lesion of the mask, by id.
    """

    thresholds: tuple[str, ...]
    passes: tuple[str, ...]
    liver_ml: Range
    tumor_ml: Range
    burden_percent: Range
    lesion_count: tuple[int, int]
    lesions: tuple[LesionConfidence, ...]

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, ready for JSON."""
        return {"interval": INTERVAL, **asdict(self)}

    def to_row(self) -> dict[str, Any]:
        """As columns of a cohort's row."""
        return {
            "liver_low_ml": self.liver_ml[0], "liver_high_ml": self.liver_ml[1],
            "tumor_low_ml": self.tumor_ml[0], "tumor_high_ml": self.tumor_ml[1],
            "burden_low_percent": self.burden_percent[0], "burden_high_percent": self.burden_percent[1],
            "lesions_low": self.lesion_count[0], "lesions_high": self.lesion_count[1],
        }  # fmt: skip


class ConfidenceMeter:
    """Gathers what variants of a mask say; holds the lesions' labels and a few numbers a variant.

    Args:
        mask: Labels {0, 1, 2}, any orientation: the plain answer.
        lesions: Its lesion table.
    """

    def __init__(self, mask: Volume, lesions: Sequence[Lesion]) -> None:
        labels = axial(mask)
        self._voxel_ml = voxel_volume_ml(labels)
        self._count = len(lesions)
        self._box, self._ids = numbered_lesions(labels)
        self._names: dict[str, list[str]] = {"threshold": [], "augmentation": []}
        self._volumes: dict[str, list[NDArray[np.float64]]] = {"threshold": [], "augmentation": []}
        self._found: list[NDArray[np.bool_]] = []
        self._plain = np.array([one.volume_ml for one in lesions])
        self._whole: list[tuple[int, int, int]] = []
        self._look(labels.array)

    def add(self, kind: str, name: str, labels: Labels) -> None:
        """Take in another answer.

        Args:
            kind: "threshold" or "augmentation".
            name: Which.
            labels: {0, 1, 2} (D, H, W), axial orientation.
        """
        self._names[kind].append(name)
        sizes, found = self._look(labels)
        self._volumes[kind].append(sizes * self._voxel_ml)
        if kind == "augmentation":
            self._found.append(found)

    def result(self, plane: Callable[[int], NDArray[np.float32]]) -> Confidence:
        """What came of it.

        Args:
            plane: From the index of an axial slice to the plain pass's probabilities (2, H, W).

        Returns:
            Ranges, and each lesion's numbers.
        """
        liver, tumor, count = (np.array(column) for column in zip(*self._whole, strict=True))
        burden = 100.0 * tumor[liver > 0] / liver[liver > 0]
        return Confidence(
            thresholds=tuple(self._names["threshold"]),
            passes=tuple(self._names["augmentation"]),
            liver_ml=_range(liver * self._voxel_ml),
            tumor_ml=_range(tumor * self._voxel_ml),
            burden_percent=_range(burden),
            lesion_count=(int(count.min()), int(count.max())),
            lesions=tuple(self._lesions(self._mean_probabilities(plane))),
        )

    def _lesions(self, probabilities: NDArray[np.float64]) -> list[LesionConfidence]:
        moved = np.array([self._plain, *self._volumes["threshold"]])
        every = np.array([*moved, *self._volumes["augmentation"]])
        made = []
        for i in range(self._count):
            stability = float(moved[:, i].min() / moved[:, i].max()) if len(moved) > 1 else math.nan
            found = float(np.mean([one[i] for one in self._found])) if self._found else math.nan
            made.append(LesionConfidence(i + 1, float(probabilities[i]), _range(every[:, i]), stability, found))
        return made

    def _look(self, labels: Labels) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """For each lesion: voxels of an answer that are connected with it, and whether there are any in its place."""
        tumor = tumor_mask(labels)
        own = ndimage.find_objects(tumor.astype(np.uint8)) or [self._box]
        box = _around(own[0], self._box)
        parts, sizes = parts_of(tumor[box])
        liver = int(np.count_nonzero(liver_mask(labels)))
        self._whole.append((liver, int(sizes[1:].sum()), len(sizes) - 1))
        within = parts[tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(self._box, box, strict=True))]
        shared = (within > 0) & (self._ids > 0)
        # How many voxels each lesion has in each part of the answer; lesions and parts are numbered from 1.
        pairs = self._ids[shared].astype(np.int64) * len(sizes) + within[shared]
        pairs, counts = np.unique(pairs, return_counts=True)
        lesion, part = pairs // len(sizes) - 1, pairs % len(sizes)
        taken = np.bincount(part, weights=counts, minlength=len(sizes))
        voxels = np.bincount(lesion, weights=sizes[part] - taken[part] + counts, minlength=self._count).astype(
            np.float64
        )
        return voxels, np.bincount(lesion, minlength=self._count) > 0

    def _mean_probabilities(self, plane: Callable[[int], NDArray[np.float32]]) -> NDArray[np.float64]:
        total, voxels = np.zeros(self._count + 1), np.zeros(self._count + 1)
        for index, ids in enumerate(self._ids, start=self._box[0].start):
            if ids.any():
                tumor = plane(index)[1][self._box[1:]]
                total += np.bincount(ids.ravel(), weights=tumor.ravel(), minlength=self._count + 1)
                voxels += np.bincount(ids.ravel(), minlength=self._count + 1)
        return np.asarray(total[1:] / voxels[1:])


def _range(values: NDArray[np.floating]) -> Range:
    return (float(values.min()), float(values.max())) if values.size else (math.nan, math.nan)


def _around(one: Box, other: Box) -> Box:
    """The smallest box that holds both; of which one may be empty."""
    if not one[0].stop > one[0].start or not other[0].stop > other[0].start:
        return one if one[0].stop > one[0].start else other
    return tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
