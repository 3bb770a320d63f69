"""How a model's liver Dice degrades as scans leave what it was trained on: lab/results/robustness/WEIGHTS.csv.

Every change is made to the CT and, where it moves anatomy, to the reference alike; the Dice is taken on the changed grid.

    python lab/benchmarks/robustness.py CT.nii.gz REFERENCE.nii.gz --label 5 --weights fast -o lab/results/robustness
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from rmaunet.core.files import sha256, write_csv, write_json
from rmaunet.core.labels import liver_mask
from rmaunet.core.machine import machine
from rmaunet.core.volume import Volume, axial, make_volume, voxel_volume_ml
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import read_mask, read_scan
from rmaunet.metrics import evaluate_case
from rmaunet.predict import Predictor, load_weights

Change = Callable[[np.ndarray, np.ndarray, tuple[float, ...]], tuple[np.ndarray, np.ndarray, tuple[float, ...]]]
AIR = -1000.0


def resampled(to_mm: dict[int, float]) -> Change:
    """Linear along the axes named; a coarser axis is averaged first, as a scanner's thicker slice or pixel is."""

    def change(ct, mask, spacing):
        factors = [spacing[i] / to_mm[i] if i in to_mm else 1.0 for i in range(3)]
        smooth = [max(0.0, 1 / f - 1) / 2 for f in factors]
        ct = ndimage.gaussian_filter(ct.astype(np.float32), smooth) if any(smooth) else ct
        new = tuple(to_mm.get(i, spacing[i]) for i in range(3))
        return (
            ndimage.zoom(ct.astype(np.float32), factors, order=1, grid_mode=True, mode="nearest"),
            ndimage.zoom(mask, factors, order=0, grid_mode=True, mode="nearest"),
            new,
        )

    return change


def cropped(share: float) -> Change:
    """The middle part of the field of view."""

    def change(ct, mask, spacing):
        cut = [round(side * (1 - share) / 2) for side in ct.shape[1:]]
        window = (slice(None), *(slice(c, side - c) for c, side in zip(cut, ct.shape[1:], strict=True)))
        return ct[window], mask[window], spacing

    return change


def widened(share: float) -> Change:
    """A larger field of view: more air around."""

    def change(ct, mask, spacing):
        pad = [(0, 0), *((round(side * share / 2),) * 2 for side in ct.shape[1:])]
        return np.pad(ct, pad, constant_values=AIR), np.pad(mask, pad), spacing

    return change


