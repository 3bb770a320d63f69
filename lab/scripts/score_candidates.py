"""Score trained candidates on the thirds of the patients they did not see, into lab/results/weights.

RUNS/NAME/foldK are run folders of `rmaunet train -e NAME --split lab/results/weights/folds/foldK.json`; those that are
finished are scored on whole scans; masks and scores are kept beside the weights. Writes OUT_cases.csv (one row per
scan) and OUT.json (the
manifest); other runs in these files are kept. `lab/scripts/make_weights_doc.py` makes the tables.

    python lab/scripts/score_candidates.py RUNS LiTS/ -o lab/results/weights/screening --names screen screen-context

A network that looks around the liver needs one that finds it: `--locator NAME` takes NAME's of the same fold.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from typing import Any

from rmaunet.core.files import sha256, write_csv, write_json
from rmaunet.core.machine import machine
from rmaunet.core.settings import from_dict
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.paper.reproduce.input_hashes import Hashes
from rmaunet.paper.reproduce.plan import Run
from rmaunet.paper.reproduce.scoring import score_run
from rmaunet.paper.reproduce.table_training import finished
from rmaunet.predict import load_weights
from rmaunet.train.experiment import Experiment

FOLDS = Path(__file__).parents[2] / "lab" / "results" / "weights" / "folds"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def merged(stem: Path, rows: list[Any], runs: list[Any]) -> tuple[list[Any], list[Any]]:
    """The new rows and runs with those written earlier that they do not replace, by experiment and fold."""
    new = {(run["experiment"], str(run["fold"])) for run in runs}
    try:
        with stem.with_name(f"{stem.name}_cases.csv").open(newline="", encoding="utf-8") as file:
            old_rows = [row for row in csv.DictReader(file) if (row["experiment"], row["fold"]) not in new]
        old_runs = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))["runs"]
    except FileNotFoundError:
        return rows, runs
    order = dict.fromkeys([*(row["experiment"] for row in old_rows), *(row["experiment"] for row in rows)])
    rank = {name: number for number, name in enumerate(order)}
    both = [*(run for run in old_runs if (run["experiment"], str(run["fold"])) not in new), *runs]
    return (
        sorted([*old_rows, *rows], key=lambda row: (rank[row["experiment"]], int(row["fold"]))),
        sorted(both, key=lambda run: (rank[run["experiment"]], run["fold"])),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--locator", help="candidate that finds the liver for those that look around it")
    args = parser.parse_args()
    cases = {case.name: case for case in find_cases(args.data)[1] if case.label is not None}
    hashes = Hashes(args.runs / "hashes.json")
    rows: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    for name in args.names:
        for path in sorted(FOLDS.glob("fold*.json")):
            folder, fold = args.runs / name / path.stem, json.loads(path.read_text())
            if not (folder / "experiment.json").is_file():
                say(f"{folder}: not trained")
                continue
            stored = json.loads((folder / "experiment.json").read_text())
            experiment = from_dict(Experiment, stored, subject=str(folder / "experiment.json"))
            test = tuple(cases[case] for case in fold["test"])
            run = Run(experiment, int(path.stem[4:]), "lits", tuple(fold["train"]), "lits", test, folder, leaked=())
            if not finished(run):
                say(f"{folder}: not finished")
                continue
            locator = None
            if experiment.preprocessing.grid == "liver":
                if not args.locator:
                    sys.exit(f"{folder}: looks around a liver found before: name what finds it with --locator")
                locator = load_weights(args.runs / args.locator / path.stem / "weights")
            scored = score_run(run, hashes, say, paper_slices=False, surface=False, locator=locator)
            patients = fold["patients"]
            rows += [
                {"experiment": name, "fold": run.fold, "patient": patients.get(one.name, one.name), **one.row()}
                for one in scored.results
            ]
            trained = json.loads((folder / "manifest.json").read_text())
            card = load_weights(folder / "weights").card
            runs.append(
                {
                    "experiment": name,
                    "fold": run.fold,
                    "settings": stored,
                    "weights_sha256": scored.weights,
                    "locator": args.locator if locator else None,
                    "training": card.training,
                    "trained_on": trained["cases"],
                    "start": trained["start"],
                    "log_sha256": sha256(folder / "log.csv"),
                    "cases": scored.sources,
                }
            )
    if not rows:
        sys.exit("nothing to score")
    stem = args.output
    rows, runs = merged(stem, rows, runs)
    write_csv(stem.with_name(f"{stem.name}_cases.csv"), rows, tuple(rows[0]))
    write_json(stem.with_suffix(".json"), {"runs": runs, "machine": machine()})
    say(f"{len(rows)} rows of {len(runs)} runs in {stem}_cases.csv")


if __name__ == "__main__":
    main()
