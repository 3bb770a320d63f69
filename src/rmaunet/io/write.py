"""Writing masks and CTs; the format is the suffix's, and nothing gets its final name unread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import UsageError
from rmaunet.core.formats import MASK_FORMATS, MaskFormat
from rmaunet.core.labels import TUMOR
from rmaunet.core.volume import Volume, to_grid
from rmaunet.io.detect_format import sniff
from rmaunet.io.nifti.transforms import chosen_affine
from rmaunet.io.nifti.write_nifti import nifti_source_of, write_array
from rmaunet.io.scan import NiftiSource, Scan
from rmaunet.io.storage.affine_checks import index_reversed, obliquity, resampled
from rmaunet.io.storage.load_volume import SHEAR

__all__ = ["MASK_SUFFIXES", "check_dicom_ct", "mask_format", "write_mask", "write_volume"]

MASK_SUFFIXES = tuple(MASK_FORMATS)
"""What :func:`write_mask` writes."""

OTHER_OBJECTS = frozenset(
    {".rtstruct", ".rtss", ".rs", ".rt", ".rtdose", ".rtplan", ".sr", ".gsps", ".pr", ".ps", ".ko", ".sc", ".stl", ".obj",
     ".ply", ".vtk", ".mha", ".mhd"}
)  # fmt: skip
"""Suffixes before a mask's own that ask for something else: ``liver.rtstruct.dcm``."""


def write_mask(
    mask: Volume,
    path: str | Path,
    *,
    like: Scan,
    labelmap: bool = False,
    lesions: NDArray[np.integer] | None = None,
) -> None:
    """Write a mask on the very grid of its CT.

    NIfTI from NIfTI keeps the affine fields and codes of the input bit for bit; the rest of the header is new, so no
    identifying text is carried over. The file is read back and compared before it gets its name.

    Args:
        mask: uint8, 0 background, 1 liver, 2 tumor; any order and direction of axes on the grid of ``like``.
        path: .nii, .nii.gz, .nrrd or .seg.nrrd (3D Slicer), .dcm or .seg.dcm (DICOM SEG).
        like: The CT.
        labelmap: A DICOM SEG is written as LABELMAP instead of BINARY; other formats have no such choice.
        lesions: Numbers from 1 of the separate tumors on the mask's voxels, 0 elsewhere: a DICOM SEG then has a segment
            with a tracking id for each; other formats keep one label for all.

    Raises:
        UsageError: If the suffix is none of these, the mask holds other labels, or lies on another grid.
        OutputError: If the file cannot be written or does not read back equal.
    """
    path = Path(path)
    kind = mask_format(path)
    if mask.dtype != np.uint8 or int(mask.array.max(initial=0)) > TUMOR:
        raise UsageError(path, "mask", str(mask.dtype), "must be uint8 labels 0, 1, 2", "convert it first")
    numbers = None if lesions is None else Volume(array=lesions, affine=mask.affine, coordinate_system="PATIENT")
    try:
        mask = to_grid(mask, like.volume)
    except ValueError as error:
        raise UsageError(path, "mask", str(error), "is not on the CT's grid", "restore it to the CT first") from error
    if kind == "dicom-seg":
        from rmaunet.io.dicom_seg.write_seg import write_dicom_seg

        numbered = None if numbers is None else to_grid(numbers, like.volume).array
        write_dicom_seg(mask, path, source=like.source, labelmap=labelmap, lesions=numbered)
    elif kind == "nrrd":
        from rmaunet.io.masks.slicer_segments import write_segments

        write_segments(mask, path)
    elif isinstance(like.source, NiftiSource):
        write_array(_on_source(mask, like.source), path, like.source, labels=True)
    else:
        write_array(mask.array, path, nifti_source_of(mask, path), labels=True)


def mask_format(path: Path, *, ct: Path | None = None) -> MaskFormat:
    """The format that a mask's name asks for, checked before anything is computed.

    Args:
        path: Where the mask will be written.
        ct: The CT it will be written for, to see whether a DICOM SEG of it can be.

    Returns:
        "nifti", "nrrd" or "dicom-seg".

    Raises:
        UsageError: If the suffix is no mask format, names another kind of DICOM object (.rtstruct.dcm), or the CT is no DICOM
            and the mask would be.
    """
    name = path.name.lower()
    known = (suffix for suffix in MASK_SUFFIXES if name.endswith(suffix) and len(name) > len(suffix))
    suffix = next(known, None)
    remedy = f"use {', '.join(MASK_SUFFIXES)}"
    if suffix is None:
        raise UsageError(path, "suffix", path.suffix or "none", "is no mask format", remedy)
    inner = Path(name[: -len(suffix)]).suffix
    if inner in OTHER_OBJECTS:
        problem = "names a kind of file that is not written here"
        raise UsageError(path, "suffix", inner + suffix, problem, remedy)
    if MASK_FORMATS[suffix] == "dicom-seg" and ct is not None:
        check_dicom_ct(ct, path)
    return MASK_FORMATS[suffix]


def check_dicom_ct(ct: Path, mask: str | Path) -> None:
    """Refuse a DICOM SEG for a CT that is no DICOM: it must refer to the CT's slices.

    Args:
        ct: The CT's path.
        mask: What the message names.

    Raises:
        UsageError: If the CT is no DICOM.
    """
    kind = sniff(ct)
    if kind != "dicom":
        remedy = "give the DICOM CT, or write .nii.gz or .seg.nrrd"
        raise UsageError(mask, "format", "dicom-seg", f"a DICOM SEG needs a DICOM CT, and {ct.name} is {kind}", remedy)


def _on_source(mask: Volume, source: NiftiSource) -> NDArray[Any]:
    """The mask's voxels on the file's own grid: as they are, or sampled back where the file's grid is sheared."""
    affine, _ = chosen_affine(source)
    if obliquity(affine) <= SHEAR:
        return mask.array
    own = index_reversed(np.asarray(mask.affine, float))
    return resampled(mask.array, own, affine, source.shape, outside=0, nearest=True)


def write_volume(volume: Volume, path: str | Path) -> None:
    """Write a CT as NIfTI.

    Args:
        volume: int16, uint8 or float32; HU. Stored on its own grid, axes (i, j, k) being the array's (w, h, d).
        path: .nii or .nii.gz.

    Raises:
        UsageError: If the suffix or the dtype is another.
        OutputError: If the file cannot be written or does not read back equal.
    """
    path = Path(path)
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        raise UsageError(path, "suffix", path.suffix or "none", "a CT is written as NIfTI", "use .nii or .nii.gz")
    if volume.dtype not in (np.int16, np.uint8, np.float32):
        raise UsageError(path, "dtype", str(volume.dtype), "is none of int16, uint8, float32", "convert it first")
    write_array(volume.array, path, nifti_source_of(volume, path), labels=False)
