"""Stored values of a mask to the labels 0, 1, 2; everything else is refused with values and counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.labels import BACKGROUND, LIVER, TUMOR
from rmaunet.core.notices import notice
from rmaunet.io.storage.byte_stream import ByteStream
from rmaunet.io.storage.voxel_layout import StoredImage
from rmaunet.io.storage.voxel_values import stored_pieces

__all__ = [
    "LabelKey",
    "Labels",
    "check_mapping",
    "plain_mapping",
    "read_labels",
    "read_structure",
    "shown_labels",
    "to_labels",
]

LabelKey = int | tuple[int, int] | str
"""What `--label` maps: a value or segment number, a value in one layer (layer, value), or a segment's or file's name."""

Labels = Mapping[int, int] | Mapping[LabelKey, int]
"""Foreign keys to ours; what is not named is background."""

_KNOWN = (BACKGROUND, LIVER, TUMOR)
_ROUNDING = 0.01
_SHOWN = 8


def shown_labels(labels: Labels | None) -> dict[str, int] | None:
    """The mapping as `--label` writes it, ready for JSON.

    Example:
        >>> shown_labels({5: 1, (1, 2): 2, "spot": 2})
        {'5': 1, '1:2': 2, 'spot': 2}
    """
    if labels is None:
        return None
    return {":".join(map(str, key)) if isinstance(key, tuple) else str(key): label for key, label in labels.items()}


def plain_mapping(path: Path, labels: Labels | None) -> dict[int, int] | None:
    """The mapping for a file that has values only.

    Args:
        path: The file, for messages.
        labels: See :data:`Labels`.

    Returns:
        Value to label; layer 0 is the only layer. None if there is no mapping.

    Raises:
        UsageError: If it names another layer or a name.
    """
    result: dict[int, int] = {}
    for key, label in (labels or {}).items():
        shown = next(iter(shown_labels({key: label}) or {}))
        if isinstance(key, str):
            problem = "is a name, but the file has values only"
            raise UsageError(
                path, advise("--label", "--label", "label"), shown, problem, "give the value, e.g. 5=liver"
            )
        if isinstance(key, tuple) and key[0] != 0:
            raise UsageError(
                path,
                advise("--label", "--label", "label"),
                shown,
                "names a layer, but the file has one layer (0)",
                "leave it out",
            )
        result[key[1] if isinstance(key, tuple) else key] = label
    return None if labels is None else result


def check_mapping(path: Path, labels: Labels) -> None:
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


def read_labels(image: StoredImage, labels: Labels | None) -> NDArray[np.uint8]:
    """Read the only volume of a file as labels.

    Args:
        image: What the header says.
        labels: Foreign value to ours, or None.

    Returns:
        uint8 (k, j, i).

    Raises:
        InputError: If the data are cut or damaged, the file has several volumes, or values are no labels.
        UsageError: If ``labels`` names a layer or a name.
    """
    if image.volumes != 1:
        raise InputError(image.path, "volumes", image.volumes, "a mask is one volume", "merge them into one label map")
    mapping = plain_mapping(image.path, labels)
    with image.open() as stream:
        try:
            flat = to_labels(image.path, _values(stream, image), math.prod(image.shape), mapping)
        except MemoryError as error:
            problem = "does not fit into memory"
            raise InputError(image.path, "shape", str(image.shape), problem, "free memory") from error
        stream.end()
    if mapping is not None and not flat.any():
        _say_absent(image, mapping)
    return flat.reshape(image.shape[::-1])


def read_structure(image: StoredImage, label: int) -> NDArray[np.uint8]:
    """Read a file that holds one structure: 0 outside, one other value inside (1 or 255).

    Args:
        image: What the header says.
        label: What the structure is.

    Returns:
        uint8 (k, j, i): ``label`` inside, 0 outside.

    Raises:
        InputError: If the data are cut or damaged, or there are several values.
    """
    if image.volumes != 1:
        raise InputError(image.path, "volumes", image.volumes, "a mask is one volume", "give one volume a structure")
    result = np.zeros(math.prod(image.shape), np.uint8)
    inside: set[float] = set()
    done = 0
    with image.open() as stream:
        for values in _values(stream, image):
            marked = values != 0
            if marked.any():
                inside |= {float(values[marked].min()), float(values[marked].max())}
            result[done : done + len(values)] = marked * np.uint8(label)
            done += len(values)
        stream.end()
    if len(inside) > 1:
        shown = ", ".join(f"{value:g}" for value in sorted(inside)[:4])
        problem = "are several; a file of one structure holds 0 and one other value"
        raise InputError(
            image.path,
            "values",
            shown,
            problem,
            advise("--label", "give the label map by itself, with --label", "give the label map by itself"),
        )
    return result.reshape(image.shape[::-1])


def _values(stream: ByteStream, image: StoredImage) -> Iterator[NDArray[Any]]:
    for piece in stored_pieces(stream, image, 0):
        scaled = (image.slope, image.intercept) != (1.0, 0.0)
        yield piece.astype(np.float64) * image.slope + image.intercept if scaled else piece


def _say_absent(image: StoredImage, mapping: Mapping[int, int]) -> None:
    """Say that no voxel has a value of the mapping, and which values there are."""
    counts = _Counts()
    with image.open() as stream:
        for values in _values(stream, image):
            counts.add(values[values != 0])
        stream.end()
    if counts.of:
        named = ", ".join(str(value) for value, label in mapping.items() if label)
        notice(image.path, f"no voxel has a value of the label mapping ({named}); the values are {counts.text()}")