def intensity(function: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda ct, mask, spacing: (function(ct.astype(np.float32)), mask, spacing)


def noise(sd_hu: float) -> Change:
    """Low dose: noise with the short correlation of a soft kernel."""

    def add(ct):
        grain = ndimage.gaussian_filter(
            np.random.default_rng(0).normal(size=ct.shape).astype(np.float32), (0, 0.7, 0.7)
        )
        return ct + grain * np.float32(sd_hu / grain.std())

    return intensity(add)


def less_contrast(share: float) -> Change:
    """Towards a native scan: what is brighter than 40 HU in soft tissue comes nearer to it."""
    return intensity(lambda ct: np.where((ct > 40) & (ct < 300), 40 + (ct - 40) * np.float32(1 - share), ct))


def turned(degrees: float) -> Change:
    """The patient lies turned about the long axis; 180 is prone with a header that says supine."""

    def change(ct, mask, spacing):
        options = {"axes": (1, 2), "reshape": False}
        return (
            ndimage.rotate(ct.astype(np.float32), degrees, order=1, cval=AIR, **options),
            ndimage.rotate(mask, degrees, order=0, cval=0, **options),
            spacing,
        )

    return change


def part(low: float, high: float) -> Change:
    """Slices between two shares of the liver's height: a partial liver."""

    def change(ct, mask, spacing):
        z = np.flatnonzero(mask.any(axis=(1, 2)))
        first, last = (round(z[0] + share * (z[-1] + 1 - z[0])) for share in (low, high))
        return ct[first:last], mask[first:last], spacing

    return change


def arms_down(ct, mask, spacing):
    """An arm on each side: soft tissue with a bone in it."""
    pad = round(110 / spacing[2])
    wide = np.pad(ct, ((0, 0), (0, 0), (pad, pad)), constant_values=AIR)
    middle = wide.shape[1] // 2
    for column in (pad // 2, wide.shape[2] - pad // 2):
        canvas = np.zeros(wide.shape[1:], np.uint8)
        cv2.circle(canvas, (column, middle), round(45 / spacing[2]), 1, -1)
        cv2.circle(canvas, (column, middle), round(12 / spacing[2]), 2, -1)
        wide = np.where(canvas == 1, 50, np.where(canvas == 2, 700, wide))
    return wide, np.pad(mask, ((0, 0), (0, 0), (pad, pad))), spacing


def metal(ct, mask, spacing):
    """An implant beside the spine with bright and dark streaks across the slice."""
    depth, rows, columns = ct.shape
    y, x = np.mgrid[:rows, :columns]
    angle = np.arctan2(y - rows * 0.68, x - columns * 0.5)
    distance = np.hypot(y - rows * 0.68, x - columns * 0.5) * spacing[1]
    streaks = 250 * np.cos(12 * angle) * np.exp(-distance / 80)
    out = ct.astype(np.float32).copy()
    third = slice(depth // 3, 2 * depth // 3)
    out[third] += streaks
    out[third][:, distance < 8] = 3000
    return out, mask, spacing


CHANGES: dict[str, list[tuple[float | str, Change]]] = {
    "none": [(0, lambda ct, mask, spacing: (ct, mask, spacing))],
    "pixel mm": [(mm, resampled({1: mm, 2: mm})) for mm in (1.5, 2.0, 4.0)],
    "slice mm": [(mm, resampled({0: mm})) for mm in (1.5, 5.0, 10.0)],
    "field of view, share kept": [(share, cropped(share)) for share in (0.9, 0.8, 0.7)],
    "field of view, air added": [(share, widened(share)) for share in (0.25, 0.5)],
    "noise SD HU": [(sd, noise(sd)) for sd in (20, 40, 80)],
    "HU shift": [(hu, intensity(lambda ct, hu=hu: ct + hu)) for hu in (-40, -20, 20, 40)],
    "contrast lost, share": [(share, less_contrast(share)) for share in (0.3, 0.6, 0.9)],
    "turned, degrees": [(degrees, turned(degrees)) for degrees in (10, 20, 45, 180)],
    "part of the liver": [
        ("upper half", part(0.5, 1.0)),
        ("lower half", part(0.0, 0.5)),
        ("middle fifth", part(0.4, 0.6)),
    ],
    "arms down": [("", arms_down)],
    "metal": [("", metal)],
}


def without_liver(ct: Volume, mask: np.ndarray) -> Iterator[tuple[str, Volume]]:
    """Scans without a liver, whose mask must stay empty."""
    z = np.flatnonzero(mask.any(axis=(1, 2)))
    gap = 2
    above, below = ct.array[z[-1] + 1 + gap :], ct.array[: max(0, z[0] - gap)]
    for name, slab in (("scan above the liver", above), ("scan below the liver", below)):
        if len(slab) > 5:
            yield name, volume_of(slab, ct.spacing)
    for kind in ("chest", "pelvis", "head"):
        yield f"phantom: {kind}", phantom(kind, seed=0, shape=(48, 128, 128)).ct


def volume_of(array: np.ndarray, spacing: tuple[float, ...]) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = np.diag([spacing[2], spacing[1], spacing[0]])[:, ::-1]
    return make_volume(array, affine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ct", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--label", type=int, default=1, help="the liver's value in the reference")
    parser.add_argument("--weights", default="fast")
    parser.add_argument("--name", default="", help="of the scan in the table; by default the file's name")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    scan = read_scan(args.ct)
    reference = read_mask(args.reference, like=scan, labels={args.label: 1})
    ct, mask = axial(scan.volume), axial(reference).array.astype(np.uint8)
    weights = load_weights(args.weights)
    predictor = Predictor(weights)
    began, rows = time.perf_counter(), []

    def add(change: str, level: float | str, changed: Volume, truth: np.ndarray) -> None:
        result = evaluate_case(
            changed.with_array(truth), predictor.predict(changed).mask, name=f"{change} {level}", surface=False
        )
        rows.append(
            {
                "change": change,
                "level": level,
                "liver_dice": result.liver_dice,
                "liver_rvd": result.liver_rvd,
                "liver_reference_ml": result.liver_reference_ml,
                "liver_prediction_ml": result.liver_prediction_ml,
                "tumor_prediction_ml": result.tumor_prediction_ml,
            }
        )
        print(
            f"{change:<28} {level!s:<12} Dice {result.liver_dice:.4f}, {result.liver_prediction_ml:.1f} ml", flush=True
        )

    for change, levels in CHANGES.items():
        for level, function in levels:
            array, truth, spacing = function(ct.array, mask, tuple(ct.spacing))
            add(change, level, volume_of(np.rint(array).astype(np.int16), spacing), truth)
    for name, volume in without_liver(ct, mask):
        add("no liver", name, volume, np.zeros(volume.spatial_shape, np.uint8))
    args.output.mkdir(parents=True, exist_ok=True)
    write_csv(args.output / f"{weights.card.name}.csv", rows)
    write_json(
        args.output / f"{weights.card.name}.json",
        {
            "scan": args.name or args.ct.name,
            "sha256": {"ct": sha256(args.ct), "reference": sha256(args.reference)},
            "reference_ml": float(np.count_nonzero(liver_mask(mask)) * voxel_volume_ml(ct)),
            "weights": {"name": weights.card.name, "sha256": weights.card.sha256},
            "seconds": time.perf_counter() - began,
            "machine": machine(),
        },
    )


if __name__ == "__main__":
    main()
