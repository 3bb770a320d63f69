"""Which scans a folder holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.formats import SCAN_SUFFIXES, given_name, stem
from rmaunet.core.notices import notice
from rmaunet.core.walk import Walk, say_unreached, walk

__all__ = ["Item", "find_items", "is_batch"]


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


def find_items(root: Path, *, leave_out: Path | None = None, say: bool = True) -> list[Item]:
    """Every scan below a folder, sorted by name. Each DICOM file's header is read once.

    Linked folders are followed. Masks are recognized by their content and left out with one warning
    (:mod:`rmaunet.io.masks.recognize_masks`), as are 3D-IRCADb's folders of masks.

    Args:
        root: An existing folder. Files and folders whose names begin with a dot are passed over.
        leave_out: A folder whose content is passed over if it lies in ``root``: where the results go.
        say: Warn of masks and of links that lead nowhere.

    Returns:
        Image files by suffix, and each CT series of each folder of DICOM files.
    """
    from rmaunet.io.masks.recognize_masks import is_mask

    tree = walk(root, hidden=False, leave_out=None if _same(root, leave_out) else leave_out)
    images = [path for path in tree.files if path.name.lower().endswith(SCAN_SUFFIXES)]
    masks = [path for path in images if is_mask(path)]
    items = [Item(_name(path, root), path) for path in sorted(set(images) - set(masks))]
    if len(images) < len(tree.files):
        items += _dicom_items(root, tree, masks)
    if say:
        _say_masks(root, masks)
        if is_batch(items):  # else the reader of the one series says so
            say_unreached(root, [path for path in tree.dangling if path not in images], tree.unreadable)
    return _unique(sorted(items, key=lambda item: item.name))


def _same(one: Path, other: Path | None) -> bool:
    return other is not None and other.exists() and one.samefile(other)


def _dicom_items(root: Path, tree: Walk, masks: list[Path]) -> list[Item]:
    """An item for each CT series in the folders of a tree; folders of masks are added to ``masks``."""
    from rmaunet.io.dicom.read_dicom import look_through

    known = {root, *tree.folders}
    found = look_through(root)
    masks += [path for path in found.masks if path in known]
    series: dict[Path, list[str]] = {}
    for path, uid in found.scans:
        if path in known:  # an archive is an image file; hidden folders and the results' are left out
            series.setdefault(path, []).append(uid)
    items = []
    for folder, uids in series.items():
        for uid in uids:
            several = len(uids) > 1 or folder in found.masks  # then the reader must be told which one
            mark = f"__{hashlib.sha256(uid.encode(errors='replace')).hexdigest()[:8]}" if len(uids) > 1 else ""
            items.append(Item(_name(folder, root) + mark, folder, uid if several else None))
    return items


def _say_masks(root: Path, masks: Sequence[Path]) -> None:
    if masks:
        names = ", ".join(str(path.relative_to(root)) for path in masks[:5])
        more = f" and {len(masks) - 5} more" if len(masks) > 5 else ""
        which = "mask is no CT and is left out" if len(masks) == 1 else "masks are no CTs and are left out"
        notice(root, f"{len(masks)} {which}: {names}{more}")


def _name(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    last = relative.name if path.is_dir() else stem(relative.name)
    return "__".join(part for part in (*relative.parts[:-1], last) if part) or given_name(root)


def _unique(items: list[Item]) -> list[Item]:
    """Two files that differ in suffix only keep apart by it; names that differ in case only would be one file elsewhere."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item.name] = counts.get(item.name, 0) + 1
    taken: set[str] = set()
    result = []
    for item in items:
        name = item.name if counts[item.name] == 1 else item.path.name.replace(".", "-")
        while name.casefold() in taken:
            name += "-2"
        taken.add(name.casefold())
        result.append(Item(name, item.path, item.series))
    return result
