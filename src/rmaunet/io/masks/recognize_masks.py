"""Which files of a folder are masks and not CTs: by what they hold, helped by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import RmaunetError
from rmaunet.core.formats import stem
from rmaunet.io.detect_format import sniff
from rmaunet.io.dicom.dicom_files import MASK_FOLDERS, DicomFile
from rmaunet.io.nifti.nifti_header import parse_header, partner
from rmaunet.io.storage.voxel_layout import StoredImage
from rmaunet.io.storage.voxel_values import stored_pieces

__all__ = ["is_mask", "is_mask_series", "named_as_mask"]

MOST_LABEL = 255
"""No label map of organs has a higher value."""
FEW_LABELS = 16
"""So few values in a file that says nothing by its name are labels; a CT has noise."""
EVEN_SHARE = 0.9
"""Share of a label map's voxels that equal the next one; of a CT squeezed into 8 bits, far fewer do."""

_NAME = re.compile(
    r"(^|.*[-_. ])(seg|segmentations?|masks?|labels?|pred|predictions?|gt)$|segmentations?[-_ ]?\d+$", re.I
)
_FOLDER = re.compile(r"labels?(tr|ts|va)?|masks?|segmentations?|predictions?", re.I)


def named_as_mask(path: Path) -> bool:
    """Whether a file's or its folder's name says that it holds a mask.

    Example:
        >>> [named_as_mask(Path(p)) for p in ("a_seg.nii.gz", "segmentation-7.nii", "labelsTr/a.nii.gz", "a.nii", "bag.nii")]
        [True, True, True, False, False]
    """
    if path.name.lower().endswith((".seg.nrrd", ".seg.dcm")) or _NAME.fullmatch(stem(path.name)):
        return True
    return stem(path.name).lower() in MASK_FOLDERS or _FOLDER.fullmatch(path.parent.name) is not None


def is_mask(path: Path) -> bool:
    """Whether an image file holds labels: whole numbers from 0 to 255, few or in even areas.

    A CT is recognized by its first voxels, so that a folder of many is looked through quickly.

    Args:
        path: NIfTI, NRRD, MetaImage, MRC, or a zip.

    Returns:
        True if it holds labels, or if it is an archive named like 3D-IRCADb's masks. False if it cannot be read: the reader
        will say why.
    """
    try:
        kind = sniff(path)
        if kind == "dicom":
            return stem(path.name).lower() in MASK_FOLDERS
        if kind == "nifti":
            is_second = path.name.lower().removesuffix(".gz").endswith(".img")
            image = parse_header(partner(path, ".hdr") if is_second else path)[0]
            fields: dict[str, str] = {}
        else:
            from rmaunet.io.raster.read_raster import parse_grid

            image, fields = parse_grid(path)
        return "Segment0_ID" in fields or _holds_labels(image, named=named_as_mask(path))
    except (RmaunetError, OSError, MemoryError):
        return False


def _holds_labels(image: StoredImage, *, named: bool) -> bool:
    with image.open() as stream:
        pieces = stored_pieces(stream, image, 0)
        return _are_labels((piece * image.slope + image.intercept for piece in pieces), named=named)


def _are_labels(pieces: Iterable[NDArray[Any]], *, named: bool) -> bool:
    """Whether pieces of values are labels; stops at the first that is not."""
    counts = np.zeros(MOST_LABEL + 1, np.int64)
    equal = inside = 0
    for piece in pieces:
        if not (piece.min(initial=0) >= 0 and piece.max(initial=0) <= MOST_LABEL):  # NaN is neither
            return False
        whole = np.rint(piece)
        if np.abs(piece - whole).max(initial=0) > 0.01:
            return False
        labels = whole.astype(np.uint8)
        counts += np.bincount(labels, minlength=len(counts))
        body = labels[:-1] > 0
        inside += int(np.count_nonzero(body))
        equal += int(np.count_nonzero(body & (labels[1:] == labels[:-1])))
    different = int(np.count_nonzero(counts))
    if different < 2:
        return named  # a constant image is a mask if its name says so: an empty one
    return counts[0] > 0 and (named or different <= FEW_LABELS or equal >= EVEN_SHARE * inside)


def is_mask_series(files: Sequence[DicomFile]) -> bool:
    """Whether DICOM files that say they are CT hold labels, as the structures of 3D-IRCADb do.

    Args:
        files: Of one series. Three of them are looked at.

    Returns:
        True if each holds few whole numbers from 0 to 255, and one of them more than one.
    """
    from rmaunet.io.dicom.frames import decode_frames, pixel_format

    several = False
    try:
        for file in (files[len(files) // 2], files[len(files) // 4], files[3 * len(files) // 4]):
            values = np.unique(next(iter(decode_frames(file, pixel_format(file), [0]))))
            slope, intercept = (
                float(file.dataset.get(k, d)) for k, d in (("RescaleSlope", 1), ("RescaleIntercept", 0))
            )
            hu = values * slope + intercept
            if len(hu) > FEW_LABELS or hu.min() < 0 or hu.max() > MOST_LABEL or np.any(hu != np.rint(hu)):
                return False
            several |= len(hu) > 1
    except Exception:  # a damaged file makes a decoder raise almost anything; the reader will say so
        return False
    return several
