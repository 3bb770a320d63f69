"""3D-IRCADb-01, 20 patients with liver and liver tumors drawn by radiologists.

==========  ==========================================================================================================
source      IRCAD, Strasbourg, "3D Image Reconstruction for Comparison of Algorithm Database"
licence     CC BY-NC-ND 4.0; not to be redistributed in parts
layout      ``3Dircadb1.N/`` (or ``3Dircadb1.N.zip``) with ``PATIENT_DICOM`` and ``MASKS_DICOM`` as folders or zips; slices
            are files ``image_K`` without suffix; ``MASKS_DICOM/STRUCTURE/image_K`` has the CT slice's name
labels      0 and 255 for each structure; structures are free text. Tumor is the union of the folders named ``livertumor``,
            ``livertumors`` or either with a number, and nothing looser: ``tumor`` in patient 7 and ``leftsurretumor`` in
            patient 5 are adrenal, ``livercyst`` and ``metastasectomie`` are no tumor. Liver is ``liver`` united with the tumors
counts      20 patients, 2,823 slices; 15 with tumor
defects     all 20 patients are also LiTS training volumes 28-47 (volume = patient + 27)
==========  ==========================================================================================================
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.labels import BACKGROUND, LIVER, TUMOR
from rmaunet.core.notices import notice
from rmaunet.core.volume import Volume, make_volume
from rmaunet.core.walk import walk
from rmaunet.datasets.case import Case

__all__ = ["LICENCE", "SLICES", "SPACING_MM", "TUMOR_FREE", "cases", "is_tumor", "load", "patient_number", "recognizes"]

if TYPE_CHECKING:
    from rmaunet.io import Scan

LICENCE = "3D-IRCADb-01 (CC BY-NC-ND 4.0)"

TUMOR_FREE = frozenset({5, 7, 11, 14, 20})
"""Patients without a liver tumor."""

SPACING_MM: dict[int, tuple[float, float]] = {
    1: (1.6, 0.57), 2: (1.6, 0.78), 3: (1.25, 0.62), 4: (2.0, 0.74), 5: (1.6, 0.78),
    6: (1.6, 0.78), 7: (1.6, 0.78), 8: (1.6, 0.56), 9: (2.0, 0.87), 10: (1.6, 0.74),
    11: (1.6, 0.72), 12: (1.0, 0.68), 13: (1.6, 0.67), 14: (1.6, 0.72), 15: (1.6, 0.78),
    16: (1.6, 0.70), 17: (1.6, 0.74), 18: (2.5, 0.74), 19: (4.0, 0.70), 20: (2.0, 0.81),
}  # fmt: skip
"""Between slices and in plane (rounded to 0.01 mm) of each patient at 512 x 512."""

SLICES: dict[int, int] = {
    1: 129, 2: 172, 3: 200, 4: 91, 5: 139, 6: 135, 7: 151, 8: 124, 9: 111, 10: 122,
    11: 132, 12: 260, 13: 122, 14: 113, 15: 125, 16: 155, 17: 119, 18: 74, 19: 124, 20: 225,
}  # fmt: skip
"""Slices of each patient's CT; 2,823 in all."""

_PATIENT = re.compile(r"3dircadb1\.(\d+)(\.zip)?", re.IGNORECASE)
_TUMOR = re.compile(r"livertumors?\d*")


def is_tumor(structure: str) -> bool:
    """Whether a structure's folder holds liver tumors.

    Example:
        >>> [name for name in ("livertumor01", "LiverTumors", "tumor", "leftsurretumor", "livercyst") if is_tumor(name)]
        ['livertumor01', 'LiverTumors']
    """
    return _TUMOR.fullmatch(structure.lower()) is not None


def patient_number(name: str) -> int | None:
    """N of ``3Dircadb1.N`` (or of its zip), None for other names."""
    match = _PATIENT.fullmatch(name)
    return int(match.group(1)) if match else None


def recognizes(root: Path) -> bool:
    """Whether a folder of ``root`` is named as a patient of 3D-IRCADb-01."""
    return any(patient_number(path.name) is not None for path in root.iterdir())


def cases(root: Path) -> list[Case]:
    """The patients below a folder, by number.

    Args:
        root: Folder that holds ``3Dircadb1.N`` folders or zips.

    Returns:
        One case a patient.

    Raises:
        InputError: If there is none, one stands there twice, or CT or masks are missing (count and first names).
    """
    if not root.is_dir():
        raise InputError(root, "data set", None, "is not a folder", "give the folder with 3Dircadb1.N")
    found: dict[int, Path] = {}
    for path in sorted(root.iterdir()):
        n = patient_number(path.name)
        if n is None or not (path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip")):
            continue
        if n in found and path.is_file() == found[n].is_file():
            raise InputError(root, f"3Dircadb1.{n}", path.name, "stands there twice", "remove one")
        found[n] = path if n not in found or path.is_dir() else found[n]
    if not found:
        raise InputError(root, "data set", 0, "no 3Dircadb1.N in it", "give the folder that holds the patients")
    result, missing = [], []
    for n, path in sorted(found.items()):
        image, label = (path, path) if path.is_file() else (_part(path, "PATIENT_DICOM"), _part(path, "MASKS_DICOM"))
        missing += [f"3Dircadb1.{n}/{k}" for k, p in (("PATIENT_DICOM", image), ("MASKS_DICOM", label)) if p is None]
        result.append(Case(f"3Dircadb1.{n}", image or path, label, patient=f"3Dircadb1.{n}", mask="ircadb"))
    if missing:
        raise InputError(root, "parts", len(missing), f"missing, first {', '.join(missing[:3])}", "complete the set")
    return result


def _part(folder: Path, name: str) -> Path | None:
    """``name`` or ``name.zip`` in a folder or one level below it (archives repeat the patient's folder)."""
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir() and patient_number(p.name) is not None)):
        for path in sorted(place.iterdir()):
            if path.name.lower() == name.lower() and path.is_dir():
                return path
        for path in sorted(place.iterdir()):
            if path.name.lower() == f"{name}.zip".lower() and path.is_file():
                return path
    return None


