"""Make the weights `fast` or `accurate`, and measure each fold's third with the networks that never saw it.

    python lab/scripts/make_release.py RUNS LiTS/ -o src/rmaunet/models/fast

RUNS/NAME/foldK are run folders of `rmaunet train -e NAME --split lab/results/weights/folds/foldK.json`; RUNS/NAME/all
is the run
on all patients, which ships. lab/results/weights/fast.json or accurate.json, which
`lab/scripts/choose_postprocessing.py` writes,
names the network, the one that finds the liver for it if there are two, and what was chosen: a fold is measured with what the
other folds chose, the released weights have what all chose. Writes each fold's weights and masks into RUNS/released/NAME,
their scores into lab/results/NAME, and the weights.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from choose_postprocessing import FIXED

from rmaunet.core.files import make_folder, sha256, write_json
from rmaunet.core.settings import to_dict
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_case
from rmaunet.io import write_mask
from rmaunet.leaks.fingerprint import join_fingerprints
from rmaunet.predict import Predictor, Weights, load_weights, save_weights
from rmaunet.predict.combine_weights import cascade_card
from rmaunet.predict.weights import FINGERPRINTS

ROOT = Path(__file__).parents[2]
FOLDS, RESULTS = ROOT / "lab/results/weights/folds", ROOT / "lab" / "results"
SMALLEST_LIVER_ML = 10.0
"""Smaller livers of either network are removed (specks in a chest). Not tuned."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def trained(runs: Path, name: str, patients: str) -> Weights:
    return load_weights(runs / name / patients / "weights")


def with_settings(weights: Weights, choice: dict[str, Any], **chosen: float) -> Weights:
    limits = {name: choice[name] for name in FIXED}
    return weights.postprocessed(min_liver_ml=SMALLEST_LIVER_ML, **limits, **chosen)


def fold_weights(runs: Path, choice: dict[str, Any], made: Path) -> Iterator[tuple[str, Weights]]:
    """Each fold with its networks as they are measured: none of their settings was chosen on its patients."""
    for path in sorted(FOLDS.glob("fold*.json")):
        chosen = dict(zip(choice["chosen"], choice["chosen_without_fold"][path.stem[4:]], strict=True))
        weights = with_settings(trained(runs, choice["candidate"], path.stem), choice, **chosen)
        locator = None
        if choice["locator"]:
            locator = with_settings(trained(runs, choice["locator"], path.stem), choice)
            weights = weights.with_card(locator_share=choice["locator_share"])
        save_weights(made / path.stem, weights.network(), weights.card, locator=locator)
        yield path.stem, load_weights(made / path.stem)


def measure(runs: Path, data: Path, choice: dict[str, Any], name: str) -> None:
    cases = {case.name: case for case in find_cases(data)[1] if case.label is not None}
    made = runs / "released" / name
    masks, references = (make_folder(made / one) for one in ("masks", "references"))
    told = {}
    for fold, weights in fold_weights(runs, choice, made):
        test = json.loads((FOLDS / f"{fold}.json").read_text())["test"]
        seen = {*weights.card.trained_on, *(weights.locator.card.trained_on if weights.locator else ())} & set(test)
        if seen:
            sys.exit(f"{fold}: trained on {min(seen)}, which it is measured on")
        predictor = Predictor(weights)
        for case in test:
            scan, _ = load_case(cases[case])
            link = references / Path(cases[case].label).name
            link.unlink(missing_ok=True)
            link.symlink_to(Path(cases[case].label).resolve())
            write_mask(predictor.predict(scan.volume).mask, masks / f"{case}.nii.gz", like=scan)
            say(f"{fold} {case}")
        told[fold] = {
            "cases": {case: sha256(masks / f"{case}.nii.gz") for case in test},
            "weights": weights.card.identity,
            "trained_on": weights.card.trained_on,
            "postprocessing": to_dict(weights.card.postprocessing),
            "runtime": predictor.why,
        }
    # The manifest keeps these words.
    asked = ["evaluate", "-r", "references", "-p", "masks", "-o", "scores", "--no-leaks"]
    program = "import sys; from rmaunet.cli.main import run; sys.argv[0] = 'rmaunet'; run()"
    subprocess.run([sys.executable, "-c", program, *asked], check=True, cwd=made)
    shutil.copytree(made / "scores", RESULTS / name, dirs_exist_ok=True)
    write_json(RESULTS / name / "predictions.json", {"folds": told, "choice": choice["chosen_without_fold"]})


def release(runs: Path, choice: dict[str, Any], folder: Path) -> None:
    weights = with_settings(trained(runs, choice["candidate"], "all"), choice, **choice["chosen"])
    locator = with_settings(trained(runs, choice["locator"], "all"), choice) if choice["locator"] else None
    card = weights.card
    if locator:
        card = cascade_card(locator.card, card, name=folder.name, locator_share=choice["locator_share"])
    per_case = json.loads((RESULTS / folder.name / "summary.json").read_text())["per_case"]
    measured = {
        "protocol": "three folds by patient, by networks trained alike that had no part in the fold; not by these weights",
        **{f"{organ}_dice": per_case[f"{organ}_dice"]["mean"] for organ in ("liver", "tumor")},
    }
    save_weights(folder, weights.network(), replace(card, name=folder.name, results=measured), locator=locator)
    join_fingerprints(folder / FINGERPRINTS, [one.folder / FINGERPRINTS for one in (weights, locator) if one])
    say(f"{folder}: {json.dumps(measured)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the weights; its name is theirs")
    args = parser.parse_args()
    name = args.output.name
    choice = json.loads((ROOT / f"lab/results/weights/{name}.json").read_text())
    measure(args.runs, args.data, choice, name)
    release(args.runs, choice, args.output)


if __name__ == "__main__":
    main()
