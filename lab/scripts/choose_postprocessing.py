"""Choose the thresholds of a candidate on the thirds of the patients its networks did not see.

Every setting of a grid is applied to the same probabilities of whole scans (kept in 8 bits). The mean over all patients of the
best setting is optimistic, because it was chosen on them. Each fold is therefore also scored with the setting chosen
on the other
folds. Writes OUT_cases.csv (one row per scan and setting) and OUT.json (choice, scores, grid, weights).
A fold's rows are kept beside its weights and made once.

    python lab/scripts/choose_postprocessing.py RUNS LiTS/ -o lab/results/weights/postprocessing --name refine \
        --locator screen-context
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rmaunet.core.files import write_csv, write_json
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.machine import machine
from rmaunet.core.volume import axial
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_case
from rmaunet.metrics import count_overlap, dice
from rmaunet.predict import Postprocessing, Predictor, Weights, load_weights
from rmaunet.predict.postprocess.clean_labels import COMPARED, labels_from_probabilities, postprocess
from rmaunet.predict.probability_store import KeptMaps

FOLDS = Path(__file__).parents[2] / "lab" / "results" / "weights" / "folds"
GRID = {
    "tumor_threshold": (0.1, 0.2, 0.3, 0.5),
    "tumor_peak": (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
PLAIN = (0.5, 0.0)
FIXED = (*COMPARED, "tumor_peak_share")
"""Settings that are not chosen here."""
ORGANS = ("liver_dice", "tumor_dice")
Row = dict[str, Any]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def settings_of(base: Postprocessing) -> Iterator[Postprocessing]:
    """The grid, without settings that are another's again: a peak must lie above the threshold."""
    for threshold, peak in itertools.product(*GRID.values()):
        if peak == 0 or peak > threshold:
            yield replace(base, tumor_threshold=threshold, tumor_peak=peak)


def rows_of(case: Any, predictor: Predictor) -> Iterator[Row]:
    scan, reference = load_case(case)
    truth, upright = np.asarray(axial(reference).array), axial(scan.volume)
    kept = KeptMaps(truth.shape, lowest=min(GRID["tumor_threshold"]) - 0.01)
    predictor.predict(scan.volume, watch=kept.watch)
    maps = np.stack([kept.plane(z) for z in range(len(truth))], axis=1)
    for setting in settings_of(predictor.postprocessing):
        labels = labels_from_probabilities(maps, setting)
        postprocess(labels, setting, spacing_mm=upright.spacing, ct=upright.array)
        yield {
            **{name: getattr(setting, name) for name in GRID},
            "liver_dice": round(dice(count_overlap(liver_mask(truth), liver_mask(labels))), 5),
            "tumor_dice": round(dice(count_overlap(tumor_mask(truth), tumor_mask(labels))), 5),
        }


def fold_rows(
    kept: Path, made_from: Row, fold: Row, cases: dict[str, Any], weights: Weights, precision: Any
) -> list[Row]:
    """The rows of a fold's scans: those kept, if they are of these weights and this grid, or made now."""
    if kept.is_file() and (old := json.loads(kept.read_text()))["made_from"] == made_from:
        found: list[Row] = old["rows"]
        return found
    predictor = Predictor(weights, precision=precision)
    rows: list[Row] = []
    for name in fold["test"]:
        began = time.perf_counter()
        mine = list(rows_of(cases[name], predictor))
        rows += [{"name": name, "patient": fold["patients"].get(name, name), **row} for row in mine]
        plain = next(row for row in mine if setting_of(row) == PLAIN)
        figures = f"liver dice {plain['liver_dice']:.4f}, tumor dice {plain['tumor_dice']:.4f}"
        say(f"{name}: {figures} ({time.perf_counter() - began:.1f} s)")
    write_json(kept, {"made_from": made_from, "rows": rows})
    return rows


def setting_of(row: Row) -> tuple[float, float]:
    return row["tumor_threshold"], row["tumor_peak"]


def patient_mean(rows: list[Row], metric: str) -> float:
    """Mean over patients; scans of one patient are averaged first."""
    by_patient: dict[str, list[float]] = {}
    for row in rows:
        by_patient.setdefault(row["patient"], []).append(row[metric])
    return statistics.fmean(statistics.fmean(values) for values in by_patient.values())


