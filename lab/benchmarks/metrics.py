"""Surface distances of a liver and of its tumors: rmaunet against MONAI, MedPy, SimpleITK and DeepMind's surface-distance.

    python lab/benchmarks/metrics.py [--size 300 512 512] [--repeats 5] [-o lab/results/bench/NAME.json]

The peers come with lab/benchmarks/requirements-peers.txt; missing ones are reported and skipped. All get the
same two masks and the same spacing, take turns in one process with one thread each, and answer as many of the same questions
as they can; times are CPU seconds. A peer that takes longer than ``--once`` seconds runs in the first turn only.

Definitions of the surface differ: rmaunet and MedPy (``connectivity=2``) take the LiTS challenge's, voxels with one of 18
neighbors outside; MONAI has 6 neighbors and no choice, SimpleITK's contour is taken with 6, surface-distance measures
between surface elements weighted by their area.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.record import new_record
from bench.tables import tables
from rmaunet.core.files import write_json
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import axial
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.metrics import assd, hd95_larger, hd95_pooled, msd, surface_dice, surface_distances

SPACING_MM = (1.0, 0.75, 0.75)
TOLERANCE_MM = 2.0
Mask = NDArray[np.bool_]
Values = dict[str, float]


def label_pair(size: tuple[int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A phantom's liver with six lesions, and a prediction of it: bent by some millimetres, one lesion missed, one invented."""
    made = phantom(seed=3, shape=size, spacing_mm=SPACING_MM, lesions=6, lesion_radius_mm=(4.0, 22.0))
    reference = np.asarray(axial(made.mask).array)
    d, h, w = np.ogrid[tuple(slice(0, n) for n in size)]

    def bent(index: NDArray[np.int_], by: NDArray[np.float64], length: int) -> NDArray[np.int_]:
        return np.clip(index + np.rint(by).astype(int), 0, length - 1)

    at_d = bent(d, 2 * np.sin(h / 37) * np.cos(w / 29), size[0])
    at_h = bent(h, 3 * np.sin(w / 41 + 1) * np.cos(d / 23), size[1])
    at_w = bent(w, 3 * np.sin(d / 31) * np.cos(h / 47 + 2), size[2])
    prediction = reference[at_d, at_h, at_w]
    places = [np.array(lesion.center_mm)[::-1] / SPACING_MM + (np.array(size) - 1) / 2 for lesion in made.lesions[:2]]
    reach = [lesion.radius_mm + 8 for lesion in made.lesions[:2]]

    def ball(place: NDArray[np.float64], radius_mm: float) -> Mask:
        return (
            sum(((axis - c) * s) ** 2 for axis, c, s in zip((d, h, w), place, SPACING_MM, strict=True)) < radius_mm**2
        )

    prediction[ball(places[0], reach[0]) & (prediction == 2)] = 1
    prediction[ball(places[1] + (0, 30, 10), 9.0) & (prediction == 1)] = 2
    return reference, prediction


def rmaunet(reference: Mask, prediction: Mask) -> Values:
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


def simpleitk(reference: Mask, prediction: Mask) -> Values:
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (reference, prediction)]
    for image in images:
        image.SetSpacing(SPACING_MM[::-1])
    contours = [sitk.GetArrayFromImage(sitk.LabelContour(image, False)) > 0 for image in images]
    options = {"squaredDistance": False, "useImageSpacing": True}
    maps = [np.abs(sitk.GetArrayFromImage(sitk.SignedMaurerDistanceMap(image, **options))) for image in images]
    there, back = maps[1][contours[0]], maps[0][contours[1]]
    both = np.concatenate([there, back])
    return {
        "assd": float(both.mean()),
        "hd95 pooled": float(np.percentile(both, 95)),
        "hd95 larger": max(float(np.percentile(there, 95)), float(np.percentile(back, 95))),
        "msd": float(both.max()),
        "surface dice": float((both <= TOLERANCE_MM).mean()),
    }


def surface_distance(reference: Mask, prediction: Mask) -> Values:
    import surface_distance as peer

    found = peer.compute_surface_distances(reference, prediction, SPACING_MM)
    there, back = peer.compute_average_surface_distance(found)
    return {
        "assd": (there + back) / 2,  # the mean of the two directions, not of their pool
        "hd95 larger": float(peer.compute_robust_hausdorff(found, 95)),
        "msd": float(peer.compute_robust_hausdorff(found, 100)),
        "surface dice": float(peer.compute_surface_dice_at_tolerance(found, TOLERANCE_MM)),
    }


PEERS = {"monai": monai, "SimpleITK": simpleitk, "surface-distance": surface_distance, "medpy": medpy}


def measure(
    tools: dict[str, Callable[[Mask, Mask], Values]], pair: tuple[Mask, Mask], repeats: int, once: float
) -> dict[str, tuple[list[float], Values]]:
    """CPU seconds of each tool, and what it answered; those that cannot be imported are left out."""
    found: dict[str, tuple[list[float], Values]] = {}
    for turn in range(repeats):
        for name, run in tools.items():
            if turn and (name not in found or found[name][0][0] > once):
                continue
            began = time.process_time()
            try:
                values = run(*pair)
            except ImportError as error:
                print(f"left out: {name}: {error}", file=sys.stderr)
                continue
            seconds = time.process_time() - began
            found.setdefault(name, ([], values))[0].append(seconds)
            print(f"{name}: {seconds:.2f} s", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=3, default=(150, 256, 256), metavar=("D", "H", "W"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--once", type=float, default=20.0, help="CPU seconds above which a peer has one turn")
    parser.add_argument("--note", default="", help="kept in the file: what else ran, for instance")
    parser.add_argument("--without", nargs="*", default=(), choices=sorted(PEERS), help="peers to leave out")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", module="monai")
    record = new_record(threads=1, note=options.note, libraries=("numpy", "scipy", "torch", *PEERS))
    labels = label_pair(tuple(options.size))
    tools = {"rmaunet": rmaunet} | {name: run for name, run in PEERS.items() if name not in options.without}
    record["metrics"] = []
    for organ, mask_of in (("liver", liver_mask), ("tumor", tumor_mask)):
        pair = (mask_of(labels[0]), mask_of(labels[1]))
        print(f"{organ}: {int(pair[0].sum())} voxels", file=sys.stderr)
        found = measure(tools, pair, options.repeats, options.once)
        mine = statistics.median(found["rmaunet"][0])
        for name, (seconds, values) in found.items():
            row = {"size": list(options.size), "organ": organ, "tool": name, "seconds": seconds, "values": values}
            record["metrics"].append(row | {"ratio": statistics.median(seconds) / mine})
    print(tables(record))
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
