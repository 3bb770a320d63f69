"""Names of files: their suffixes, what a scan is called after its file, and how a name is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

__all__ = [
    "IMAGE_SUFFIXES",
    "MASK_FORMATS",
    "SCAN_SUFFIXES",
    "SUFFIXES",
    "MaskFormat",
    "given_name",
    "one_line",
    "scan_name",
    "stem",
    "without_folders",
]

SUFFIXES: dict[str, str] = {
    ".nii": "nifti", ".hdr": "nifti", ".img": "nifti", ".nii.gz": "nifti", ".hdr.gz": "nifti", ".img.gz": "nifti",
    ".seg.nrrd": "nrrd", ".nrrd": "nrrd", ".nhdr": "nrrd", ".mha": "metaimage", ".mhd": "metaimage", ".mrc": "mrc",
    ".seg.dcm": "dicom", ".dcm": "dicom", ".dicom": "dicom", ".ima": "dicom", ".zip": "dicom",
}  # fmt: skip
"""Every suffix that is read, and its format."""

IMAGE_SUFFIXES = tuple(suffix for suffix, kind in SUFFIXES.items() if kind != "dicom")
"""Files that hold one image (or the half of one) and are recognized by their suffix."""

SCAN_SUFFIXES = (*(suffix for suffix in IMAGE_SUFFIXES if ".hdr" not in suffix), ".zip")
"""Files that are one scan of a folder each; a pair (.hdr/.img) is found by its second half."""

MaskFormat = Literal["nifti", "nrrd", "dicom-seg"]
MASK_FORMATS: dict[str, MaskFormat] = {
    ".nii.gz": "nifti", ".nii": "nifti", ".seg.nrrd": "nrrd", ".nrrd": "nrrd", ".seg.dcm": "dicom-seg", ".dcm": "dicom-seg",
}  # fmt: skip
"""Suffixes of the masks that are written, and their format."""

_LONGEST_FIRST = sorted(SUFFIXES, key=len, reverse=True)


def stem(name: str) -> str:
    """A file's name without the suffix of its format.

    Example:
        >>> [stem(name) for name in ("ct.nii.gz", "a.b.NRRD", "mask.seg.dcm", "notes.txt", ".nii")]
        ['ct', 'a.b', 'mask', 'notes.txt', '.nii']
    """
    lower = name.lower()
    suffix = next((s for s in (*_LONGEST_FIRST, ".gz") if lower.endswith(s) and len(name) > len(s)), "")
    return name[: len(name) - len(suffix)]


def scan_name(path: Path) -> str:
    """What a scan is called in results, tables and reports: its file's name without suffix, or its folder's name.

    Args:
        path: File, folder or archive of the scan; a DICOMDIR stands for its folder.

    Returns:
        The name, made of the path that was given; see :func:`given_name`.
    """
    if path.name.upper() == "DICOMDIR" and path.is_file():
        return given_name(path.parent)
    name = given_name(path)
    return name if path.is_dir() else stem(name)


def given_name(path: Path) -> str:
    """The name by which the user called a file or folder. Links are never resolved: their targets may name a person.

    Args:
        path: Any path. For "." and paths with ".." it is completed by the current folder as the shell names it.

    Returns:
        Its last part, suffix included; "scan" for the root of a file system.

    Example:
        >>> given_name(Path("data/case7")), given_name(Path("data/case7/../case8")), given_name(Path("/"))
        ('case7', 'case8', 'scan')
    """
    if ".." not in path.parts and path.name:
        return path.name
    return Path(os.path.normpath(_shell_folder() / path)).name or "scan"


def _shell_folder() -> Path:
    """The current folder by the name it was entered by; the system's own answer has links resolved."""
    named, real = os.environ.get("PWD", ""), Path.cwd()
    try:
        same = Path(named).is_absolute() and real.samefile(named)
    except (OSError, ValueError):
        same = False
    return Path(named) if same else real


def one_line(text: str) -> str:
    r"""Text for a terminal or a log: one line, and control characters as escapes.

    Bytes of a file name that are not UTF-8 are shown as Python keeps them: ``\udcfc`` is the byte FC.

    Example:
        >>> one_line("a\nb\x1b[0m")
        'a b\\x1b[0m'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))


def without_folders(text: str, *paths: Path | None) -> str:
    """Text with the folders of some paths left out, for files that are kept: folders are often named after patients.

    Args:
        text: A notice or an error; its spaces may have been joined by :func:`one_line`.
        paths: The inputs; None is passed over.

    Returns:
        The text in which each path, and any other file of its folder, stands without that folder.

    Example:
        >>> without_folders("/data/DOE JANE/ct.img: is cut", Path("/data/DOE JANE/ct.hdr"))
        'ct.img: is cut'
    """
    for path in paths:
        if path is None:
            continue
        for folder in dict.fromkeys((str(path.parent), one_line(str(path.parent)))):
            if folder not in (".", os.sep):
                text = re.sub(rf"(?<![^\s'\"(=]){re.escape(folder)}{re.escape(os.sep)}", "", text)
    return text
