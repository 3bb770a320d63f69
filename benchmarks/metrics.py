"""Surface distances of one liver pair: rmaunet against MedPy and MONAI, time and values side by side.

    python benchmarks/metrics.py [--size 300 512 512] [--repeats 3] [--json FILE]

The peers are no dependencies of rmaunet and are left out, and said to be, where they cannot be imported. All get the same two
masks and the same spacing and answer the same questions (assd, hd95, msd; MONAI also surface dice); times are CPU seconds,
each peer with one thread where it has a choice, run in turn within one process.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.evaluate import assd, hd95_larger, hd95_pooled, msd, surface_dice, surface_distances

SPACING_MM = (1.5, 0.8, 0.8)
TOLERANCE_MM = 2.0
Mask = NDArray[np.bool_]
Values = dict[str, float]


def liver_pair(size: tuple[int, int, int]) -> tuple[Mask, Mask]:
    """A reference and a prediction of a liver's size in a scan of this size: wavy ellipsoids, a little apart."""
    d, h, w = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in size)]

    def ellipsoid(shift: float, wave: float) -> Mask:
        bent = 1 + wave * np.sin(9 * d + 2) * np.sin(7 * h) * np.sin(8 * w + 1)
        return ((d - shift) / 0.45) ** 2 + ((h + shift) / 0.34) ** 2 + ((w + 0.25) / 0.42) ** 2 <= bent

    return ellipsoid(0.0, 0.10), ellipsoid(0.012, 0.14)


def ours(reference: Mask, prediction: Mask) -> Values:
    found = surface_distances(reference, prediction, SPACING_MM)
    return {
        "assd": assd(found),
        "hd95 pooled": hd95_pooled(found),
        "hd95 larger": hd95_larger(found),
        "msd": msd(found),
        "surface dice": surface_dice(found, TOLERANCE_MM),
    }


def medpy(reference: Mask, prediction: Mask) -> Values:
    from medpy.metric import binary

    # connectivity=2 is the 18-neighbourhood. MONAI, below, has 6 neighbours and no choice, so its assd differs.
    return {
        "assd": float(binary.assd(prediction, reference, SPACING_MM, 2)),
        "hd95 pooled": float(binary.hd95(prediction, reference, SPACING_MM, 2)),
        "msd": float(binary.hd(prediction, reference, SPACING_MM, 2)),
    }


def monai(reference: Mask, prediction: Mask) -> Values:
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

    torch.set_num_threads(1)
    pair = [torch.from_numpy(mask)[None, None].float() for mask in (prediction, reference)]
    options = {"include_background": True, "spacing": SPACING_MM}
    return {
        "assd": float(compute_average_surface_distance(*pair, symmetric=True, **options)),
        "hd95 larger": float(compute_hausdorff_distance(*pair, percentile=95, **options)),
        "msd": float(compute_hausdorff_distance(*pair, **options)),
        "surface dice": float(compute_surface_dice(*pair, class_thresholds=[TOLERANCE_MM], **options)),
    }


def measure(run: Callable[[Mask, Mask], Values], pair: tuple[Mask, Mask], repeats: int) -> tuple[list[float], Values]:
    seconds, values = [], {}
    for _ in range(repeats):
        start = time.process_time()
        values = run(*pair)
        seconds.append(time.process_time() - start)
    return seconds, values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=(150, 256, 256), metavar=("D", "H", "W"))
    parser.add_argument("--repeats", type=int, default=3, help="of rmaunet; a peer slower than a minute runs once")
    parser.add_argument("--json", type=Path, help="append one line with the results to this file")
    options = parser.parse_args()
    pair = liver_pair(tuple(options.size))
    mine, values = measure(ours, pair, options.repeats)
    median = statistics.median(mine)
    record = {"size": list(options.size), "rmaunet": {"seconds": mine, "values": values}}
    print(f"{'x'.join(map(str, options.size))} voxels, liver of {int(pair[0].sum())}")
    print(f"{'rmaunet':<16} {median:8.2f} s          {values}")
    for run in (monai, medpy):
        name = run.__name__
        if importlib.util.find_spec(name) is None:
            print(f"{name:<16} not installed: left out")
            continue
        seconds, values = measure(run, pair, 1)
        if seconds[0] < 60:
            seconds += measure(run, pair, options.repeats - 1)[0]
        theirs = statistics.median(seconds)
        record[name] = {"version": version(name), "seconds": seconds, "values": values, "ratio": theirs / median}
        print(f"{name + ' ' + version(name):<16} {theirs:8.2f} s {theirs / median:6.0f} x {values}")
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
