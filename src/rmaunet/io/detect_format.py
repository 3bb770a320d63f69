"""Which format a path holds, decided by its content first and its name only where the content says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

from isal import igzip

from rmaunet.core.errors import InputError
from rmaunet.core.formats import SUFFIXES
from rmaunet.io.storage.decoders import DAMAGED
from rmaunet.io.storage.openable import first_bytes

__all__ = ["UNDERSTOOD", "Format", "is_image_file", "sniff"]

Format = Literal["nifti", "nrrd", "metaimage", "mrc", "dicom"]

UNDERSTOOD = "NIfTI, NRRD, MetaImage, MRC, a DICOM file, a folder or zip of DICOM files"
"""What can be read, for messages."""

_HEAD = 1024
_NIFTI_SIZES = tuple(n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big"))


def is_image_file(path: Path) -> bool:
    """Whether a path is a file named like an image that is no DICOM: NIfTI, NRRD, MetaImage or MRC.

    The voxels' half of a pair (.img) is not counted.
    """
    name = path.name.lower()
    fits = any(name.endswith(end) and kind != "dicom" for end, kind in SUFFIXES.items() if not end.startswith(".img"))
    return fits and not name.startswith(".") and path.is_file()


def sniff(path: Path) -> Format:
    """Decide how to read a path.

    Args:
        path: A file or folder.

    Returns:
        The format; "dicom" for folders, zip archives and DICOMDIR too.

    Raises:
        InputError: If it is no readable file or nothing that is understood.
    """
    if path.is_dir():
        return "dicom"
    head = first_bytes(path, _HEAD)
    found = _by_content(_unpacked(path) if head[:2] == b"\x1f\x8b" else head)
    if found is None:
        name = path.name.lower()
        found = cast("Format | None", next((kind for end, kind in SUFFIXES.items() if name.endswith(end)), None))
    if found is None:
        start = head[:8].hex(" ")
        raise InputError(path, "first bytes", start, "an unknown format", f"what is understood: {UNDERSTOOD}")
    return found


def _by_content(head: bytes) -> Format | None:
    if head[128:132] == b"DICM" or head[:4] == b"PK\x03\x04" or head[:4] == b"PK\x05\x06":
        return "dicom"
    if head[:4] in _NIFTI_SIZES:
        return "nifti"
    if head[:4] == b"NRRD":
        return "nrrd"
    if head[208:212] == b"MAP ":
        return "mrc"
    if head.lstrip()[:10] == b"ObjectType" or head.lstrip()[:5] == b"NDims":
        return "metaimage"
    # DICOM without its preamble begins with a tag of group 2 or 8.
    if head[:2] in (b"\x08\x00", b"\x02\x00") and head[3:4] == b"\x00" and len(head) > 128:
        return "dicom"
    return None


def _unpacked(path: Path) -> bytes:
    """The first bytes inside a gzip; fewer, or none, if it is damaged (the reader will say so)."""
    try:
        with path.open("rb") as file:
            return bytes(igzip.IGzipFile(fileobj=file, mode="rb").read(_HEAD))
    except (OSError, EOFError, DAMAGED):
        return b""
