"""Checks of where results go, made before anything is computed: no input is written over, every name can be written."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from rmaunet.core.errors import OutputError, UsageError
from rmaunet.core.walk import Identity, identity_of, walk

__all__ = ["check_name", "check_outputs", "is_there", "looks_like_a_file"]


def check_outputs(
    outputs: Iterable[Path],
    inputs: Iterable[Path | None],
    *,
    folder: Path | None = None,
    overwrite: bool = True,
) -> None:
    """Refuse outputs that are inputs under any name: the same path, a symbolic or hard link, another case of letters.

    Args:
        outputs: Every file that will be written.
        inputs: Files and folders that are read; of a folder, every file in it counts. None is passed over.
        folder: Where the results go, if it must not be one of the input folders itself. What lies in it is no input.
        overwrite: If False, a file that exists is refused, too.

    Raises:
        UsageError: If an output is an input, or two outputs are one file.
        OutputError: If a name cannot be written, is a folder's, or exists and must not be replaced.
    """
    wanted = list(outputs)
    sources = [path for path in inputs if path is not None]
    if folder is not None and (place := identity_of(folder)) is not None:
        for source in sources:
            if source.is_dir() and identity_of(source) == place:
                raise UsageError(
                    folder, "output folder", str(source), "is the folder of the input", "give another folder"
                )
    for path in wanted:
        check_name(path)
    existing = {path: place for path in wanted if (place := identity_of(path)) is not None}
    _refuse_inputs(existing, sources, folder)
    _refuse_twice(wanted, existing)
    for path in wanted:
        if path.is_dir():
            raise OutputError(path, "output", None, "is a folder", "choose another name")
        if not overwrite and os.path.lexists(path):
            raise OutputError(path, "output", None, "exists already", "choose another name, or add --overwrite")


def _refuse_inputs(existing: dict[Path, Identity], sources: Sequence[Path], folder: Path | None) -> None:
    if not existing:  # what does not exist is no input, by whatever name
        return
    known: dict[Identity, Path] = {}
    for source in sources:
        for file in walk(source, leave_out=folder).files if source.is_dir() else (source,):
            if (place := identity_of(file)) is not None:
                known.setdefault(place, file)
    for path, place in existing.items():
        if place in known:
            problem = "is one of the inputs, which are never changed"
            raise UsageError(path, "output", str(known[place]), problem, "choose another name or folder")


def _refuse_twice(wanted: Sequence[Path], existing: dict[Path, Identity]) -> None:
    first: dict[object, Path] = {}
    for path in wanted:
        other = first.setdefault(existing.get(path, path.absolute()), path)
        if other is not path:
            raise UsageError(path, "output", str(other), "two results would be one file", "give each a name of its own")


def is_there(path: Path) -> bool:
    """Whether a path leads to something; False for a name that is too long, too."""
    return identity_of(path) is not None


def check_name(path: Path) -> None:
    """Refuse a name that the file system cannot hold. Raises OutputError."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            size = len(os.fsencode(path.name))
            reason = error.strerror or "not valid"
            problem = f"cannot be a file name here ({reason})"
            raise OutputError(path, "output name", f"{size} bytes", problem, "choose a shorter name") from error
    except ValueError as error:
        raise OutputError(path, "output name", None, "cannot be a file name", "choose another name") from error


def looks_like_a_file(path: Path) -> bool:
    """Whether a path that does not exist ends like a file's name (".stl"), not like a folder's ("run.2", "v1.10").

    Example:
        >>> [looks_like_a_file(Path(name)) for name in ("out.stl", "x.mha", "run.2", "model.v2", "results", ".hidden")]
        [True, True, False, False, False, False]
    """
    return not path.exists() and re.fullmatch(r"\.(?!v\d)[a-z][a-z0-9]{1,5}", path.suffix.lower()) is not None
