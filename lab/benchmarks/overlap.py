"""How well leak detection tells scans apart: changed copies against their own scan and all others, and all pairs of scans.

python lab/benchmarks/overlap.py LITS_ROOT -o lab/results/overlap

Writes copies.csv (one row per copy: score with its own scan, and the best other scan that reaches the lower limit), pairs.csv
(every pair of different scans) and manifest.json.
"""

import argparse
import csv
import itertools
import time
from pathlib import Path

import cv2
import numpy as np

from rmaunet.core.files import write_csv, write_json
from rmaunet.core.machine import machine
from rmaunet.core.volume import axial, make_volume
from rmaunet.datasets.content_hash import content_hash
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_image
from rmaunet.leaks.fingerprint import fingerprint
from rmaunet.leaks.match_scans import SAME_PATIENT, SAME_SCAN, compare

EIGHT_BIT = "8-bit picture of -40 to 160"


def resized(array, rows, columns=None):
    columns = columns or rows
    flags = cv2.INTER_AREA if rows < array.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(plane, (columns, rows), interpolation=flags) for plane in array.astype(np.float32)])


def respaced(array, times):
    """As many times the slices, linearly interpolated."""
    at = np.linspace(0, len(array) - 1, round(len(array) * times))
    low = np.minimum(at.astype(int), len(array) - 2)
    share = (at - low).astype(np.float32)[:, None, None]
    return array[low] * (1 - share) + array[low + 1] * share


def copies(ct):
    """Changes of a scan on its way into another data set; (name, array)."""
    depth = len(ct)
    low, length = int(depth * 0.3), max(14, int(depth * 0.4))
    noise = np.random.default_rng(0).normal(0, 15, ct.shape).astype(np.float32)
    yield "mirrored left-right", ct[:, :, ::-1]
    yield "mirrored front-back and head-feet", ct[::-1, ::-1]
    yield "128 x 128", resized(ct, 128)
    yield "64 x 64", resized(ct, 64)
    yield "200 x 140", resized(ct, 200, 140)
    yield "100 x 100, then 512 x 512", resized(resized(ct, 100), 512)
    yield "window -20 to 140", np.clip(ct, -20, 140)
    yield "window 0 to 120", np.clip(ct, 0, 120)
    share = (np.clip(ct, -40, 160).astype(np.float32) + 40) / 200
    yield EIGHT_BIT, np.rint(share * 255).astype(np.uint8)
    yield "0 to 1 picture of -40 to 160", share
    yield "40 % of the slices", ct[low : low + length]
    yield "every second slice", ct[1::2]
    yield "slices 1.6 times apart", respaced(ct, 0.63)
    yield "slices 0.6 times apart", respaced(ct, 1.7)
    yield "matrix cut by 14 % and 12 %", ct[:, 15:-20, 20:-10]
    yield "matrix cut by 27 % and 23 %", ct[:, 30:-40, 40:-20]
    yield "noise of 15 HU", ct + noise
    part = np.clip(ct[low : low + length], -30, 150)[::-1, :, ::-1]
    yield "cut, window, mirrored, 160 x 160, slices 1.25 times", respaced(resized(part, 160), 0.8)


def measure_copies(case, ct, prints, only):
    for name, copy in copies(ct):
        if only not in (None, name):
            continue
        other = fingerprint(make_volume(np.ascontiguousarray(copy)), "copy")
        score = compare(prints[case], other).score
        rest = {n: compare(p, other, floor=SAME_PATIENT).score for n, p in prints.items() if n != case}
        best = max(rest, key=rest.get)
        found = {"other": best, "other_score": round(rest[best], 4)} if rest[best] >= SAME_PATIENT else {}
        yield {"case": case, "change": name, "slices": len(copy), "score": round(score, 4), **found}


def read_fingerprints_of(cases):
    prints, hashes = {}, {}
    for case in cases:
        ct = load_image(case).volume
        prints[case.name], hashes[case.name] = fingerprint(ct, case.name), content_hash(ct)
    return prints, hashes


def measure_pairs(prints, output):
    start = time.process_time()
    pairs = [
        {"one": a, "other": b, "score": round(compare(prints[a], prints[b]).score, 4)}
        for a, b in itertools.combinations(prints, 2)
    ]
    seconds = (time.process_time() - start) / max(1, len(pairs))
    pairs.sort(key=lambda row: -row["score"])
    write_csv(output / "pairs.csv", pairs, ("one", "other", "score"))
    print(*pairs[:16], f"{seconds:.3f} CPU s a pair", sep="\n", flush=True)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--only", help="measure one change again and put its rows into copies.csv")
    args = parser.parse_args()
    _, cases = find_cases(args.root)
    prints, hashes = read_fingerprints_of(cases)
    table, rows = args.output / "copies.csv", []
    if args.only is None:
        manifest = {"script": "lab/benchmarks/overlap.py", "data": hashes, "machine": machine(),
                    "limits": {"same_scan": SAME_SCAN, "same_patient": SAME_PATIENT},
                    "cpu_seconds_a_pair": round(measure_pairs(prints, args.output), 4)}  # fmt: skip
        write_json(args.output / "manifest.json", manifest)
    else:
        rows = [row for row in csv.DictReader(table.read_text().splitlines()) if row["change"] != args.only]
    for case in cases:
        rows += measure_copies(case.name, axial(load_image(case).volume).array, prints, args.only)
        write_csv(table, rows, ("case", "change", "slices", "score", "other", "other_score"))
        print(case.name, len(rows), flush=True)


if __name__ == "__main__":
    main()
