"""The folder of a run, held by one process at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from rmaunet.core.errors import OutputError
from rmaunet.core.files import make_folder

__all__ = ["LOCK", "locked"]

LOCK = "run.lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Hold a folder so that no second run writes to it. The system ends the hold when the process ends, however it ends.

    Args:
        folder: Created if need be.

    Yields:
        The folder.

    Raises:
        OutputError: If another run holds it, or the lock cannot be written.
    """
    from filelock import FileLock, Timeout

    make_folder(folder)
    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        remedy = "wait, stop it, or choose another folder"
        raise OutputError(folder, LOCK, None, "another run uses this folder", remedy) from None
    except OSError as error:
        raise OutputError(path, "lock", error.strerror, "cannot be written", "check space and permissions") from error
    try:
        yield folder
    finally:
        path.unlink(missing_ok=True)  # before the release: a run that opened it meanwhile finds it gone and tries again
        lock.release()