def load(case: Case) -> tuple[Scan, Volume]:
    """Read a patient's CT and unite its structures to liver and tumor.

    Args:
        case: From :func:`cases`.

    Returns:
        The CT and the mask on its grid.

    Raises:
        InputError: If a slice of a mask is missing, has another size or other values, there is no liver, or the CT cannot
            be used.
    """
    from rmaunet.io import Scan
    from rmaunet.io.dicom.read_dicom import read_dicom

    with contextlib.ExitStack() as stack:
        image, label = case.image, case.label
        if label is None or image == label:
            folder = stack.enter_context(_opened(image))
            image, label = _part(folder, "PATIENT_DICOM") or folder, _part(folder, "MASKS_DICOM")
        if label is None:
            raise InputError(case.image, "MASKS_DICOM", None, "is missing", "complete the set")
        slices = stack.enter_context(_opened(image))
        structures = stack.enter_context(_opened(label))
        read = read_dicom(slices)
        scan = Scan(read.volume, case.name, read.source)
        names = _slice_names(scan, slices, case.name)
        return scan, make_volume(_unite(structures, names, scan, case.name), np.asarray(scan.volume.affine))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield path
        return
    from rmaunet.io.storage.zip_archive import extracted

    with extracted(path) as folder:
        yield folder


def _slice_names(scan: Scan, folder: Path, name: str) -> list[str]:
    """The file name of each of the volume's slices."""
    from rmaunet.io.dicom.dicom_files import find_files, text
    from rmaunet.io.scan import DicomSource

    uids = {text(file.dataset, "SOPInstanceUID"): file.path.name for file in find_files(folder).files}
    source = scan.source
    datasets = source.datasets if isinstance(source, DicomSource) else ()
    names = [uids.get(text(dataset, "SOPInstanceUID"), "") for dataset in datasets]
    if len(names) != scan.volume.shape[0] or not all(names) or len(set(names)) != len(names):
        counts = f"{len(set(names) - {''})} of {scan.volume.shape[0]}"
        raise InputError(name, "slices", counts, "cannot be told apart by file", "use the data set as distributed")
    return names


def _unite(structures: Path, names: list[str], scan: Scan, name: str) -> NDArray[np.uint8]:
    folders = {p.name: p for p in walk(structures).folders}
    liver = [p for n, p in folders.items() if n.lower() == "liver"]
    tumors = [p for n, p in folders.items() if is_tumor(n)]
    if not liver:
        raise InputError(name, "MASKS_DICOM/liver", None, "is missing", "complete the set")
    n = patient_number(name)
    if n is not None and n in range(1, 21) and (n in TUMOR_FREE) == bool(tumors):
        known = "no liver tumor" if n in TUMOR_FREE else "liver tumors"
        notice(name, f"{len(tumors)} tumor structures, but this patient is known to have {known}")
    mask = np.zeros(scan.volume.shape, np.uint8)
    for folder in liver:
        mask[_structure(folder, names, scan.volume.shape, name)] = LIVER
    outside = 0
    for folder in tumors:
        tumor = _structure(folder, names, scan.volume.shape, name)
        outside += int(np.count_nonzero(mask[tumor] == BACKGROUND))
        mask[tumor] = TUMOR
    if outside:
        notice(name, f"{outside} tumor voxels lie outside the structure liver; they count as liver with tumor")
    return mask


def _structure(folder: Path, names: list[str], shape: tuple[int, ...], name: str) -> NDArray[np.bool_]:
    from rmaunet.io.dicom.dicom_files import find_files
    from rmaunet.io.dicom.frames import decode_frames, pixel_format

    files = {file.path.name: file for file in find_files(folder).files}
    missing = [wanted for wanted in names if wanted not in files]
    shown = f"{name}/MASKS_DICOM/{folder.name}"
    if missing:
        raise InputError(shown, "slices", len(missing), f"missing, first {', '.join(missing[:3])}", "complete the set")
    out = np.zeros(shape, bool)
    for z, wanted in enumerate(names):
        form = pixel_format(files[wanted])
        if (form.rows, form.columns) != tuple(shape[1:]):
            size = f"{form.rows} x {form.columns}"
            raise InputError(
                f"{shown}/{wanted}", "size", size, f"is not the CT's {shape[1]} x {shape[2]}", "replace it"
            )
        values = next(iter(decode_frames(files[wanted], form, [0])))
        odd = sorted(set(np.unique(values).tolist()) - {0, 1, 255, -1})
        if odd:
            raise InputError(f"{shown}/{wanted}", "values", odd[:5], "are not 0 and 255", "replace it")
        out[z] = values != 0
    return out
