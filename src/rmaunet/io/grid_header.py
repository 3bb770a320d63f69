"""What the text headers of NRRD and MetaImage have in common: lines, numbers, and a data file beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from rmaunet.errors import InputError
from rmaunet.io.affine import check_affine, is_identity
from rmaunet.io.regular import check_regular
from rmaunet.io.stored import StoredImage

__all__ = ["MAX_HEADER", "beside", "data_start", "finished", "number_list", "required", "whole_number"]

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
    note = f"{field} is the identity: spacing and orientation were probably lost; it is used as it is"
    return StoredImage(**{**image.__dict__, "affine": np.asarray(image.affine), "notes": (*image.notes, note)})
