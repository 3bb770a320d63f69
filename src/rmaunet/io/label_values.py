"""Stored values of a mask to the labels 0, 1, 2; everything else is refused with values and counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.errors import InputError, UsageError
from rmaunet.io.stored import StoredImage
from rmaunet.io.voxels import stored_pieces
from rmaunet.labels import BACKGROUND, LIVER, TUMOR

__all__ = ["check_mapping", "read_labels", "to_labels"]

_KNOWN = (BACKGROUND, LIVER, TUMOR)
_ROUNDING = 0.01
_SHOWN = 8


def check_mapping(path: Path, labels: Mapping[int, int]) -> None:
    """Refuse a mapping whose targets are no labels of ours. Raises UsageError."""
    wrong = {value: label for value, label in labels.items() if label not in _KNOWN}
    if wrong:
        raise UsageError(path, "labels", str(wrong), "targets must be 0, 1 (liver) or 2 (tumor)", "correct the mapping")


class _Counts:
    """How often each value occurs, over all pieces; bounded, since a CT given as a mask has thousands."""

    def __init__(self) -> None:
        self.of: dict[float, int] = {}

    def add(self, values: NDArray[Any]) -> None:
        for value, count in zip(*np.unique(values, return_counts=True), strict=True):
            if len(self.of) < 10000 or value in self.of:
                self.of[float(value)] = self.of.get(float(value), 0) + int(count)

    def text(self) -> str:
        often = sorted(self.of, key=lambda value: -self.of[value])[:_SHOWN]
        parts = [f"{value:.6g} ({self.of[value]} voxels)" for value in sorted(often)]
        more = len(self.of) - len(often)
        return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def to_labels(path: Path, pieces: Iterator[NDArray[Any]], count: int, labels: Mapping[int, int] | None) -> NDArray[Any]:
    """Turn pieces of stored values into one array of labels.

    Args:
        path: The file, for messages.
        pieces: 1-D arrays of values, in file order.
        count: How many values in all.
        labels: Foreign value to ours; values it does not name become background. None: only 0, 1, 2 are allowed.

    Returns:
        uint8 array of ``count`` labels.

    Raises:
        InputError: If a value is no whole number (within 0.01), or, without ``labels``, not 0, 1 or 2.
    """
    result = np.zeros(count, np.uint8)
    broken, foreign = _Counts(), _Counts()
    done = 0
    for piece in pieces:
        values = piece
        if values.dtype.kind == "f":
            whole = np.rint(values)
            with np.errstate(invalid="ignore"):
                close = np.abs(values - whole) <= _ROUNDING  # False for NaN and infinity
            broken.add(values[~close])
            values = np.where(close, whole, 0)
        part = result[done : done + len(values)]
        if labels is None:
            known = (values >= BACKGROUND) & (values <= TUMOR)
            if not known.all():
                foreign.add(values[~known])
            part[known] = values[known].astype(np.uint8)
        else:
            for value, label in labels.items():
                part[values == value] = label
        done += len(values)
    if broken.of:
        raise InputError(path, "labels", broken.text(), "are no whole numbers", "give a label map, not probabilities")
    if foreign.of:
        remedy = advise("--label", "map them, e.g. --label 5=liver", "save the mask with the values 0, 1, 2")
        raise InputError(path, "labels", foreign.text(), "are none of 0 background, 1 liver, 2 tumor", remedy)
    return result


def read_labels(image: StoredImage, labels: Mapping[int, int] | None) -> NDArray[np.uint8]:
    """Read the only volume of a file as labels.

    Args:
        image: What the header says.
        labels: Foreign value to ours, or None.

    Returns:
        uint8 (k, j, i).

    Raises:
        InputError: If the data are cut or damaged, the file has several volumes, or values are no labels.
    """
    if image.volumes != 1:
        raise InputError(image.path, "volumes", image.volumes, "a mask is one volume", "merge them into one label map")
    with image.open() as stream:
        pieces = stored_pieces(stream, image, 0)
        if (image.slope, image.intercept) != (1.0, 0.0):
            pieces = (piece.astype(np.float64) * image.slope + image.intercept for piece in pieces)
        try:
            flat = to_labels(image.path, pieces, math.prod(image.shape), labels)
        except MemoryError as error:
            problem = "does not fit into memory"
            raise InputError(image.path, "shape", str(image.shape), problem, "free memory") from error
        stream.end()
    return flat.reshape(image.shape[::-1])
