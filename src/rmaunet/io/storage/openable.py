"""Whether a path can be opened as a file at all, asked before anything opens it (a FIFO would hang the reader)."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from rmaunet.core.errors import InputError

__all__ = ["check_regular", "first_bytes"]


def check_regular(path: Path) -> int:
    """Refuse everything but a readable, non-empty regular file; links to one are followed.

    Args:
        path: The path the user named.

    Returns:
        The file's size in bytes.

    Raises:
        InputError: For a missing file, a folder, a dangling or looping link, a FIFO, socket or device, an unreadable
            or an empty file.
    """
    try:
        state = path.stat()
    except (OSError, ValueError) as error:
        raise InputError(path, "file", None, _why(path, error), "check the path") from error
    if stat.S_ISDIR(state.st_mode):
        raise InputError(path, "file", None, "is a folder", "name a file in it")
    if not stat.S_ISREG(state.st_mode):
        raise InputError(path, "file", None, "is a pipe, socket or device, not a regular file", "copy it to a file")
    if not os.access(path, os.R_OK):
        raise InputError(path, "file", None, "is not readable", "change its rights")
    if state.st_size == 0:
        raise InputError(path, "file", "0 bytes", "is empty", "copy it again from its source")
    return state.st_size


def _why(path: Path, error: Exception) -> str:
    if not isinstance(error, OSError):
        return "is no valid path"
    if error.errno == errno.ELOOP:
        return "is a link that leads back to itself"
    if error.errno == errno.ENOENT and path.is_symlink():
        return "is a link to a file that does not exist"
    return "does not exist" if error.errno == errno.ENOENT else str(error.strerror).lower()


def first_bytes(path: Path, count: int) -> bytes:
    """The first bytes of a checked file.

    Args:
        path: A file; see :func:`check_regular` for what is refused.
        count: How many at most.

    Returns:
        Up to ``count`` bytes.

    Raises:
        InputError: If it cannot be read.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise InputError(path, "file", error.strerror, "cannot be read", "check the disk and its rights") from error
