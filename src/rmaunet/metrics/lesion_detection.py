"""Lesions found and missed: connected components of two tumor masks, matched as the LiTS challenge means it.

1. A lesion is a connected component, by default of the 6-neighbourhood (faces), as in the challenge.
2. Reference lesions that one predicted lesion bridges become one group: each reference lesion goes to the predicted lesion
   that covers most of it, and those that went to the same one are merged.
3. Each predicted lesion goes to the group it overlaps most; those on one group are merged.
4. A group is detected if the intersection over union of its two sides is greater (not equal) than a threshold.
5. True positives are detected groups; the other predicted lesions are false positives and the other reference lesions
   false negatives: precision = groups / predicted lesions, recall = groups / reference lesions. A bridge over two
   lesions is thus one hit and one miss, a lesion predicted in two pieces one hit and one false alarm.

The challenge's program, as it was published, departs from this in two places (a failed group is subtracted once for every
reference lesion merged into it; the union is taken from masks half relabelled), so its detection figures are not
reproduced digit for digit. Ties go to the lesion that comes first in the array.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cc3d
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.volume.box import union_box
from rmaunet.metrics.conventions import Connectivity

__all__ = ["STRATA", "Lesion", "LesionMatch", "equivalent_diameter_mm", "match_lesions", "stratum"]

Mask = NDArray[np.bool_]
Integers = NDArray[np.integer]
Floats = NDArray[np.float64]

STRATA = ("under_10mm", "10_to_20mm", "over_20mm")
"""Names of the size classes of a lesion, by equivalent diameter; 10 and 20 mm themselves belong to the middle one."""


@dataclass(frozen=True)
class Lesion:
    """One connected component of the reference or of the prediction, and what its group on the other side is like.

    Attributes:
        side: "reference" or "prediction".
        number: 1, 2, ... on its side.
        group: Number of the group it belongs to, from 1; lesions of both sides with one number were matched. 0 for a
            predicted lesion that touches no reference lesion.
        voxels: Its size.
        volume_ml: Its volume.
        diameter_mm: Diameter of the ball of the same volume.
        iou: Intersection over union of its group, 0 if nothing matched.
        dice: Dice of its group, 0 if nothing matched.
    """

    side: Literal["reference", "prediction"]
    number: int
    group: int
    voxels: int
    volume_ml: float
    diameter_mm: float
    iou: float
    dice: float

    def detected(self, threshold: float = 0.5) -> bool:
        """Whether its group's IoU is greater than the threshold."""
        return self.iou > threshold


@dataclass(frozen=True)
class LesionMatch:
    """All lesions of a case.

    Attributes:
        lesions: Reference lesions first, then predicted ones.
    """

    lesions: tuple[Lesion, ...]

    @property
    def reference(self) -> tuple[Lesion, ...]:
        """Lesions of the reference."""
        return tuple(lesion for lesion in self.lesions if lesion.side == "reference")

    @property
    def prediction(self) -> tuple[Lesion, ...]:
        """Lesions of the prediction."""
        return tuple(lesion for lesion in self.lesions if lesion.side == "prediction")

    def true_positives(self, threshold: float = 0.5) -> int:
        """Groups whose IoU is greater than the threshold."""
        return len({lesion.group for lesion in self.reference if lesion.detected(threshold)})

    def precision(self, threshold: float = 0.5) -> float:
        """Detected groups over predicted lesions; NaN if nothing was predicted."""
        return self.true_positives(threshold) / len(self.prediction) if self.prediction else math.nan

    def recall(self, threshold: float = 0.5) -> float:
        """Detected groups over reference lesions; NaN if there is none."""
        return self.true_positives(threshold) / len(self.reference) if self.reference else math.nan

    @property
    def mean_dice(self) -> float:
        """Mean over reference lesions of their group's dice, a missed lesion giving 0; NaN if there is none."""
        return float(np.mean([lesion.dice for lesion in self.reference])) if self.reference else math.nan

    def in_stratum(self, name: str) -> tuple[Lesion, ...]:
        """Reference lesions of one size class of :data:`STRATA`."""
        return tuple(lesion for lesion in self.reference if stratum(lesion.diameter_mm) == name)


def equivalent_diameter_mm(volume_ml: float) -> float:
    """Diameter of the ball of a given volume, in mm.

    Example:
        >>> round(equivalent_diameter_mm(4.18879), 3)  # a ball of radius 10 mm
        20.0
    """
    return float(np.cbrt(6.0 * volume_ml * 1000.0 / math.pi))


def stratum(diameter_mm: float) -> str:
    """The size class of :data:`STRATA` that a lesion's diameter belongs to.

    Example:
        >>> [stratum(d) for d in (9.9, 10.0, 20.0, 20.1)]
        ['under_10mm', '10_to_20mm', '10_to_20mm', 'over_20mm']
    """
    if diameter_mm < 10:
        return STRATA[0]
    return STRATA[1] if diameter_mm <= 20 else STRATA[2]


