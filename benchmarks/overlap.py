"""How well leak detection tells scans apart: score distributions of changed copies, and of all pairs of a data set.

python benchmarks/overlap.py LITS_ROOT -o results/overlap
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import zoom

from rmaunet.data.detect import find_cases
from rmaunet.data.fingerprint import fingerprint
from rmaunet.data.load import load_image
from rmaunet.data.overlap import compare
from rmaunet.files import write_csv, write_json
from rmaunet.volume import axial, make_volume


def resized(array, size):
    flags = cv2.INTER_AREA if size < array.shape[1] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(plane, (size, size), interpolation=flags) for plane in array.astype(np.float32)])


def copies(ct):
    """What happens to a scan on its way into another data set; (name, array)."""
    depth = len(ct)
    low, length = int(depth * 0.3), max(14, int(depth * 0.4))
    noise = np.random.default_rng(0).normal(0, 15, ct.shape)
    yield "mirrored left-right", ct[:, :, ::-1]
    yield "mirrored front-back and head-feet", ct[::-1, ::-1]
    yield "128 x 128", resized(ct, 128)
    yield "100 x 100, then 512 x 512", resized(resized(ct, 100), 512)
    yield "window -20 to 140", np.clip(ct, -20, 140)
    yield "window 0 to 120", np.clip(ct, 0, 120)
    yield "8-bit picture of -40 to 160", np.rint((np.clip(ct, -40, 160) + 40) * 255 / 200).astype(np.uint8)
    yield "0 to 1 picture of -40 to 160", ((np.clip(ct, -40, 160) + 40) / 200).astype(np.float32)
    yield "40 % of the slices", ct[low : low + length]
    yield "every second slice", ct[1::2]
    yield "slices 1.6 times apart", zoom(ct.astype(np.float32), (0.63, 1, 1), order=1)
    yield "slices 0.6 times apart", zoom(ct.astype(np.float32), (1.7, 1, 1), order=1)
    yield "matrix cut by 14 % and 12 %", ct[:, 15:-20, 20:-10]
    yield "noise of 15 HU", (ct + noise).astype(np.float32)
    part = np.clip(ct[low : low + length], -30, 150)[::-1, :, ::-1]
    yield "cut, window, mirrored, 160 x 160, slices 1.25 times", zoom(resized(part, 160), (0.8, 1, 1), order=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    _, cases = find_cases(args.root)
    prints, positive = {}, []
    for case in cases:
        ct = axial(load_image(case).volume).array
        prints[case.name] = fingerprint(make_volume(ct), case.name)
        for name, copy in copies(ct):
            other = fingerprint(make_volume(np.ascontiguousarray(copy)), "copy")
            score = compare(prints[case.name], other).score
            positive.append({"case": case.name, "change": name, "slices": len(copy), "score": round(score, 4)})
        print(case.name, min(row["score"] for row in positive if row["case"] == case.name), flush=True)
    start = time.perf_counter()
    negative = [
        {"one": a, "other": b, "score": round(compare(prints[a], prints[b]).score, 4)}
        for a, b in itertools.combinations(prints, 2)
    ]
    seconds = (time.perf_counter() - start) / max(1, len(negative))
    negative.sort(key=lambda row: -row["score"])
    write_csv(args.output / "copies.csv", positive)
    write_csv(args.output / "pairs.csv", negative)
    scores = {}
    for row in positive:
        scores.setdefault(row["change"], []).append(row["score"])
    summary = {name: [min(s), float(np.quantile(s, 0.05)), float(np.median(s))] for name, s in scores.items()}
    write_json(args.output / "summary.json", {"copies_min_p5_median": summary, "seconds_a_pair": round(seconds, 3)})
    print(json.dumps(summary, indent=1), *negative[:12], f"{seconds:.3f} s a pair", sep="\n")


if __name__ == "__main__":
    main()
