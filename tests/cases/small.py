"""A small CT with a liver and a tumor that the known network finds, as NIfTI and as DICOM."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from released import known_network, scene, write_series
from rmaunet.core.volume import Volume
from rmaunet.io import Scan, write_mask, write_volume
from rmaunet.io.scan import GridSource

CT, TRUTH = scene((3.0, 1.5, 1.5))
__all__ = ["CT", "TRUTH", "known_network", "write_ct", "write_dicom", "write_labels"]


def write_ct(path: Path, plus: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(CT.with_array((CT.array + plus).astype(np.int16)), path)
    return path


def write_labels(path: Path, mask: Volume = TRUTH) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask(mask, path, like=Scan(CT, "ct", GridSource(path)))
    return path


def write_dicom(folder: Path, ct: Volume = CT) -> Path:
    return write_series(folder, ct)
