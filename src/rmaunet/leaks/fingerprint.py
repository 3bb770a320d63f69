"""What stays of a scan through flips, resampling, windowing and cropping: a strip of small normalised slices.

Every slice is cut to its soft tissue (center and extent from the tissue's moments, so the field of view and the pixel size
drop out), clipped to 0 to 140 HU (so wider windows drop out), averaged to 16 x 16, taken less its own blur, brought to mean 0
and SD 1 and rounded to 15 levels. What is kept is where a slice is brighter or darker than its surroundings, in squares of
about 2 cm; HU, size and everything finer are gone. Comparing two strips is :mod:`rmaunet.leaks.match_scans`'s work.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.files import read_json, write_json
from rmaunet.core.volume import Volume, axial

__all__ = [
    "Fingerprint",
    "fingerprint",
    "from_entries",
    "join_fingerprints",
    "read_fingerprints",
    "to_entries",
    "write_fingerprints",
]

VERSION = 1
SIZE = 16
MAX_SLICES = 96
_BASE = 128
_CLIP_HU = (0.0, 140.0)
_EXTENT = 2.0
"""Half of the cut, in standard deviations of the soft tissue along each axis."""
_LEVELS = 7
_FLAT_HU = 1e-3
_WINDOWS_HU = ((-200.0, 200.0), (-160.0, 240.0), (-40.0, 160.0), (-100.0, 400.0))
"""What a picture without HU may have been windowed to; each is tried."""


@dataclass(frozen=True)
class Fingerprint:
    """A scan's fingerprint.

    Attributes:
        name: The case.
        strips: int8 (V, N, 16, 16) from -7 to 7, in steps of half an SD: N slices from feet to head as V readings of the
            intensities (one if they are HU); a slice without tissue is 0.
    """

    name: str
    strips: NDArray[np.int8]


def fingerprint(ct: Volume, name: str) -> Fingerprint:
    """Take a scan's fingerprint.

    Args:
        ct: A CT in any orientation; HU, or a picture of one (values from 0 to 255, 0 to 1 or -1 to 1).
        name: What to call it.

    Returns:
        The fingerprint, of at most 96 slices spread evenly.

    Raises:
        InputError: If fewer than one slice in ten or fewer than three in all show tissue.
    """
    array = axial(ct).array
    depth = array.shape[0]
    chosen = np.unique(np.rint(np.linspace(0, depth - 1, min(depth, MAX_SLICES))).astype(int))
    slices = np.ascontiguousarray(array[chosen]).astype(np.float32)
    strips = [np.stack([_small(plane) for plane in reading]) for reading in _readings(slices)]
    seen = max(int(strip.any(axis=(1, 2)).sum()) for strip in strips)
    if seen < max(3, len(chosen) / 10):
        raise InputError(name, "slices with tissue", seen, "too few to recognise a patient by", "give an abdominal CT")
    return Fingerprint(name, np.stack(strips))


def _readings(slices: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    low, high = float(np.nanmin(slices)), float(np.nanmax(slices))
    if low < -1.5 or high > 255 or high <= low:
        return [slices]
    scaled = (slices - low) / (high - low)
    return [*([slices] if high > 2 else []), *(scaled * (b - a) + a for a, b in _WINDOWS_HU)]


def _small(plane: NDArray[np.float32]) -> NDArray[np.int8]:
    clipped = np.clip(np.nan_to_num(plane, nan=-1000), *_CLIP_HU)
    shrinks = min(plane.shape) >= _BASE
    even = cv2.resize(clipped, (_BASE, _BASE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    even = cv2.GaussianBlur(np.asarray(even), (0, 0), 1.5)
    tissue = np.clip(even - 20, 0, 60)
    total = float(tissue.sum())
    if total < 1e-3 * _BASE * _BASE * 60:
        return np.zeros((SIZE, SIZE), np.int8)
    index = np.arange(_BASE)
    fine = 4 * SIZE
    matrix = np.zeros((2, 3))
    for row, axis in ((1, 1), (0, 0)):  # warpAffine counts x first; summing over axis 0 leaves x
        weights = tissue.sum(axis=axis) / total
        middle = float((weights * index).sum())
        reach = _EXTENT * float(np.sqrt((weights * (index - middle) ** 2).sum()))
        matrix[row, row], matrix[row, 2] = 2 * reach / fine, middle - reach + reach / fine
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(even, matrix, (fine, fine), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=0.0)
    small = cv2.resize(cut, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return _structure(np.asarray(small, np.float32))


def _structure(small: NDArray[np.float32]) -> NDArray[np.int8]:
    sharp = small - cv2.GaussianBlur(small, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT)
    sharp -= sharp.mean()
    spread = float(sharp.std())
    if spread < _FLAT_HU:
        return np.zeros((SIZE, SIZE), np.int8)
    return np.asarray(np.clip(np.rint(sharp * (2 / spread)), -_LEVELS, _LEVELS)).astype(np.int8)


def to_entries(prints: Iterable[Fingerprint]) -> list[dict[str, Any]]:
    """Fingerprints as JSON values; :func:`from_entries` undoes it. Two values of a strip share a byte."""
    entries = []
    for one in prints:
        half = (one.strips.reshape(-1, 2) + 8).astype(np.uint8)
        packed = base64.b64encode((half[:, 0] << 4 | half[:, 1]).tobytes()).decode()
        entries.append({"name": one.name, "shape": list(one.strips.shape), "strips": packed})
    return entries


def from_entries(entries: object, subject: Path) -> list[Fingerprint]:
    """Fingerprints from :func:`to_entries`' output.

    Args:
        entries: The list.
        subject: The file it stood in, for messages.

    Returns:
        The fingerprints.

    Raises:
        InputError: If an entry is no fingerprint.
    """
    prints = []
    items: list[Any] = entries if isinstance(entries, list) else [None]
    for entry in items:
        try:
            name, shape, data = entry["name"], tuple(entry["shape"]), base64.b64decode(entry["strips"], validate=True)
            half = np.frombuffer(data, np.uint8)
            strips = (np.stack([half >> 4, half & 15], axis=-1).astype(np.int8) - np.int8(8)).reshape(shape)
        except (TypeError, KeyError, ValueError, binascii.Error) as error:
            raise InputError(subject, "fingerprints", None, "one is damaged", "make them again") from error
        if not isinstance(name, str) or strips.ndim != 4 or strips.shape[2:] != (SIZE, SIZE) or 0 in strips.shape:
            raise InputError(subject, "fingerprints", str(shape), "is no shape of one", "make them again")
        prints.append(Fingerprint(name, strips))
    return prints


def write_fingerprints(path: Path, prints: Sequence[Fingerprint]) -> None:
    """Keep fingerprints as JSON, at most 17 kB a case. Raises OutputError if it cannot be written."""
    write_json(path, {"version": VERSION, "fingerprints": to_entries(prints)})


def read_fingerprints(path: Path) -> list[Fingerprint]:
    """Read a file of :func:`write_fingerprints`, such as ``fingerprints.json`` beside weights.

    Args:
        path: The file.

    Returns:
        The fingerprints.

    Raises:
        InputError: If there are none, or one is damaged.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "content", None, "is no readable JSON", "give a file of fingerprints") from error
    if not isinstance(content, dict) or "fingerprints" not in content:
        raise InputError(path, "fingerprints", None, "are not in it", "give a file of `rmaunet data overlap --save`")
    if content.get("version") != VERSION:
        raise InputError(path, "version", content.get("version"), f"is not {VERSION}", "make the fingerprints again")
    return from_entries(content["fingerprints"], path)


def join_fingerprints(path: Path, files: Iterable[Path]) -> None:
    """Write every case of several files once; no file if they have none. Raises as reading and writing do."""
    prints = {one.name: one for file in files for one in read_fingerprints(file)}
    if prints:
        write_fingerprints(path, list(prints.values()))