def best(rows: list[Row]) -> tuple[float, float]:
    """The setting that is best together with those beside it.

    A patient without tumors counts 0 or 1, so that the best setting alone is one that a single lesion happens to favour.
    """
    by_setting: dict[tuple[float, float], list[Row]] = {}
    for row in rows:
        by_setting.setdefault(setting_of(row), []).append(row)
    means = {setting: patient_mean(some, "tumor_dice") for setting, some in by_setting.items()}
    peaks = GRID["tumor_peak"]

    def with_neighbours(setting: tuple[float, float]) -> float:
        threshold, at = setting[0], peaks.index(setting[1])
        near = [(threshold, peak) for peak in peaks[max(0, at - 1) : at + 2]]
        return statistics.fmean(means[one] for one in near if one in means)

    return max(means, key=with_neighbours)


def summary(rows: list[Row]) -> Row:
    """The choice on all folds, and what it is worth: each fold with the choice of the others."""
    folds = sorted({row["fold"] for row in rows})
    chosen = best(rows)
    plain = [row for row in rows if setting_of(row) == PLAIN]
    held_out: list[Row] = []
    choices = {}
    for fold in folds if len(folds) > 1 else ():
        choice = best([row for row in rows if row["fold"] != fold])
        choices[str(fold)] = choice
        held_out += [row for row in rows if row["fold"] == fold and setting_of(row) == choice]
    figures = {
        "plain": plain,
        "chosen_on_the_same_patients": [row for row in rows if setting_of(row) == chosen],
        "chosen_on_the_other_folds": held_out,
    }
    return {
        "chosen": dict(zip(GRID, chosen, strict=True)),
        "chosen_without_fold": choices,
        "means_over_patients": {
            name: {organ: round(patient_mean(some, organ), 4) for organ in ORGANS}
            for name, some in figures.items()
            if some
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--locator", help="candidate that finds the liver, for one that looks around it")
    parser.add_argument("--locator-share", type=float, default=0.0, help="of its probabilities in the mean of both")
    parser.add_argument("--brighter-by-hu", type=float, default=40.0, help="see Postprocessing; not chosen here")
    parser.add_argument("--darker-by-hu", type=float, default=25.0, help="the same")
    parser.add_argument("--tumor-contrast-hu", type=float, default=10.0, help="the same")
    parser.add_argument("--outline-lesions", action=argparse.BooleanOptionalAction, default=True, help="the same")
    parser.add_argument("--fluid-below-hu", type=float, default=20.0, help="the same")
    parser.add_argument("--tumor-peak-share", type=float, default=0.5, help="the same")
    parser.add_argument("--folds", nargs="+", type=int, default=[], help="only these; all by default")
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "bfloat16"])
    args = parser.parse_args()
    cases = {case.name: case for case in find_cases(args.data)[1] if case.label is not None}
    limits = {name: getattr(args, name) for name in FIXED}
    rows: list[Row] = []
    used: list[Row] = []
    for path in sorted(FOLDS.glob("fold*.json")):
        folder, fold = args.runs / args.name / path.stem, json.loads(path.read_text())
        if args.folds and int(path.stem[4:]) not in args.folds:
            continue
        if not (folder / "weights" / "card.json").is_file():
            say(f"{folder}: not trained")
            continue
        weights = load_weights(folder / "weights")
        if args.locator:
            locator = load_weights(args.runs / args.locator / path.stem / "weights")
            weights = weights.located_by(locator.postprocessed(**limits))
        known = {*weights.card.trained_on, *(weights.locator.card.trained_on if weights.locator else ())}
        if known & set(fold["test"]):
            sys.exit(f"{folder}: trained on {sorted(known & set(fold['test']))[0]}, which it is scored on")
        weights = weights.with_card(locator_share=args.locator_share).postprocessed(**limits)
        made_from = {
            "weights": weights.card.identity,
            "locator_share": args.locator_share,
            **limits,
            "precision": args.precision,
            "grid": {name: list(values) for name, values in GRID.items()},
        }
        kept = folder / f"postprocessing-{args.locator_share:g}.json"
        number = int(path.stem[4:])
        rows += [{"fold": number, **row} for row in fold_rows(kept, made_from, fold, cases, weights, args.precision)]
        used.append({"fold": number, "weights": weights.card.identity})
    if not rows:
        sys.exit("nothing to score")
    found = summary(rows)
    write_csv(args.output.with_name(f"{args.output.name}_cases.csv"), rows, tuple(rows[0]))
    write_json(
        args.output.with_suffix(".json"),
        {
            "candidate": args.name,
            "locator": args.locator,
            "locator_share": args.locator_share,
            **limits,
            **found,
            "runs": used,
            "machine": machine(),
        },
    )
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
