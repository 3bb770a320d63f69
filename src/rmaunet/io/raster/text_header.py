"""What the text headers of NRRD and MetaImage have in common: lines, numbers, and a data file beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.io.storage.affine_checks import check_affine, identity_notice, is_identity
from rmaunet.io.storage.openable import check_regular
from rmaunet.io.storage.voxel_layout import StoredImage

__all__ = ["MAX_HEADER", "beside", "data_start", "finished", "listed", "number_list", "required", "whole_number"]

MAX_HEADER = 1 << 22
"""Headers longer than this are refused."""


def required(path: Path, fields: Mapping[str, str], name: str) -> str:
    """A field that must be there. Raises InputError."""
    if name not in fields:
        raise InputError(path, name, None, "is missing from the header", "take the original file")
    return fields[name]


def number_list(path: Path, name: str, text: str, count: int) -> list[float]:
    """``count`` numbers from a header's text.

    Raises:
        InputError: If there are more or fewer, or one is no number.
    """
    words = text.replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not words:
        raise InputError(path, name, text[:80], f"must be {count} numbers", "take the original file")
    return numbers


def whole_number(path: Path, name: str, text: str) -> int:
    """One whole number from a header's text. Raises InputError."""
    value = number_list(path, name, text, 1)[0]
    if not value.is_integer():  # neither are NaN and infinity
        raise InputError(path, name, text[:80], "must be a whole number", "the header is damaged; copy it again")
    return int(value)


def beside(path: Path, field: str, name: str) -> Path:
    """The detached data file a header names, which must lie in the header's folder or below.

    Args:
        path: The header.
        field: The header field.
        name: What it says.

    Returns:
        The data file.

    Raises:
        InputError: If the name leads out of the folder or the file is not there.
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or PureWindowsPath(name).drive or ".." in parts.parts or "\x00" in name or not name:
        raise InputError(path, field, name[:80], "leads out of the header's folder", "keep both files in one folder")
    other = path.parent / parts
    try:
        check_regular(other)
    except InputError as error:
        raise InputError(path, field, name[:80], f"the data file {error.problem}", "copy both files") from error
    return other


def listed(path: Path, field: str, value: str, names: Sequence[str], *, axes: int, count: int) -> tuple[Path, ...]:
    """The data files of a header that names one for each step along its last axis.

    Args:
        path: The header.
        field: The header field.
        value: What it says: ``LIST``, or a pattern with its first and last number and step (``ct%03d.raw 1 60 1``).
        names: The lines that follow ``LIST``.
        axes: Of the image.
        count: Steps along the last axis.

    Returns:
        ``count`` files.

    Raises:
        InputError: If it names other than ``count`` files, one is not there, or one holds more or less than a step.
    """
    words = value.split()
    if words[0].upper() == "LIST":
        several, sizes = [name for name in names if name.strip()], words[1:]
    else:
        pattern = re.fullmatch(r"([^%]*)%(0?)(\d{0,2})[di]([^%]*)", words[0])
        if pattern is None or len(words) < 4:
            raise InputError(path, field, value[:60], "is no pattern of file names", "name the files by LIST")
        first, last, step = (whole_number(path, field, word) for word in words[1:4])
        if step == 0 or not 0 <= (last - first) / step < count:
            raise InputError(path, field, value[:60], f"must make {count} names", "take the original file")
        fill = f"{{:{pattern[2]}{pattern[3]}d}}"
        several = [pattern[1] + fill.format(n) + pattern[4] for n in range(first, last + (1 if step > 0 else -1), step)]
        sizes = words[4:]
    if sizes and sizes != [str(axes - 1)]:
        raise InputError(path, field, value[:60], f"must hold {axes - 1} axes a file", "save it as one file")
    if len(several) != count:
        problem = f"names {len(several)} files where there are {count} steps along the last axis"
        raise InputError(path, field, value[:60], problem, "give one file for each, or one file for all")
    return tuple(beside(path, field, name.strip()) for name in several)


def data_start(image: Path, data: Path, field: str, *, after: int, skip: int, size: int) -> int:
    """Where raw data begin: ``skip`` bytes behind the header, or for -1 so that they end with the file.

    Args:
        image: The header, for messages.
        data: The file that holds them.
        field: The header field that tells ``skip``.
        after: Where the header ends in ``data``; 0 in a file of its own.
        skip: Bytes to pass over, or -1.
        size: Bytes of the data.

    Returns:
        Their first byte.

    Raises:
        InputError: If ``skip`` is below -1 or beyond the file.
    """
    total = check_regular(data)
    start = total - size if skip == -1 else after + skip
    if skip < -1 or start < after or start > total:
        problem = "is cut off, or the header asks for more than there is"
        raise InputError(image, field, skip, problem, "copy the file again from its source")
    return start


def finished(image: StoredImage, field: str) -> StoredImage:
    """The image after the checks every format shares; the identity gets a note.

    Raises:
        InputError: If the affine makes no grid.
    """
    check_affine(image.path, field, image.affine)
    if not is_identity(image.affine):
        return image
    note = identity_notice(field)
    return StoredImage(**{**image.__dict__, "affine": np.asarray(image.affine), "notes": (*image.notes, note)})
