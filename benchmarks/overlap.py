"""How well leak detection tells scans apart: changed copies against their own scan and all others, and all pairs of scans.

python benchmarks/overlap.py LITS_ROOT -o results/overlap

Writes copies.csv (a row a copy: score with its own scan, and the best other scan that reaches the lower limit), pairs.csv
(every pair of different scans), summary.json and manifest.json.
"""

import argparse
import itertools
import time
from pathlib import Path

import cv2
import numpy as np

from rmaunet.data.content import content_hash
from rmaunet.data.detect import find_cases
from rmaunet.data.fingerprint import fingerprint
from rmaunet.data.load import load_image
from rmaunet.data.overlap import SAME_PATIENT, SAME_SCAN, compare
from rmaunet.files import write_csv, write_json
from rmaunet.runs import machine
from rmaunet.volume import axial, make_volume


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
    """What happens to a scan on its way into another data set; (name, array)."""
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
    yield "8-bit picture of -40 to 160", np.rint((np.clip(ct, -40, 160) + 40) * 255 / 200).astype(np.uint8)
    yield "0 to 1 picture of -40 to 160", ((np.clip(ct, -40, 160) + 40) / 200).astype(np.float32)
    yield "40 % of the slices", ct[low : low + length]
    yield "every second slice", ct[1::2]
    yield "slices 1.6 times apart", respaced(ct, 0.63)
    yield "slices 0.6 times apart", respaced(ct, 1.7)
    yield "matrix cut by 14 % and 12 %", ct[:, 15:-20, 20:-10]
    yield "matrix cut by 27 % and 23 %", ct[:, 30:-40, 40:-20]
    yield "noise of 15 HU", ct + noise
    part = np.clip(ct[low : low + length], -30, 150)[::-1, :, ::-1]
    yield "cut, window, mirrored, 160 x 160, slices 1.25 times", respaced(resized(part, 160), 0.8)


def measure_copies(case, ct, prints):
    for name, copy in copies(ct):
        other = fingerprint(make_volume(np.ascontiguousarray(copy)), "copy")
        score = compare(prints[case], other).score
        rest = {n: compare(p, other, floor=SAME_PATIENT).score for n, p in prints.items() if n != case}
        best = max(rest, key=rest.get)
        found = {"other": best, "other_score": round(rest[best], 4)} if rest[best] >= SAME_PATIENT else {}
        yield {"case": case, "change": name, "slices": len(copy), "score": round(score, 4), **found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    _, cases = find_cases(args.root)
    prints, hashes = {}, {}
    for case in cases:
        ct = load_image(case).volume
        prints[case.name], hashes[case.name] = fingerprint(ct, case.name), content_hash(ct)
    start = time.process_time()
    pairs = [
        {"one": a, "other": b, "score": round(compare(prints[a], prints[b]).score, 4)}
        for a, b in itertools.combinations(prints, 2)
    ]
    seconds = (time.process_time() - start) / max(1, len(pairs))
    pairs.sort(key=lambda row: -row["score"])
    write_csv(args.output / "pairs.csv", pairs, ("one", "other", "score"))
    print(*pairs[:16], f"{seconds:.3f} CPU s a pair", sep="\n", flush=True)
    rows = []
    for case in cases:
        rows += measure_copies(case.name, axial(load_image(case).volume).array, prints)
        print(case.name, min(row["score"] for row in rows if row["case"] == case.name), flush=True)
        write_csv(args.output / "copies.csv", rows, ("case", "change", "slices", "score", "other", "other_score"))
    write_json(args.output / "summary.json", summary(rows, pairs, seconds))
    manifest = {"script": "benchmarks/overlap.py", "data": hashes, "machine": machine(),
                "limits": {"same_scan": SAME_SCAN, "same_patient": SAME_PATIENT}}  # fmt: skip
    write_json(args.output / "manifest.json", manifest)


def summary(rows, pairs, seconds):
    scores = {}
    for row in rows:
        scores.setdefault(row["change"], []).append(row["score"])
    table = {
        name: {"least": min(s), "median": float(np.median(s)), "found": sum(x >= SAME_SCAN for x in s), "of": len(s)}
        for name, s in scores.items()
    }
    alarms = [row for row in rows if row.get("other_score", 0) >= SAME_SCAN]
    return {"copies": table, "copies_taken_for_another_scan": len(alarms), "pairs": len(pairs),
            "pairs_at_same_scan": sum(p["score"] >= SAME_SCAN for p in pairs),
            "pairs_at_same_patient": sum(p["score"] >= SAME_PATIENT for p in pairs),
            "highest_pair": pairs[0] if pairs else None, "cpu_seconds_a_pair": round(seconds, 4)}  # fmt: skip


if __name__ == "__main__":
    main()
