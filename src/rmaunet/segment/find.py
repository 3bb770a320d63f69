"""Which scans a folder holds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Item", "find_items", "is_batch"]

SUFFIXES = (".nii", ".nii.gz", ".img", ".nrrd", ".nhdr", ".mha", ".mhd", ".mrc", ".zip")


@dataclass(frozen=True)
class Item:
    """One scan of a folder.

    Attributes:
        name: Unique in the folder: its place below the folder with "__" for separators, without suffix.
        path: File, or folder of the DICOM series.
        series: SeriesInstanceUID where the folder holds several series.
    """

    name: str
    path: Path
    series: str | None = None


def is_batch(items: Sequence[Item]) -> bool:
    """Whether a folder is many scans (image files, or DICOM in more than one place) and not one DICOM study in one place.

    Args:
        items: What :func:`find_items` found in it.

    Returns:
        False for a folder whose DICOM files all lie in one directory: that is one scan, and several series in it are a
        question to the user.
    """
    return any(not item.path.is_dir() for item in items) or len({item.path for item in items}) > 1


def find_items(root: Path, *, leave_out: Path | None = None) -> list[Item]:
    """Every scan below a folder, sorted by name. Each DICOM file's header is read once.

    Args:
        root: An existing folder. Files and folders whose names begin with a dot are passed over.
        leave_out: A folder whose content is passed over if it lies in ``root``: where the results go.

    Returns:
        Image files by suffix, and each CT series of each folder of DICOM files.
    """
    images, others = _files(root)
    items = [Item(_name(path, root), path) for path in images]
    found: dict[Path, list[str]] = {}
    for path, uid in _dicom_series(root) if others else []:
        found.setdefault(path, []).append(uid)
    for folder, uids in found.items():
        for uid in uids:
            several = len(uids) > 1
            mark = f"__{hashlib.sha256(uid.encode()).hexdigest()[:8]}" if several else ""
            items.append(Item(_name(folder, root) + mark, folder, uid if several else None))
    apart = root.resolve() if leave_out is None else leave_out.resolve()
    if root.resolve() in apart.parents:
        items = [item for item in items if apart not in (item.path.resolve(), *item.path.resolve().parents)]
    return _unique(sorted(items, key=lambda item: item.name))


def _files(root: Path) -> tuple[list[Path], bool]:
    """Image files by suffix, and whether other files lie there, DICOM perhaps.

    The two halves of a pair (.hdr/.img, .mhd/.raw) are one scan, found by the half with the suffix above.
    """
    found, others = [], False
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            if name.lower().endswith(SUFFIXES):
                found.append(Path(folder, name))
            else:
                others = True
    return found, others


def _dicom_series(root: Path) -> list[tuple[Path, str]]:
    """(folder, SeriesInstanceUID) of the CT series below a folder."""
    from rmaunet.io.dicom import find_scans

    return [(path, uid) for path, uid in find_scans(root) if not path.is_file()]  # an archive is an image file


def _name(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    name = relative.name
    if not path.is_dir():
        for suffix in sorted(SUFFIXES, key=len, reverse=True):
            if name.lower().endswith(suffix):
                name = name[: -len(suffix)]
                break
    parts = [*relative.parts[:-1], name]
    return "__".join(part for part in parts if part) or root.resolve().name


def _unique(items: list[Item]) -> list[Item]:
    """Two files that differ in suffix only keep apart by it."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.name] = counts.get(item.name, 0) + 1
    taken: set[str] = set()
    result = []
    for item in items:
        name = item.name if counts[item.name] == 1 else item.path.name.replace(".", "-")
        while name in taken:
            name += "-2"
        taken.add(name)
        result.append(Item(name, item.path, item.series))
    return result
