"""Which scans a folder holds."""

from __future__ import annotations

import hashlib
import os
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


def is_batch(root: Path) -> bool:
    """Whether a folder is many scans (image files, or DICOM in more than one place) and not one DICOM study in one place.

    Args:
        root: An existing path.

    Returns:
        False for a file, and for a folder whose DICOM files all lie in one directory: that is one scan, and several
        series in it are a question to the user.
    """
    if not root.is_dir():
        return False
    if _image_files(root):
        return True
    return len({path for path, _ in _dicom_series(root)}) > 1


def find_items(root: Path, *, leave_out: Path | None = None) -> list[Item]:
    """Every scan below a folder, sorted by name.

    Args:
        root: An existing folder. Files and folders whose names begin with a dot are passed over.
        leave_out: A folder whose content is passed over: where the results go, if it lies in ``root``.

    Returns:
        Image files by suffix, and each CT series of each folder of DICOM files.
    """
    items = [Item(_name(path, root), path) for path in _image_files(root)]
    found: dict[Path, list[str]] = {}
    for path, uid in _dicom_series(root):
        found.setdefault(path, []).append(uid)
    for folder, uids in found.items():
        if folder.is_file() and folder.suffix.lower() == ".zip":
            continue  # an archive is an image file above
        for uid in uids:
            several = len(uids) > 1
            mark = f"__{hashlib.sha256(uid.encode()).hexdigest()[:8]}" if several else ""
            items.append(Item(_name(folder, root) + mark, folder, uid if several else None))
    if leave_out is not None:
        apart = leave_out.resolve()
        items = [item for item in items if apart not in (item.path.resolve(), *item.path.resolve().parents)]
    return _unique(sorted(items, key=lambda item: item.name))


def _image_files(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(folder, name) for name in sorted(names) if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    # The two halves of a pair (.hdr/.img, .mhd/.raw) are one scan, found by the half with the suffix above.
    return found


def _dicom_series(root: Path) -> list[tuple[Path, str]]:
    """(folder or file, SeriesInstanceUID) of what else lies there, if anything does."""
    others = any(
        not name.startswith(".") and not name.lower().endswith(SUFFIXES)
        for _, _, names in os.walk(root)
        for name in names
    )
    if not others:
        return []
    from rmaunet.io.dicom import find_scans

    return [(Path(path), uid) for path, uid in find_scans(root)]


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
