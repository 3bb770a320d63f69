"""Do the masks of another runtime, another precision or a search over slices equal those of PyTorch in float32?

A runtime is accepted when, over the cases together, its masks agree with the reference's with a Dice of at least 0.999 for
liver and 0.99 for tumor, and no case's Dice against its reference mask changes by more than 0.002. A single
differing voxel is ignored: float32 in another order resolves ties differently, and one voxel of a tumor of 120 is
0.004 of Dice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import UsageError
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import axial
from rmaunet.datasets.case import Case
from rmaunet.datasets.load_case import load_case
from rmaunet.metrics.overlap_metrics import Counts, count_overlap, dice
from rmaunet.predict import Predictor, Weights

__all__ = ["LARGEST_CHANGE", "LIVER_DICE", "TUMOR_DICE", "Way", "compare_ways", "verdicts"]

LIVER_DICE, TUMOR_DICE, LARGEST_CHANGE = 0.999, 0.99, 0.002
Mask = NDArray[np.uint8]
_MASKS: dict[str, Callable[[Mask], NDArray[np.bool_]]] = {"liver": liver_mask, "tumor": tumor_mask}


@dataclass(frozen=True)
class Way:
    """One way to a mask.

    Attributes:
        runtime: "torch", "openvino" or "onnxruntime".
        precision: "float32", "bfloat16" or "int8".
        all_slices: Whether every slice is computed.
    """

    runtime: str
    precision: str
    all_slices: bool = True

    @property
    def name(self) -> str:
        """In words, for tables."""
        return f"{self.runtime} {self.precision}" + ("" if self.all_slices else ", search")


REFERENCE = Way("torch", "float32")


def compare_ways(
    cases: Sequence[Case], weights: Weights, ways: Sequence[Way], *, say: Callable[[str], None] = lambda _: None
) -> Iterator[dict[str, Any]]:
    """Segment every case each way and count.

    Args:
        cases: With reference masks.
        weights: Trained.
        ways: Runtimes to compare with PyTorch in float32 over all slices; unusable ones are reported and skipped.
        say: Called with progress messages.

    Yields:
        One row per case and runtime: voxel counts of the two masks and their overlap, Dice of both against the case's
        reference,
        slices computed and reference liver slices that were not.
    """
    reference = _predictor(weights, REFERENCE)
    others: dict[Way, Predictor] = {}
    for way in ways:
        try:
            others[way] = _predictor(weights, way)
        except UsageError as error:
            say(f"left out: {way.name}: {error.problem}")
    for case in cases:
        scan, truth_volume = load_case(case)
        truth = np.asarray(axial(truth_volume).array)
        mine = np.asarray(axial(reference.predict(scan.volume).mask).array)
        for way, predictor in others.items():
            seen: set[int] = set()
            prediction = predictor.predict(scan.volume, watch=None if way.all_slices else _noting(seen))
            theirs = np.asarray(axial(prediction.mask).array)
            row = {"case": case.name, "way": way.name, "slices": len(truth), "computed": prediction.computed}
            row["liver_slices_lost"] = 0 if way.all_slices else _lost(truth, seen)
            row["voxels_different"] = int(np.count_nonzero(mine != theirs))
            yield row | _counts(truth, mine, theirs)
            say(
                f"{case.name} {way.name}: {row['voxels_different']} voxels differ, {prediction.computed}/{len(truth)} slices"
            )


def _predictor(weights: Weights, way: Way) -> Predictor:
    return Predictor(
        weights,
        runtime=way.runtime,  # type: ignore[arg-type]
        precision=way.precision,  # type: ignore[arg-type]
        device="cpu",
        all_slices=way.all_slices,
    )


def _noting(seen: set[int]) -> Callable[[int, NDArray[np.float32]], None]:
    def watch(index: int, _: NDArray[np.float32]) -> None:
        seen.add(index)

    return watch


def _lost(truth: Mask, seen: set[int]) -> int:
    return len(set(np.flatnonzero(truth.any(axis=(1, 2))).tolist()) - seen)


def _counts(truth: Mask, mine: Mask, theirs: Mask) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for organ, mask_of in _MASKS.items():
        both = count_overlap(mask_of(mine), mask_of(theirs))
        row |= {
            f"{organ}_torch": both.reference,
            f"{organ}_way": both.prediction,
            f"{organ}_both": both.intersection,
            f"{organ}_dice_torch": dice(count_overlap(mask_of(truth), mask_of(mine))),
            f"{organ}_dice_way": dice(count_overlap(mask_of(truth), mask_of(theirs))),
        }
    return row


def verdicts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pooled agreement of each way and whether it is accepted.

    Args:
        rows: From :func:`compare_ways`, or its CSV (numbers may be text; an empty cell is an undefined Dice).

    Returns:
        One row a way, in order of appearance.
    """
    result = []
    for way in dict.fromkeys(row["way"] for row in rows):
        mine = [row for row in rows if row["way"] == way]
        pooled = {organ: _pooled(mine, organ) for organ in _MASKS}
        judged = [(_change(row, organ), _between(row, organ)) for row in mine for organ in _MASKS]
        agrees = pooled["liver"] >= LIVER_DICE and pooled["tumor"] >= TUMOR_DICE
        keeps = all(change <= LARGEST_CHANGE or both.union - both.intersection <= 1 for change, both in judged)
        slices, computed = (sum(int(row[key]) for row in mine) for key in ("slices", "computed"))
        result.append(
            {
                "way": way,
                "cases": len(mine),
                "liver_dice": pooled["liver"],
                "tumor_dice": pooled["tumor"],
                "largest_change": max(change for change, _ in judged),
                "voxels_different": sum(int(row["voxels_different"]) for row in mine),
                "slices_computed": computed / slices,
                "liver_slices_lost": sum(int(row["liver_slices_lost"]) for row in mine),
                "accepted": agrees and keeps,
            }
        )
    return result


def _pooled(rows: Sequence[dict[str, Any]], organ: str) -> float:
    return dice(sum((_between(row, organ) for row in rows), Counts(0, 0, 0)))


def _between(row: dict[str, Any], organ: str) -> Counts:
    """Overlap of the two masks of a case."""
    return Counts(*(int(row[f"{organ}_{key}"]) for key in ("torch", "way", "both")))


def _change(row: dict[str, Any], organ: str) -> float:
    """Change of Dice against the case's reference; undefined counts as 1, as for two empty masks."""
    texts = (row[f"{organ}_dice_torch"], row[f"{organ}_dice_way"])
    before, after = (1.0 if text == "" else float(text) for text in texts)
    return abs(after - before)
