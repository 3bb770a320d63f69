"""A trained network's masks and numbers on its test cases; what is done and unchanged is not done again.

Beside a run's weights stand ``test-DATA/CASE.nii.gz``, the mask; ``CASE.json``, what it was made from; and
``CASE.scores.json`` (``CASE.liver-slices.json`` where only slices with liver are scored), its numbers and what they were
made from. Each names its sources by SHA-256.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rmaunet.core.errors import ModelError
from rmaunet.core.files import read_json, sha256, write_json
from rmaunet.datasets.case import Case
from rmaunet.datasets.load_case import load_case
from rmaunet.io import read_mask, write_mask
from rmaunet.metrics import CaseResult, Lesion, Scoring, evaluate_case
from rmaunet.paper.reproduce.input_hashes import Hashes
from rmaunet.paper.reproduce.plan import Run
from rmaunet.predict import Predictor, Weights, load_weights
from rmaunet.predict.compute import Compute

__all__ = ["SCORING", "Scored", "masks_folder", "score_run"]

Say = Callable[[str], None]

SCORING = Scoring()
"""What metrics mean in every table made here."""


@dataclass(frozen=True)
class Scored:
    """A run's test.

    Attributes:
        run: The run.
        weights: SHA-256 of the weights.
        results: One a test case, in the data set's order.
        sources: Case to the SHA-256 of image, label and mask.
    """

    run: Run
    weights: str
    results: tuple[CaseResult, ...]
    sources: Mapping[str, Mapping[str, str]]


def masks_folder(run: Run) -> Path:
    """Where a run's masks stand."""
    return run.folder / f"test-{run.tested_on}"


def score_run(
    run: Run,
    hashes: Hashes,
    say: Say,
    *,
    paper_slices: bool,
    surface: bool,
    locator: Weights | None = None,
    device: str = "cpu",
) -> Scored:
    """Predict and score a finished run's test cases, whole scans, as far as that is not done.

    Args:
        run: A finished run.
        hashes: Of the data sets' files.
        say: Told the progress, a line a case worked on.
        paper_slices: Score only slices on which the reference has liver.
        surface: Measure surface distances.
        locator: Finds the liver first, for a network that looks around it.
        device: Where the network computes.

    Returns:
        Every test case's numbers.

    Raises:
        ModelError: If the weights are damaged, or the locator was trained on a test case.
        InputError: If a test case cannot be used.
        OutputError: If the disk is full.
    """
    weights = load_weights(run.folder / "weights")
    if locator is not None:
        seen = sorted({case.name for case in run.test} & set(locator.card.trained_on))
        if seen:
            raise ModelError(locator.card.name, "trained_on", seen[0], "is tested on", "give the same fold's locator")
        weights = weights.located_by(locator)
    network = _Network(weights, device)
    results, sources = [], {}
    for number, case in enumerate(run.test, start=1):
        began = time.perf_counter()
        place = _Place(masks_folder(run), case.name, paper_slices)
        source, fresh = _predicted(case, place, network, hashes)
        scored_from = {**source, "scoring": {**asdict(SCORING), "surface": surface, "paper_slices": paper_slices}}
        result = place.result(scored_from)
        if result is None or fresh:
            _, reference = load_case(case)
            mask = read_mask(place.mask)
            result = evaluate_case(
                reference, mask, name=case.name, surface=surface, paper_slices=paper_slices, scoring=SCORING
            )
            place.keep(result, scored_from)
            numbers = f"liver dice {result.liver_dice:.4f}, tumor dice {result.tumor_dice:.4f}"
            seconds = time.perf_counter() - began
            say(f"{run.words}: test [{number}/{len(run.test)}] {case.name}: {numbers} ({seconds:.1f} s)")
        results.append(result)
        sources[case.name] = source
    return Scored(run, weights.card.identity, tuple(results), sources)


class _Network:
    """Weights that become a predictor when the first case needs one."""

    def __init__(self, weights: Weights, device: str) -> None:
        self.weights = weights
        self._device = device
        self._predictor: Predictor | None = None

    @property
    def predictor(self) -> Predictor:
        if self._predictor is None:
            compute = Compute(runtime="torch", device=self._device, precision="float32", all_slices=True)
            self._predictor = Predictor(self.weights, compute)
        return self._predictor


def _predicted(case: Case, place: _Place, network: _Network, hashes: Hashes) -> tuple[dict[str, str], bool]:
    """Make a case's mask unless it holds; hashes of image, label and mask, and whether it was made now."""
    source = {"image": hashes.of(case, "image"), "label": hashes.of(case, "label")}
    made_from = {"weights": network.weights.card.identity, "image": source["image"]}
    fresh = not place.mask_holds(made_from)
    if fresh:
        scan, _ = load_case(case)
        mask = network.predictor.predict(scan.volume).mask
        place.facts.unlink(missing_ok=True)  # an old mask's facts must not outlive it
        write_mask(mask, place.mask, like=scan)
        write_json(place.facts, {**made_from, "mask": sha256(place.mask)})
    source["mask"] = str(read_json(place.facts)["mask"])
    return source, fresh


class _Place:
    """The files of one test case."""

    def __init__(self, folder: Path, name: str, paper_slices: bool) -> None:
        self.mask = folder / f"{name}.nii.gz"
        self.facts = folder / f"{name}.json"
        self.scores = folder / f"{name}.{'liver-slices' if paper_slices else 'scores'}.json"

    def mask_holds(self, made_from: Mapping[str, str]) -> bool:
        """Whether the mask is there, whole, and made from these weights and this image."""
        try:
            facts = read_json(self.facts)
            return all(facts[k] == v for k, v in made_from.items()) and bool(sha256(self.mask) == facts["mask"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def result(self, made_from: Mapping[str, Any]) -> CaseResult | None:
        """The numbers kept, if they were made from these files in this way."""
        try:
            content = read_json(self.scores)
            if content["made_from"] != made_from:
                return None
            row: dict[str, Any] = {name: math.nan if v is None else v for name, v in content["row"].items()}
            return CaseResult(**row, lesions=tuple(Lesion(**lesion) for lesion in content["lesions"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, result: CaseResult, made_from: Mapping[str, Any]) -> None:
        """Keep the numbers."""
        lesions = [asdict(lesion) for lesion in result.lesions]
        write_json(self.scores, {"made_from": made_from, "row": result.row(), "lesions": lesions})
