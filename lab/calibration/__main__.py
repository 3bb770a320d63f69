"""How well calibrated weights are, on labelled CTs they never saw.

usage: python -m calibration ROOT [--folds RUNS/released/fast | --weights fast --cases 0 1 2 ...]

ROOT is a data set in LiTS's layout. With --folds the cases of each fold (lab/results/weights/folds) are seen by the weights in
RUNS/released/fast/foldK, which `lab/scripts/make_release.py` left there. Probabilities are those of the plain pass, before
postprocessing, on the CT's own grid. Voxels counted: all of the bounding box of the reference's liver ("box"), and those of
the reference's liver with tumor ("liver", for the tumor only). Nothing is fitted here: no temperature, no threshold. Slices
more than ten beyond that box are not looked at.

Also of each lesion of the plain mask: mean probability, stability over thresholds, and whether it meets a tumor of the
reference. Writes reliability.csv (one row per case, target, population and bin), cases.csv (ECE and Brier per case),
lesions.csv and manifest.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from calibration.calibration import BINS, Reliability
from rmaunet.core.files import sha256, write_csv, write_json
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.machine import machine
from rmaunet.core.volume import axial
from rmaunet.core.volume.box import mask_box
from rmaunet.datasets.lits import cases as lits_cases
from rmaunet.datasets.lits import number
from rmaunet.io import read_mask, read_scan
from rmaunet.measurement import lesion_table
from rmaunet.measurement.confidence import ConfidenceMeter
from rmaunet.predict import Predictor, load_weights
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.uncertainty import rethresholded
from rmaunet.runtimes.denormals import flushed_denormals

POPULATIONS = (("liver", "box"), ("tumor", "box"), ("tumor", "liver"))
MARGIN = 10  # slices
ROOT = Path(__file__).resolve().parents[2]
FOLDS = ROOT / "lab/results/weights/folds"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--folds", type=Path, help="folder of the weights fold0, fold1, fold2")
    parser.add_argument("--weights", default="fast")
    parser.add_argument("--cases", type=int, nargs="*", default=[], help="numbers of LiTS volumes")
    parser.add_argument("--out", type=Path, default=ROOT / "lab" / "results" / "calibration")
    args = parser.parse_args()
    cases = {case.name: case for case in lits_cases(args.root)}
    if args.folds:
        files = sorted(FOLDS.glob("fold*.json"))
        asked = [(load_weights(args.folds / file.stem), json.loads(file.read_text())["test"]) for file in files]
    else:
        asked = [(load_weights(args.weights), [name for name in cases if number(name) in args.cases])]
    for weights, names in asked:
        if (seen := sorted(set(names) & set(weights.card.trained_on))) or not names:
            print(f"error: trained on {seen}" if seen else "error: no such cases", file=sys.stderr)
            return 2
    began, here = time.perf_counter(), machine()
    bins, figures, lesions, inputs = [], [], [], []
    for weights, names in asked:
        predictor = Predictor(weights, all_slices=True)
        for case in (cases[name] for name in names):
            with flushed_denormals():
                found = one(predictor, case)
            bins += found["bins"]
            figures += found["figures"]
            lesions += found["lesions"]
            inputs.append(
                {
                    "case": case.name, "weights": weights.card.identity,
                    "ct_sha256": sha256(case.image), "mask_sha256": sha256(case.label),
                }
            )  # fmt: skip
            for name, rows in (("reliability", bins), ("cases", figures), ("lesions", lesions)):
                write_csv(args.out / f"{name}.csv", rows)
            write_json(
                args.out / "manifest.json", manifest(weights.card.name, inputs, time.perf_counter() - began, here)
            )
            print(f"{case.name}: {found['figures']}", file=sys.stderr, flush=True)
    return 0


def one(predictor: Predictor, case: Any) -> dict[str, list[dict[str, Any]]]:
    scan = read_scan(case.image)
    ct, labels = axial(scan.volume), axial(read_mask(case.label, like=scan))
    liver = mask_box(labels.array)
    first = max(0, liver[0].start - MARGIN)
    along = slice(first, min(labels.array.shape[0], liver[0].stop + MARGIN))
    ct, reference = ct[along], labels.array[along]
    box = (slice(liver[0].start - first, liver[0].stop - first), *liver[1:])
    counts = {key: Reliability() for key in POPULATIONS}
    kept = KeptMaps(reference.shape)

    def watch(index: int, maps: np.ndarray) -> None:
        kept.watch(index, maps)
        if box[0].start <= index < box[0].stop:
            truth, (p_liver, p_tumor) = reference[index][box[1:]], maps[(slice(None), *box[1:])]
            inside = liver_mask(truth)
            counts["liver", "box"].add(p_liver, inside)
            counts["tumor", "box"].add(p_tumor, tumor_mask(truth))
            counts["tumor", "liver"].add(p_tumor[inside], tumor_mask(truth)[inside])

    mask = predictor.predict(ct, watch=watch).mask
    head = [{"case": case.name, "target": target, "population": where} for target, where in POPULATIONS]
    return {
        "bins": [{**h, **row} for h, count in zip(head, counts.values(), strict=True) for row in count.rows()],
        "figures": [
            {
                **h, "voxels": int(c.voxels.sum()), "positives": int(c.positives.sum()),
                "ece": c.ece, "ece_above_0.05": c.error_of(slice(1, None)), "brier": c.brier,
            }
            for h, c in zip(head, counts.values(), strict=True)
        ],
        "lesions": lesion_rows(predictor, case.name, ct, mask, kept, reference),
    }  # fmt: skip


def lesion_rows(
    predictor: Predictor, name: str, ct: Any, mask: Any, kept: KeptMaps, reference: np.ndarray
) -> list[dict[str, Any]]:
    lesions = lesion_table(None, mask)
    meter = ConfidenceMeter(mask, lesions)
    for variant in rethresholded(kept, predictor.postprocessing, ct=ct):
        meter.add(variant.kind, variant.name, variant.labels)
    # The reference replaces a pass: a lesion is "found" by it where they share a voxel.
    meter.add("augmentation", "reference", reference)
    rows = []
    for lesion, sure in zip(lesions, meter.result(kept.plane).lesions, strict=True):
        rows.append(
            {
                "case": name, "id": lesion.id, "voxels": lesion.voxels, "mean_probability": sure.mean_probability,
                "threshold_stability": sure.threshold_stability, "meets_reference": int(sure.found_share),
            }
        )  # fmt: skip
    return rows


def manifest(name: str, inputs: list[dict[str, str]], seconds: float, here: dict[str, Any]) -> dict[str, Any]:
    return {
        "command": "lab/benchmarks/calibration.py",
        "weights": name,
        "conventions": {
            "probabilities": "plain pass, before postprocessing, on the CT's own grid",
            "bins": f"{BINS} of equal width",
            "box": "bounding box of the reference's liver with tumor",
            "liver": "voxels of the reference's liver with tumor",
            "slices": f"those of the box and {MARGIN} beyond on either side",
            "fitted": "nothing",
        },
        "inputs": inputs,
        "seconds": round(seconds, 1),
        "machine": here,
    }


if __name__ == "__main__":
    sys.exit(main())
