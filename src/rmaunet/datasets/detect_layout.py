"""Which layout a folder has."""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.walk import walk
from rmaunet.datasets import DATASETS, folder
from rmaunet.datasets.case import Case

__all__ = ["find_cases"]

_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def find_cases(root: Path) -> tuple[str, list[Case]]:
    """The cases of a folder in any layout known.

    Args:
        root: A data set's folder, or a folder of CTs: image files, or folders and zips of DICOM, one a case.

    Returns:
        The layout (a key of :data:`rmaunet.datasets.DATASETS`, or "scans" for CTs without masks) and its cases.

    Raises:
        InputError: If there is nothing to read, or files of the layout are missing.
    """
    if not root.is_dir():
        raise InputError(root, "data set", None, "is not a folder", "give the folder of a data set")
    for name, layout in DATASETS.items():
        if layout.recognizes is not None and layout.recognizes(root):
            return name, layout(root)
    return "scans", _scans(root)


def _scans(root: Path) -> list[Case]:
    found: dict[str, Path] = {}
    for path in sorted(root.iterdir()):
        suffix = next((s for s in (*folder.SUFFIXES, ".zip") if path.name.lower().endswith(s)), None)
        if path.name.startswith(".") or not (path.is_dir() or (suffix is not None and path.is_file())):
            continue
        if path.is_dir() and _only_pictures(path):
            continue
        name = path.name if suffix is None or path.is_dir() else path.name[: -len(suffix)]
        if name in found:
            raise InputError(root, name, f"{found[name].name}, {path.name}", "stands there twice", "remove one")
        found[name] = path
    pictures = sum(path.suffix.lower() in _PICTURES for path in walk(root).files) if not found else 0
    if pictures:
        problem = (
            "are pictures of slices: HU and geometry are lost, and 127 and 255 do not mean the same on every slice"
        )
        raise InputError(root, "files", pictures, problem, "take the data set from its source, as NIfTI or DICOM")
    if not found:
        raise InputError(
            root,
            "data set",
            0,
            "no layout known and no CT in it",
            "give LiTS, 3D-IRCADb, MSD or imagesTr/labelsTr",
        )
    return [Case(name, path, None) for name, path in found.items()]


def _only_pictures(folder: Path) -> bool:
    files = [path for path in walk(folder).files if path.is_file()]
    return bool(files) and all(path.suffix.lower() in _PICTURES for path in files)
