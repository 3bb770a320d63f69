"""Reading a mask, whatever format it is in, and putting it on a CT's grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.errors import InputError
from rmaunet.io.affine import index_reversed, obliquity, orthogonal_grid, orthonormalised, resampled
from rmaunet.io.formats import sniff
from rmaunet.io.label_values import check_mapping, read_labels
from rmaunet.io.load import SHEAR
from rmaunet.io.nifti import case_name
from rmaunet.io.nifti_header import parse_header, partner
from rmaunet.io.scan import GridSource, Scan
from rmaunet.io.stored import StoredImage
from rmaunet.notices import notice
from rmaunet.volume import Volume, geometry_difference, make_volume, to_grid

__all__ = ["read_mask", "read_mask_scan"]


def read_mask(path: str | Path, *, like: Scan | None = None, labels: Mapping[int, int] | None = None) -> Volume:
    """Read a liver and tumor mask.

    Args:
        path: NIfTI, NRRD (Slicer's .seg.nrrd too), MetaImage, MRC or DICOM SEG.
        like: The CT it belongs to; the mask is permuted and flipped onto its grid, never resampled.
        labels: Foreign value to ours, e.g. {5: 1} for TotalSegmentator's liver; what it does not name is background.

    Returns:
        uint8 (D, H, W) with 0 background, 1 liver, 2 tumor; on the grid of ``like`` where given.

    Raises:
        InputError: If the file cannot be used, holds other values, or lies elsewhere than ``like`` (1e-3 mm).
        UsageError: If ``labels`` maps to anything but 0, 1, 2.
    """
    path = Path(path)
    mask, cropped = _read(path, labels, say=like is None)
    if like is None:
        return mask.volume
    frames = mask.volume.frame_of_reference_uid, like.volume.frame_of_reference_uid
    if None not in frames and frames[0] != frames[1]:
        notice(path, "its FrameOfReferenceUID is not the CT's; it is used where its coordinates say")
    if cropped and tuple(mask.volume.spatial_shape) != tuple(like.volume.spatial_shape):
        return _pasted(path, mask.volume, like.volume)
    if sorted(mask.volume.spatial_shape) != sorted(like.volume.spatial_shape):
        sizes = f"{tuple(mask.volume.spatial_shape)} against the CT's {tuple(like.volume.spatial_shape)}"
        raise InputError(path, "shape", sizes, "is not the CT's", "give the mask drawn on this CT")
    try:
        return to_grid(mask.volume, like.volume)
    except ValueError as error:
        raise _elsewhere(path, mask.volume, like.volume) from error


def _elsewhere(path: Path, mask: Volume, ct: Volume) -> InputError:
    gap = geometry_difference(mask, ct) or "axes"
    return InputError(path, "affine", gap, "lies elsewhere than the CT", "give the mask drawn on this CT")


def _pasted(path: Path, mask: Volume, ct: Volume) -> Volume:
    """A mask stored cropped (Slicer and DICOM SEG leave out what is empty), put back on the CT's voxels."""
    try:
        result = mask.match_geometry(ct, tol=1e-3)
        result = to_grid(result, ct)
    except (ValueError, RuntimeError) as error:  # highdicom's word for voxels that do not meet
        raise _elsewhere(path, mask, ct) from error
    lost = int(np.count_nonzero(mask.array)) - int(np.count_nonzero(result.array))
    if lost:
        raise InputError(path, "extent", f"{lost} voxels", "lie outside the CT", "give the mask drawn on this CT")
    return result


def read_mask_scan(path: Path, *, labels: Mapping[int, int] | None = None) -> Scan:
    """Read a mask together with what writing it again on its own grid needs.

    Args:
        path: See :func:`read_mask`.
        labels: See :func:`read_mask`.

    Returns:
        A scan whose volume is the mask.

    Raises:
        InputError: See :func:`read_mask`.
        UsageError: See :func:`read_mask`.
    """
    return _read(path, labels, say=True)[0]


def _read(path: Path, labels: Mapping[int, int] | None, *, say: bool) -> tuple[Scan, bool]:
    """The mask, and whether its format stores only what is not empty.

    With its CT a mask's geometry is compared; alone, what is odd about it is said.
    """
    if labels is not None:
        check_mapping(path, labels)
    kind = sniff(path)
    if kind == "dicom":
        from rmaunet.io.dicom_seg import read_dicom_seg

        if labels is not None:
            notice(path, "a DICOM SEG names its segments; the label mapping has no effect")
        return Scan(read_dicom_seg(path), case_name(path), GridSource(path)), True
    if kind == "nifti":
        header = partner(path, ".hdr") if path.name.lower().removesuffix(".gz").endswith(".img") else path
        image, source = parse_header(header)
        _say(image, say=say)
        return Scan(_upright(read_labels(image, labels), image.affine), case_name(path), source), False
    from rmaunet.io.grid import parse_grid
    from rmaunet.io.slicer_segments import read_segments

    image, fields = parse_grid(path)
    _say(image, say=say)
    slicer = "Segment0_ID" in fields
    array = read_segments(image, fields, labels) if slicer else read_labels(image, labels)
    return Scan(_upright(array, image.affine), case_name(path), GridSource(path)), slicer


def _say(image: StoredImage, *, say: bool) -> None:
    for text in image.notes if say else ():
        notice(image.path, text)


def _upright(array: NDArray[np.uint8], affine: NDArray[np.float64]) -> Volume:
    """The mask on an orthogonal grid, the very one its sheared CT is resampled to."""
    if obliquity(affine) > SHEAR:
        upright, shape = orthogonal_grid(affine, array.shape[::-1])
        array = resampled(array, affine, upright, shape, outside=0, nearest=True)
        affine = upright
    return make_volume(array, index_reversed(orthonormalised(affine)))
