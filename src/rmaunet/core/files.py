"""Writing files so that nothing half-written ever stands under a final name."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from rmaunet.core.errors import OutputError
from rmaunet.core.formats import SUFFIXES

__all__ = [
    "all_or_nothing",
    "cache_folder",
    "make_folder",
    "read_json",
    "replacing",
    "sha256",
    "write_bytes",
    "write_csv",
    "write_json",
    "write_text",
]

_LONGEST_SUFFIX = 16
"""In characters; a longer one is part of the name, and would make the temporary name too long."""

_undo: ContextVar[list[tuple[Path, Path | None]] | None] = ContextVar("_undo", default=None)
"""Inside :func:`all_or_nothing`: each file written, and where its older self is kept."""


def cache_folder() -> Path:
    """Where what can be made again is kept: ``rmaunet`` in ``RMAUNET_CACHE``, else in the system's own place for caches."""
    named = os.environ.get("RMAUNET_CACHE") or os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named) / "rmaunet"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "rmaunet"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "rmaunet" / "Cache"
    return Path.home() / ".cache" / "rmaunet"


def make_folder(path: Path) -> Path:
    """Create a folder with its parents, or say why it cannot be written.

    Args:
        path: The folder.

    Returns:
        ``path``.

    Raises:
        OutputError: If it is a file, cannot be created or is not writable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(path, "output folder", error.strerror, "cannot be created", "choose another") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(path, "output folder", None, "is not writable", "choose another, or change its rights")
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name once the block ends well.

    The block writes to the path it is given (its suffixes are those of ``path``, since writers choose the format by
    suffix); then the bytes are flushed to disk and the file is renamed. If the block fails, nothing is left and an
    older file is untouched.

    Args:
        path: The final name; its folder is created.

    Yields:
        The temporary path.

    Raises:
        OutputError: If the disk is full or the folder cannot be written.
    """
    make_folder(path.parent)
    known = (known for known in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(known))
    suffix = next(known, path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else "")
    try:
        handle, name = tempfile.mkstemp(prefix=".partial-", suffix=suffix, dir=path.parent)
    except OSError as error:
        raise OutputError(path, "file", error.strerror, "cannot be written", "free space or choose another") from error
    os.close(handle)
    temporary = Path(name)
    try:
        try:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            _remember(path)
            temporary.replace(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputError(path, "file", reason, "cannot be written", "free space or choose another") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def all_or_nothing() -> Iterator[None]:
    """Files written by :func:`replacing` in the block stay only if the block ends well.

    If it fails (a full disk at the last of several files, an interrupt), those that were new are gone and those that
    were there before are as they were. A block inside another one is part of it.
    """
    if _undo.get() is not None:
        yield
        return
    written: list[tuple[Path, Path | None]] = []
    token = _undo.set(written)
    try:
        yield
    except BaseException:
        for path, older in written:
            with contextlib.suppress(OSError):
                if older is None:
                    path.unlink(missing_ok=True)
                else:
                    older.replace(path)
        raise
    else:
        for _, older in written:
            if older is not None:
                older.unlink(missing_ok=True)
    finally:
        _undo.reset(token)


def _remember(path: Path) -> None:
    written = _undo.get()
    if written is None or any(path == known for known, _ in written):
        return
    if not path.exists():
        written.append((path, None))
        return
    older = path.with_name(f".partial-older-{len(written)}-{os.getpid()}")
    with contextlib.suppress(OSError):  # a file system without links: the new file, whole, will stay
        os.link(path, older)
        written.append((path, older))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` under ``path``, whole or not at all. Raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    r"""Write ``text`` as UTF-8 under ``path``, whole or not at all. Raises OutputError.

    Bytes of a file name that are not UTF-8 are written as Python keeps them: ``\udcfc`` is the byte FC. In JSON that is an
    escape, which a reader turns back into the very name.
    """
    write_bytes(path, text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented strict JSON (NaN becomes null) under ``path``. Raises OutputError."""
    write_text(path, json.dumps(_strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "item") and callable(value.item):  # a NumPy scalar
        return _strict(value.item())
    return value


def read_json(path: Path) -> Any:
    """Read JSON, whatever the locale: UTF-8 with or without a byte-order mark, UTF-16, UTF-32.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not JSON in one of these encodings.
        RecursionError: If it is nested too deeply.
    """
    return json.loads(path.read_bytes())


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
    """Write rows as CSV under ``path``; floats in full precision, NaN as an empty cell.

    Args:
        path: The final name.
        rows: One mapping a row; missing keys are empty cells.
        columns: Their order; by default the keys in order of first appearance.

    Raises:
        OutputError: If it cannot be written.
    """
    names = list(columns) if columns is not None else list(dict.fromkeys(key for row in rows for key in row))
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if _strict(row.get(name)) is None else row[name] for name in names})
    write_text(path, buffer.getvalue())


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
