"""A zip opened safely: into a temporary folder that is gone afterwards, and nothing outside it."""

from __future__ import annotations

import contextlib
import lzma
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from rmaunet.core.errors import InputError

__all__ = ["MAX_FILES", "MAX_TOTAL_BYTES", "extracted"]

MAX_FILES = 20_000 - 1
MAX_TOTAL_BYTES = 4 << 30
MAX_RATIO = 200
"""DICOM compresses by 2 to 10, empty slices more; ratios count only once 64 MiB have come out."""
FREE_BYTES = 64 << 20
REMEDY = "unpack it yourself and give the folder"


@contextlib.contextmanager
def extracted(path: Path) -> Iterator[Path]:
    """Unpack a zip into a temporary folder for as long as the block runs.

    Args:
        path: The archive.

    Yields:
        The folder.

    Raises:
        InputError: If a member leaves the folder, is a link or encrypted, if there are 20 000 members or more, if
            they claim or unpack to more than 4 GiB or 200 times their size, or if the archive is cut or corrupt.
    """
    with tempfile.TemporaryDirectory(prefix="rmaunet-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as archive:
                members = _checked(archive, path)
                left = MAX_TOTAL_BYTES
                for member in members:
                    left -= _extract(archive, member, folder, path, left)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError) as error:
            raise InputError(path, "zip", None, "is cut off or corrupt", "copy it again") from error
        except RuntimeError as error:  # what zipfile says of a password
            raise InputError(path, "zip", None, "cannot be unpacked (encrypted?)", REMEDY) from error
        except (FileExistsError, NotADirectoryError) as error:
            raise InputError(path, "member", None, "stands twice in the archive", REMEDY) from error
        except OSError as error:
            raise InputError(
                path, "zip", error.strerror, "cannot be unpacked", "free space or check the file"
            ) from error
        yield folder


def _checked(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The members that are files, after the whole list has been found harmless: nothing is written before."""
    members = archive.infolist()
    if len(members) > MAX_FILES:
        raise InputError(path, "members", len(members), f"are more than {MAX_FILES}", REMEDY)
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if member.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
            raise InputError(path, "member", None, "leaves the folder it is unpacked into", "do not trust this archive")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError(path, "member", None, "is a link or a device", "do not trust this archive")
    total = sum(member.file_size for member in members)
    packed = max(1, path.stat().st_size)
    if total > MAX_TOTAL_BYTES or total > max(FREE_BYTES, MAX_RATIO * packed):
        raise InputError(path, "unpacked bytes", total, f"are too many for a zip of {packed} bytes", REMEDY)
    return [member for member in members if not member.is_dir()]


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, path: Path, left: int) -> int:
    """Unpack one file, counting what really comes out; returns its bytes."""
    target = folder.joinpath(*(part for part in member.filename.replace("\\", "/").split("/") if part not in ("", ".")))
    if target == folder:
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("xb") as out:
        while block := source.read(1 << 20):
            written += len(block)
            if written > min(left, member.file_size):
                raise InputError(path, "unpacked bytes", written, "exceed what the archive says", REMEDY)
            out.write(block)
    if written != member.file_size:
        raise InputError(path, "zip", None, "is cut off", "copy it again")
    return written
