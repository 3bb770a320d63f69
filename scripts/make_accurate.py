"""Make the weights `accurate` of the folds' networks, and measure each fold's third with the networks that never saw it.

    python scripts/make_accurate.py RUNS LiTS/ -o src/rmaunet/models/accurate

RUNS/NAME/foldK are finished run folders of `rmaunet train -e NAME --split results/weights/folds/foldK.json`, of the network
that finds the liver and of the one that looks around it. results/weights/accurate.json, which
`scripts/choose_postprocessing.py` writes, names both, and says what was chosen: a fold is measured with what the other folds
chose, the released weights have what all chose. Writes the masks into RUNS/accurate, their scores into results/accurate, and
the weights: the mean of the networks of each kind, one kind after the other.
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

from rmaunet.data.detect import find_cases
from rmaunet.data.fingerprint import read_fingerprints, write_fingerprints
from rmaunet.data.load import load_case
from rmaunet.files import make_folder, sha256, write_json
from rmaunet.io import write_mask
from rmaunet.predict import Predictor, Weights, load_weights, save_weights
from rmaunet.predict.ensemble import cascade_card, join_weights
from rmaunet.predict.weights import FINGERPRINTS
from rmaunet.settings import to_dict

ROOT = Path(__file__).parents[1]
FOLDS, CHOICE, RESULTS = (
    ROOT / "results/weights/folds",
    ROOT / "results/weights/accurate.json",
    ROOT / "results/accurate",
)
SMALLEST_LIVER_ML = 10.0
"""A liver of less, found by either network, is none: specks in a chest. Not chosen on anything."""

CHOSEN = ("tumor_threshold", "tumor_peak", "min_lesion_ml")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def with_settings(weights: Weights, flips: Any = "none", **chosen: float) -> Weights:
    settings = replace(weights.card.postprocessing, min_liver_ml=SMALLEST_LIVER_ML, **chosen)
    return replace(weights, card=replace(weights.card, postprocessing=settings, flips=flips))


def fold_weights(runs: Path, choice: dict[str, Any]) -> Iterator[tuple[str, Weights]]:
    """Each fold with its networks as they are measured: none of their settings was chosen on its patients."""
    for path in sorted(FOLDS.glob("fold*.json")):
        refiner, locator = (
            load_weights(runs / choice[kind] / path.stem / "weights") for kind in ("candidate", "locator")
        )
        chosen = dict(zip(CHOSEN, choice["chosen_without_fold"][path.stem[4:]], strict=True))
        yield path.stem, with_settings(refiner, choice["flips"], **chosen).located_by(with_settings(locator))


def measure(runs: Path, data: Path, choice: dict[str, Any]) -> None:
    cases = {case.name: case for case in find_cases(data)[1] if case.label is not None}
    masks, references = (runs / "accurate" / name for name in ("masks", "references"))
    make_folder(masks)
    make_folder(references)
    told = {}
    for name, weights in fold_weights(runs, choice):
        test = json.loads((FOLDS / f"{name}.json").read_text())["test"]
        seen = {*weights.card.trained_on, *(weights.locator.card.trained_on if weights.locator else ())} & set(test)
        if seen:
            sys.exit(f"{name}: trained on {min(seen)}, which it is measured on")
        predictor = Predictor.from_weights(weights)
        for case in test:
            scan, _ = load_case(cases[case])
            link = references / Path(cases[case].label).name
            link.unlink(missing_ok=True)
            link.symlink_to(Path(cases[case].label).resolve())
            write_mask(predictor.predict(scan.volume).mask, masks / f"{case}.nii.gz", like=scan)
            say(f"{name} {case}")
        told[name] = {
            "cases": {case: sha256(masks / f"{case}.nii.gz") for case in test},
            "weights": weights.card.identity,
            "trained_on": weights.card.trained_on,
            "postprocessing": to_dict(weights.card.postprocessing),
            "flips": weights.card.flips,
            "runtime": predictor.why,
        }
    asked = [
        "evaluate",
        "-r",
        "references",
        "-p",
        "masks",
        "-o",
        "scores",
        "--no-leaks",
    ]  # the manifest keeps these words
    program = "import sys; from rmaunet.cli.main import run; sys.argv[0] = 'rmaunet'; run()"
    subprocess.run([sys.executable, "-c", program, *asked], check=True, cwd=runs / "accurate")
    shutil.copytree(runs / "accurate" / "scores", RESULTS, dirs_exist_ok=True)
    write_json(RESULTS / "predictions.json", {"folds": told, "choice": choice["chosen_without_fold"]})


def release(runs: Path, choice: dict[str, Any], folder: Path) -> None:
    joined, prints = {}, {}
    for kind in ("locator", "candidate"):
        folders = [runs / choice[kind] / path.stem / "weights" for path in sorted(FOLDS.glob("fold*.json"))]
        network, card = join_weights([load_weights(one) for one in folders], name=choice[kind])
        settings = (choice["flips"], choice["chosen"]) if kind == "candidate" else ("none", {})
        card = with_settings(Weights(card, {}), settings[0], **settings[1]).card
        save_weights(runs / "accurate" / kind, network, card)
        joined[kind] = load_weights(runs / "accurate" / kind)
        prints |= {one.name: one for each in folders for one in read_fingerprints(each / FINGERPRINTS)}
    refiner = joined["candidate"]
    card = cascade_card(joined["locator"].card, refiner.card, name=folder.name)
    per_case = json.loads((RESULTS / "summary.json").read_text())["per_case"]
    measured = {
        "protocol": "three folds by patient; each scan by the networks and settings that its fold had no part in",
        **{f"{organ}_dice": per_case[f"{organ}_dice"]["mean"] for organ in ("liver", "tumor")},
    }
    save_weights(folder, refiner.network(), replace(card, results=measured), locator=joined["locator"])
    write_fingerprints(folder / FINGERPRINTS, list(prints.values()))
    say(f"{folder}: {json.dumps(measured)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the weights; its name is theirs")
    args = parser.parse_args()
    choice = json.loads(CHOICE.read_text())
    measure(args.runs, args.data, choice)
    release(args.runs, choice, args.output)


if __name__ == "__main__":
    main()
