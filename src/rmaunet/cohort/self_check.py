"""The way of a scan from file to files on a phantom whose truth is known: does this installation give the right answer?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from rmaunet.core.errors import RmaunetError
from rmaunet.core.labels import liver_mask
from rmaunet.core.volume import Volume, geometry_difference
from rmaunet.datasets.phantoms.phantom import Phantom, phantom
from rmaunet.io import Scan, read_mask, read_scan, write_mask, write_volume
from rmaunet.io.dicom.sample_images import dicom_source
from rmaunet.measurement import lesion_numbers, measure
from rmaunet.predict import Predictor

__all__ = ["Step", "self_check"]

T = TypeVar("T")
LEAST_DICE = 0.7
"""The released weights find the phantom's liver with a Dice above 0.8; a broken kernel or wrong orientation finds none."""


@dataclass(frozen=True)
class Step:
    """A step of the check.

    Attributes:
        name: What was tried.
        fault: None, or what went wrong.
        seconds: Wall time.
    """

    name: str
    fault: str | None
    seconds: float


def self_check(predictor: Predictor | None, *, shape: tuple[int, int, int] = (32, 96, 96)) -> list[Step]:
    """Write a phantom, read it, segment it, write the mask in every format and read each back.

    Args:
        predictor: The network; None leaves the segmentation out, and the phantom's own mask is written.
        shape: Of the phantom, at 256 x 384 x 384 mm.

    Returns:
        The steps in order; after a failed one that others need, these are missing.
    """
    truth = phantom("abdomen", seed=1, shape=shape)
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="rmaunet-") as name:
        folder = Path(name)
        scan = _tried(steps, "write and read a CT (NIfTI)", lambda: _ct(truth, folder))
        if scan is None:
            return steps
        mask = truth.mask
        if predictor is not None:
            found = _tried(steps, "segment a phantom", lambda: _segmented(truth, scan, predictor))
            if found is None:
                return steps
            mask = found
        series = Scan(scan.volume, "series", dicom_source(scan.volume))
        for suffix, like in ((".nii.gz", scan), (".seg.nrrd", scan), (".seg.dcm", series)):
            path = folder / f"mask{suffix}"
            _tried(steps, f"write and read {suffix}", partial(_written, mask, path, like))
        _tried(steps, "measure", lambda: _measured(truth))
    return steps


def _tried(steps: list[Step], name: str, action: Callable[[], T]) -> T | None:
    began, result, fault = time.perf_counter(), None, None
    try:
        result = action()
    except Exception as error:  # whatever goes wrong is the answer sought
        fault = " ".join(f"{error if isinstance(error, RmaunetError) else repr(error)}".split())[:300]
    steps.append(Step(name, fault, round(time.perf_counter() - began, 2)))
    return result


def _ct(truth: Phantom, folder: Path) -> Scan:
    write_volume(truth.ct, folder / "ct.nii.gz")
    scan = read_scan(folder / "ct.nii.gz")
    _expect(np.array_equal(scan.volume.array, np.maximum(truth.ct.array, -1024)), "other voxels come back")
    _expect(geometry_difference(scan.volume, truth.ct) is None, "the CT comes back elsewhere")
    return scan


def _segmented(truth: Phantom, scan: Scan, predictor: Predictor) -> Volume:
    mask = predictor.predict(scan.volume).mask
    _expect(geometry_difference(mask, scan.volume) is None, "the mask is not on the CT's grid")
    found, liver = liver_mask(mask.array), liver_mask(truth.mask.array)
    dice = 2 * int((found & liver).sum()) / max(1, int(found.sum()) + int(liver.sum()))
    _expect(dice >= LEAST_DICE, f"liver Dice {dice:.3f} against the phantom's truth, below {LEAST_DICE}")
    return mask


def _written(mask: Volume, path: Path, like: Scan) -> bool:
    write_mask(mask, path, like=like, lesions=lesion_numbers(mask))
    back = read_mask(path, like=like)
    _expect(np.array_equal(back.array, mask.array), "other voxels come back")
    return True


def _measured(truth: Phantom) -> bool:
    volume = measure(truth.ct, truth.mask).liver_ml
    _expect(abs(volume / truth.liver_ml - 1) < 0.05, f"{volume:.0f} ml measured of {truth.liver_ml:.0f} ml")
    return True


def _expect(holds: object, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