def match_lesions(
    reference: Mask, prediction: Mask, spacing_mm: Sequence[float], *, connectivity: Connectivity = 6
) -> LesionMatch:
    """Find the lesions of two masks and match them.

    Args:
        reference: Boolean (D, H, W), the tumor of the reference.
        prediction: Boolean (D, H, W), the tumor of the prediction.
        spacing_mm: Voxel spacing along d, h, w in mm.
        connectivity: 6 (voxels sharing a face) or 26 (also an edge or a corner).

    Returns:
        Every lesion with its group.

    Raises:
        ValueError: If the shapes differ.

    Reference:
        Bilic et al. 2023, "The Liver Tumor Segmentation Benchmark (LiTS)".

    Example:
        >>> reference, prediction = np.zeros((2, 1, 1, 9), bool)
        >>> reference[..., 0:4], prediction[..., 1:4], prediction[..., 8] = True, True, True
        >>> found = match_lesions(reference, prediction, (1.0, 1.0, 1.0))
        >>> found.reference[0].iou, found.precision(), found.recall()
        (0.75, 0.5, 1.0)
    """
    if reference.shape != prediction.shape:
        raise ValueError(f"shapes {reference.shape} and {prediction.shape} differ; give masks on one grid")
    box = union_box(reference, prediction)
    first, first_voxels = _components(reference[box], connectivity)
    second, second_voxels = _components(prediction[box], connectivity)
    groups, members, shared = _match(first, second, first_voxels.size, second_voxels.size)
    sizes = _summed(groups, first_voxels, shared.size) + _summed(members, second_voxels, shared.size)
    share = _Share(shared, sizes, float(np.prod(np.asarray(spacing_mm, dtype=float))) / 1000.0)
    return LesionMatch(
        (
            *(share.lesion("reference", i, int(groups[i]), int(first_voxels[i])) for i in range(groups.size)),
            *(share.lesion("prediction", i, int(members[i]), int(second_voxels[i])) for i in range(members.size)),
        )
    )


@dataclass(frozen=True)
class _Share:
    """What the groups (index 0: none) share, and the size of both sides together."""

    shared: Floats
    sizes: Floats
    voxel_ml: float

    def lesion(self, side: Literal["reference", "prediction"], index: int, group: int, voxels: int) -> Lesion:
        shared = float(self.shared[group]) if group else 0.0
        both = float(self.sizes[group]) if group else 1.0
        volume = voxels * self.voxel_ml
        diameter = equivalent_diameter_mm(volume)
        return Lesion(side, index + 1, group, voxels, volume, diameter, shared / (both - shared), 2 * shared / both)


def _components(mask: Mask, connectivity: Connectivity) -> tuple[Integers, Integers]:
    """Component numbers (0 outside) and the size of each."""
    if not mask.any():
        return np.zeros(mask.shape, np.int64), np.zeros(0, np.int64)
    labels = np.asarray(cc3d.connected_components(np.ascontiguousarray(mask), connectivity=connectivity))
    return labels, np.bincount(labels.ravel())[1:]


def _match(first: Integers, second: Integers, rows: int, columns: int) -> tuple[Integers, Integers, Floats]:
    """Group of each reference lesion (from 1), of each predicted lesion (0: none), and voxels shared in each group."""
    members = np.zeros(columns, np.int64)
    both = (first > 0) & (second > 0)
    if not both.any():
        return np.arange(1, rows + 1), members, np.zeros(rows + 1)
    # Only predicted lesions that touch a reference lesion get a column: a noisy mask has a great many that do not.
    touching, column = np.unique(second[both], return_inverse=True)
    pairs = (first[both].astype(np.int64) - 1) * touching.size + column.reshape(-1)
    table = np.bincount(pairs, minlength=rows * touching.size).reshape(rows, touching.size)
    # A reference lesion is known by the prediction that covers most of it; an untouched one stays alone.
    key = np.where(table.any(axis=1), table.argmax(axis=1), touching.size + np.arange(rows))
    groups = np.unique(key, return_inverse=True)[1].reshape(rows) + 1
    merged = np.zeros((groups.max() + 1, touching.size), np.int64)
    np.add.at(merged, groups, table)
    best = merged.argmax(axis=0)
    members[touching.astype(np.int64) - 1] = best
    return groups, members, _summed(best, merged[best, np.arange(touching.size)], merged.shape[0])


def _summed(group: Integers, voxels: Integers, length: int) -> Floats:
    """Voxels of each group; index 0 gathers what belongs to none."""
    return np.asarray(np.bincount(group, weights=voxels, minlength=length), dtype=float)
