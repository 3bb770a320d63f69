"""Whole scans through the command line, each in a process of its own: time by stage, processor time, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import RmaunetError
from rmaunet.core.volume import Volume, axial, make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_volume

__all__ = ["scan_like", "segment_row", "write_scan"]

SPACING_MM = (1.5, 0.75, 0.75)
_NOISE_HU = 12.0


def scan_like(depth: int, *, side: int = 512) -> Volume:
    """A phantom's abdomen of 170 mm in the middle of a longer scan, with noise; it compresses as a real CT does.

    Args:
        depth: Slices of 1.5 mm.
        side: Rows and columns.

    Returns:
        int16 HU (depth, side, side).
    """
    scene = phantom("abdomen", seed=1)
    planes = np.asarray(axial(scene.ct).array)
    thick = axial(scene.ct).spacing[0]
    place = (np.arange(depth) - depth / 2) * SPACING_MM[0] / thick + len(planes) / 2
    index = np.clip(np.rint(place), 0, len(planes) - 1).astype(int)
    rng = np.random.default_rng(0)
    noise = np.rint(rng.normal(0, _NOISE_HU, (4, side, side))).astype(np.int16)
    result = np.empty((depth, side, side), np.int16)
    large: dict[int, NDArray[np.int16]] = {}
    for z, source in enumerate(index):
        if source not in large:
            large = {source: np.asarray(cv2.resize(planes[source].astype(np.int16), (side, side)), np.int16)}
        result[z] = large[source] + np.roll(noise[z % 4], 7 * z, axis=0)
    dz, dy, dx = SPACING_MM
    affine = np.array([[0, 0, dx, 0], [0, dy, 0, 0], [dz, 0, 0, 0], [0, 0, 0, 1.0]])
    return make_volume(result, affine)


def write_scan(folder: Path, depth: int) -> Path:
    """The scan of :func:`scan_like` as NIfTI in ``folder``; returns the file."""
    path = folder / f"scan{depth}.nii.gz"
    write_volume(scan_like(depth), path)
    return path


def segment_row(scan: Path, *options: str, threads: int = 0) -> dict[str, Any]:
    """Run ``rmaunet segment`` on a scan.

    Args:
        scan: The file.
        options: Further words for the command line.
        threads: For the network; 0 for one a core.

    Returns:
        Seconds by stage as in the manifest ("outside_network" is the sum of all but the network), "wall" and "cpu" seconds of
        the whole process, "start" (wall time before the scan is read), slices computed, and "peak_bytes".

    Raises:
        RmaunetError: If the command fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", "from rmaunet.cli.main import run; run()", "segment", "-i", str(scan)]
        words += ["-o", folder, "--threads", str(threads), *options]
        began, before = time.perf_counter(), os.times()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        wall, after = time.perf_counter() - began, os.times()
        if done.returncode:
            raise RmaunetError(scan, "segment", done.returncode, done.stderr[-300:], "see above")
        content = json.loads(next(Path(folder).glob("*_run.json")).read_text(encoding="utf-8"))
    seconds: dict[str, float] = content["seconds"]
    used = after.children_user + after.children_system - before.children_user - before.children_system
    stages = {name: value for name, value in seconds.items() if name != "total"}
    return {
        "slices": content["shape"][0],
        "options": " ".join(options),
        "computed": content["slices_computed"],
        "runtime": f"{content['runtime']['name']} {content['runtime']['precision']}",
        "wall": wall,
        "cpu": used,
        "start": wall - seconds["total"],
        "seconds": stages,
        "outside_network": sum(stages.values()) - stages["network"],
        "peak_bytes": content["memory"]["peak_bytes"],
        "predicted_bytes": content["memory"]["predicted_bytes"],
    }
