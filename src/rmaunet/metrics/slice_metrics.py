"""The overlap metrics slice by slice, as some papers average them: large slices and small ones count alike."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import Volume
from rmaunet.metrics.case_metrics import align
from rmaunet.metrics.conventions import Convention
from rmaunet.metrics.overlap_metrics import Counts, dice, rvd, voe

__all__ = ["SliceResult", "evaluate_slices"]


@dataclass(frozen=True, kw_only=True)
class SliceResult:
    """One axial slice of one case.

    Attributes:
        name: The case.
        slice: Index from the feet, from 0.
        liver_dice: Over this slice; so for ``voe`` and ``rvd``, and for the tumor.
        liver_reference_voxels: Voxels in the reference, so for the prediction and the tumor.
    """

    name: str
    slice: int
    liver_dice: float
    liver_voe: float
    liver_rvd: float
    tumor_dice: float
    tumor_voe: float
    tumor_rvd: float
    liver_reference_voxels: int
    liver_prediction_voxels: int
    tumor_reference_voxels: int
    tumor_prediction_voxels: int

    def row(self) -> dict[str, Any]:
        """One table row."""
        return asdict(self)


def evaluate_slices(
    reference: Volume,
    prediction: Volume,
    *,
    name: str,
    paper_slices: bool = False,
    convention: Convention = "nnunet",
) -> list[SliceResult]:
    """Score every axial slice of one case.

    Args:
        reference: Labels 0, 1, 2 in any orientation.
        prediction: The same labels on the same voxel positions.
        name: What the case is called.
        paper_slices: Only slices on which the reference has liver.
        convention: Values for slices that are empty in both; NaN by default, since most slices of a scan are empty and a
            1 for each would make any mean meaningless.

    Returns:
        One result a slice, from the feet up.

    Raises:
        InputError: If the grids differ.
    """
    first, second = align(reference, prediction, name=name)
    truth, guess = np.asarray(first.array), np.asarray(second.array)
    columns = {}
    for organ, mask in (("liver", liver_mask), ("tumor", tumor_mask)):
        one, other = mask(truth), mask(guess)
        counted = [np.count_nonzero(part, axis=(1, 2)) for part in (one, other, one & other)]
        columns[organ] = [Counts(*(int(n) for n in numbers)) for numbers in zip(*counted, strict=True)]
    return [
        SliceResult(
            name=name,
            slice=index,
            **_organ("liver", liver, convention),
            **_organ("tumor", tumor, convention),
        )
        for index, (liver, tumor) in enumerate(zip(columns["liver"], columns["tumor"], strict=True))
        if liver.reference or not paper_slices
    ]


def _organ(organ: str, counts: Counts, convention: Convention) -> dict[str, Any]:
    return {
        f"{organ}_dice": dice(counts, convention=convention),
        f"{organ}_voe": voe(counts, convention=convention),
        f"{organ}_rvd": rvd(counts),
        f"{organ}_reference_voxels": counts.reference,
        f"{organ}_prediction_voxels": counts.prediction,
    }
