"""Which masks a path holds, and whether they could be used: DICOM SEG, RT Structure Sets, 3D Slicer's segmentations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices
from rmaunet.io.detect_format import sniff
from rmaunet.io.dicom.dicom_files import DicomFile, find_files, full_header, printable, text
from rmaunet.io.dicom.rtstruct import is_rtstruct, rtstruct_error
from rmaunet.io.dicom_seg.read_seg import is_seg, planes_of
from rmaunet.io.masks.mask_files import chosen, is_zip
from rmaunet.io.masks.mask_reader import describe_mask
from rmaunet.io.masks.segment_use import MappingNeededError, Use, use_line
from rmaunet.io.storage.zip_archive import extracted

__all__ = ["MaskInfo", "dicom_masks", "slicer_mask", "structure_mask"]


@dataclass(frozen=True)
class MaskInfo:
    """A mask of a path.

    Attributes:
        name: File or folder, as the user knows it.
        kind: Format, in words.
        uses: What would become of its segments, or what to do with them, on one line; "" if it is refused.
        segments: The same, one row a segment.
        notices: Warnings.
        refused: Why it cannot be used as it is, None if it can.
    """

    name: str
    kind: str
    uses: str
    segments: tuple[Use, ...] = ()
    notices: tuple[str, ...] = ()
    refused: str | None = None


def _tried(name: str, kind: str, read: Callable[[], tuple[Use, ...]]) -> MaskInfo:
    with collect_notices() as notices:
        try:
            uses = read()
        except MappingNeededError as error:
            how = f"`rmaunet measure -s {name} --label {error.example}`"
            return MaskInfo(name, kind, f"{error.problem}; map them, e.g. {how}", (), tuple(notices))
        except InputError as error:
            return MaskInfo(name, kind, "", (), tuple(notices), str(error))
    return MaskInfo(name, kind, use_line(uses), uses, tuple(notices))


def dicom_masks(path: Path) -> list[MaskInfo]:
    """The DICOM SEG and RT Structure Sets of a file, folder or zip."""
    if is_zip(path):
        with extracted(path) as folder:
            return [
                _dicom_mask(file) for file in find_files(folder, str(path)).files if is_seg(file) or is_rtstruct(file)
            ]
    return [_dicom_mask(file) for file in find_files(path).files if is_seg(file) or is_rtstruct(file)]


def _dicom_mask(file: DicomFile) -> MaskInfo:
    if is_rtstruct(file):
        return MaskInfo(file.shown, "RTSTRUCT", "", (), (), str(rtstruct_error(file)))
    kind = printable(text(full_header(file), "SegmentationType"), 16)
    return _tried(file.shown, f"DICOM SEG {kind}".strip(), lambda: planes_of(file)[1])


def slicer_mask(path: Path) -> MaskInfo | None:
    """A file that 3D Slicer wrote as a segmentation; None for every other file."""
    from rmaunet.io.masks.slicer_segments import is_segmentation
    from rmaunet.io.raster.read_raster import parse_grid

    if sniff(path) != "nrrd" or not is_segmentation(parse_grid(path)[1]):
        return None
    return _tried(str(path), "3D Slicer segmentation", lambda: describe_mask(path).uses)


def structure_mask(path: Path) -> MaskInfo | None:
    """A folder with one file per structure; None for every other path."""
    if not path.is_dir():
        return None
    try:
        with chosen(path) as choice:
            if not choice.structures:
                return None
    except InputError:
        return None
    return _tried(str(path), "folder with one file per structure", lambda: describe_mask(path).uses)
