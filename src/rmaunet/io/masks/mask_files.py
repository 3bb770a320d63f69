"""Which file, or which files, of a path are the mask: a file, a folder or zip with one SEG, a folder of structures."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.structure_names import Role, name_role
from rmaunet.io.detect_format import is_image_file
from rmaunet.io.dicom.dicom_files import DicomFile, Found, find_files, printable, text
from rmaunet.io.dicom.rtstruct import is_rtstruct, rtstruct_error
from rmaunet.io.dicom_seg.read_seg import is_seg
from rmaunet.io.masks.label_values import Labels
from rmaunet.io.nifti.read_nifti import case_name
from rmaunet.io.storage.zip_archive import extracted

__all__ = ["Choice", "chosen", "is_zip"]

_STRUCTURES = (Role.LIVER, Role.PARENCHYMA, Role.TUMOR)


@dataclass(frozen=True)
class Choice:
    """What is to be read; exactly one of the three is set.

    Attributes:
        seg: A DICOM SEG.
        file: One image file.
        structures: Image files of one structure each.
    """

    seg: DicomFile | None = None
    file: Path | None = None
    structures: tuple[Path, ...] = ()


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by content or name."""
    import zipfile

    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


@contextlib.contextmanager
def chosen(path: Path, labels: Labels | None = None) -> Iterator[Choice]:
    """Find the mask at a path; its files stay readable inside the block.

    Args:
        path: A DICOM file, a folder or a zip.
        labels: The user's mapping; a name in it can name a file of a folder.

    Yields:
        The choice.

    Raises:
        InputError: If there is no mask, or more than one.
    """
    if is_zip(path):
        with extracted(path) as folder:
            try:
                yield _choose(folder, str(path), find_files(folder, str(path)), labels)
            except InputError as error:  # the user knows the archive, not where it was unpacked
                subject = error.subject.replace(str(folder), str(path))
                raise InputError(subject, error.field, error.value, error.problem, error.remedy) from error
        return
    root = path.parent if path.name.upper() == "DICOMDIR" else path
    yield _choose(root, str(path), find_files(root), labels)


def _choose(root: Path, shown: str, found: Found, labels: Labels | None) -> Choice:
    segs = [file for file in found.files if is_seg(file)]
    if len(segs) == 1:
        return Choice(seg=segs[0])
    if segs:
        names = ", ".join(file.path.name for file in segs[:6])
        raise InputError(shown, "DICOM SEG", len(segs), f"are several segmentations ({names})", "give one of them")
    files = sorted(path for path in root.iterdir() if is_image_file(path)) if root.is_dir() else []
    named = {key for key in labels or () if isinstance(key, str)}
    roles = [name_role(case_name(path)) for path in files]
    several = len(files) > 1 and any(role in _STRUCTURES for role in roles)
    if several or roles == [Role.TUMOR] or any(case_name(path) in named for path in files):
        return Choice(structures=tuple(files))
    if len(files) == 1:
        return Choice(file=files[0])
    if files:
        names = ", ".join(path.name for path in files[:6])
        remedy = "give one file, or one file per structure named liver and liver_tumor"
        raise InputError(shown, "masks", len(files), f"are several, and none is named liver ({names})", remedy)
    if found.damaged:
        raise found.damaged[0]
    raise _nothing(shown, found)


def _nothing(shown: str, found: Found) -> InputError:
    contours = next((file for file in found.files if is_rtstruct(file)), None)
    if contours is not None:
        return rtstruct_error(contours)
    kinds: dict[str, int] = {}
    for file in found.files:
        kind = printable(text(file.dataset, "Modality"), 16) or "DICOM"
        kinds[kind] = kinds.get(kind, 0) + 1
    there = ", ".join(f"{count} {kind} file{'s' * (count > 1)}" for kind, count in kinds.items()) or "no DICOM file"
    remedy = "give a DICOM SEG, or a mask as NIfTI or NRRD"
    return InputError(shown, "mask", None, f"is not one: there is no segmentation in it ({there})", remedy)
