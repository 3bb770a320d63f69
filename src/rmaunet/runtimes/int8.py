"""A converted network in 8-bit integers, by NNCF's post-training quantisation, calibrated on scans anyone can make.

The ranges of the integers come from phantoms (:mod:`rmaunet.datasets.phantoms.phantom`), and from the public example CT where
`rmaunet demo` has fetched it. No patient's scan is needed, and the same version of everything gives the same network.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.files import cache_folder
from rmaunet.datasets.phantoms.example_scan import kept_example
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.preprocess import Preprocessing, prepare
from rmaunet.runtimes.openvino_runtime import import_openvino

__all__ = ["LEFT_OUT", "calibration_name", "calibration_slices", "quantise"]

VERSION = 1
"""Of the calibration: raised when slices or the layers left out change, so that every network is made anew."""

LEFT_OUT = (r".*\.head.*", r".*mab.*", r".*\.se\b.*")
"""Layers, by their name in the converted network, that stay as they are.

The head decides at a threshold, and a step of its integers is a jump of probability. Attention (MAB, squeeze and
excitation) multiplies whole maps by one number: its error is that of every pixel at once, and it is a small part of the work.
"""

_SHAPE = (64, 256, 256)
_EVERY = 8


def calibration_name() -> str:
    """What calibrates here, for the cache: the version, and "p" for phantoms alone or "e" if the example CT takes part."""
    return f"int8.{VERSION}{'e' if kept_example(cache_folder()) else 'p'}"


def calibration_slices(preprocessing: Preprocessing) -> list[NDArray[np.float32]]:
    """Slices (1, C, H, W) as the network sees them.

    Args:
        preprocessing: The network's.

    Returns:
        Of six abdomens, a chest and a pelvis, and of the example CT where it is in the cache.
    """
    scans = [phantom("abdomen", seed=seed, shape=_SHAPE).ct for seed in range(6)]
    scans += [phantom("chest", seed=0, shape=_SHAPE).ct, phantom("pelvis", seed=0, shape=_SHAPE).ct]
    example = kept_example(cache_folder())
    if example:
        from rmaunet.io import read_volume

        scans.append(read_volume(example).volume)
    slices = []
    for scan in scans:
        prepared = prepare(scan, preprocessing)
        slices += [prepared.slices(z, z + 1) for z in range(_EVERY // 2, len(prepared), _EVERY)]
    return slices


def quantise(model: Path, path: Path, slices: Sequence[NDArray[np.float32]]) -> None:
    """Turn a converted network into one of 8-bit integers.

    Args:
        model: The .xml in float32.
        path: The .xml to write.
        slices: From :func:`calibration_slices`.

    Raises:
        ImportError: If NNCF is not installed.
    """
    ov = import_openvino()  # first: NNCF would load its telemetry
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        import nncf

        nncf.set_log_level(logging.ERROR)
        quantised = nncf.quantize(
            ov.Core().read_model(str(model)),
            nncf.Dataset(list(slices)),
            subset_size=len(slices),
            target_device=nncf.TargetDevice.CPU,
            preset=nncf.QuantizationPreset.MIXED,  # PReLU's outputs lie on both sides of zero
            ignored_scope=nncf.IgnoredScope(patterns=list(LEFT_OUT), validate=False),
        )
    ov.save_model(quantised, str(path), compress_to_fp16=False)
