"""Converted networks, kept by the checksum of their weights so that each is converted once."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rmaunet import __version__
from rmaunet.core.files import cache_folder
from rmaunet.core.notices import notice

__all__ = ["converted"]

VERSION = 2
"""Version of the conversion (:mod:`.fuse_layers`, :mod:`.export_network`). Raise it when the converted network changes."""


@contextlib.contextmanager
def converted(sha256: str, name: str, library: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """A converted network's file, from the cache or made now.

    Args:
        sha256: Of the weights; empty for a network without, which is never kept.
        name: Of the file, e.g. "model.xml"; ``make`` may write others beside it.
        library: What reads the file, with its version: another version makes its own.
        make: Writes the file under the path it is given.

    Yields:
        The file, which is there for the length of the block. Where the cache cannot be written it is a passing one, and
        that is said.
    """
    key = f"{sha256[:32]}-{library}-rmaunet{__version__}.{VERSION}".replace("/", "-")
    folder = cache_folder() / "converted" / key
    if sha256 and (folder / name).is_file():
        yield folder / name
        return
    work = (_aside(folder.parent) if sha256 else None) or Path(tempfile.mkdtemp(prefix="rmaunet-"))
    try:
        make(work / name)
        found = work / name
        if work.parent == folder.parent:
            # Written aside and renamed: what stands under its final name is whole. If another run was first, ours serves.
            with contextlib.suppress(OSError):
                work.replace(folder)
                found = folder / name
        yield found
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _aside(folder: Path) -> Path | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        notice(folder, f"cannot keep converted networks ({error.strerror}); set RMAUNET_CACHE to a folder that can")
        return None
