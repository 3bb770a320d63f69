"""What of a DICOM file is a CT slice, and each slice's place: one per file, or one per frame of an Enhanced CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from rmaunet.core.errors import InputError
from rmaunet.io.dicom.dicom_files import CT_CLASSES, DicomFile, number, numbers, printable, quiet, text
from rmaunet.io.storage.affine_checks import LARGEST_SPACING, LEAST_SPACING

__all__ = ["Slice", "functional_group", "is_image", "left_out", "slices_of", "unit_vectors"]

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SCOUT = {"LOCALIZER", "SCOUT", "TOPOGRAM", "SURVIEW", "SCANOGRAM"}
REMEDY = "export the series again"


@dataclass(frozen=True)
class Slice:
    """One axial (or other) image of a series.

    Attributes:
        file: The file it lies in.
        frame: Its frame there, from 0.
        position: Centre of its first voxel, LPS mm.
        row: Unit vector along a row (growing column index).
        column: Unit vector along a column (growing row index).
        spacing_mm: Distance of rows, distance of columns.
        slope: HU = slope * stored value + intercept.
        intercept: HU.
    """

    file: DicomFile
    frame: int
    position: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    slope: float
    intercept: float

    @property
    def shown(self) -> str:
        """Its name to the user."""
        enhanced = "PerFrameFunctionalGroupsSequence" in self.file.dataset
        return f"{self.file.shown} frame {self.frame + 1}" if enhanced else self.file.shown


def is_image(file: DicomFile) -> bool:
    """Whether a file holds an image; reports, plans and the like do not."""
    return "Rows" in file.dataset or file.pixel_offset != -1


def left_out(file: DicomFile) -> str | None:
    """Why an image is no part of a CT series.

    Args:
        file: A file with an image.

    Returns:
        The reason, or None for a CT image.
    """
    data = file.dataset
    sop_class, modality = text(data, "SOPClassUID"), text(data, "Modality")
    if modality != "CT" and not (modality == "" and sop_class in CT_CLASSES):
        return f"Modality = {printable(modality, 16)!r}: not CT"
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(SECONDARY_CAPTURE + "."):
        return "secondary capture"
    if SCOUT & set(text(data, "ImageType").upper().split("\\")):
        return "scout (localizer)"
    return None


def slices_of(file: DicomFile) -> list[Slice]:
    """The slices of one file, in the order they are stored.

    Args:
        file: A CT image.

    Returns:
        One slice, or one per frame.

    Raises:
        InputError: If a tag that places or scales a slice is missing or wrong, naming tag and slice.
    """
    data = file.dataset
    if "PerFrameFunctionalGroupsSequence" in data or text(data, "NumberOfFrames") not in ("", "1"):
        return _frames(file)
    if text(data, "ModalityLUTSequence"):
        raise InputError(file.shown, "ModalityLUTSequence", None, "a table instead of RescaleSlope", REMEDY)
    return [_slice(file, 0, file.shown, dict.fromkeys(_TAGS, data))]


_TAGS = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept")
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}


def _slice(file: DicomFile, frame: int, shown: str, holders: dict[str, Dataset]) -> Slice:
    position = numbers(holders["ImagePositionPatient"], "ImagePositionPatient", 3, shown)
    cosines = numbers(holders["ImageOrientationPatient"], "ImageOrientationPatient", 6, shown)
    row, column = unit_vectors(cosines, shown)
    height, width = numbers(holders["PixelSpacing"], "PixelSpacing", 2, shown)
    if not all(LEAST_SPACING <= spacing <= LARGEST_SPACING for spacing in (height, width)):
        problem = f"should be two distances above 0, from {LEAST_SPACING:g} to {LARGEST_SPACING:g} mm"
        raise InputError(shown, "PixelSpacing", (height, width), problem, REMEDY)
    slope = number(holders["RescaleSlope"], "RescaleSlope", shown)
    intercept = number(holders["RescaleIntercept"], "RescaleIntercept", shown)
    if slope == 0:
        raise InputError(shown, "RescaleSlope", slope, "makes every voxel the same", REMEDY)
    return Slice(file, frame, np.array(position), row, column, (height, width), slope, intercept)


def unit_vectors(cosines: tuple[float, ...], shown: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Row and column directions, of length one and at right angles: files round them."""
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if not all(0.9 < length < 1.1 for length in lengths) or abs(row @ column) > 0.01:
        raise InputError(shown, "ImageOrientationPatient", cosines, "is no pair of directions at right angles", REMEDY)
    row = row / lengths[0]
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


def _frames(file: DicomFile) -> list[Slice]:
    shared = _items(file.dataset, "SharedFunctionalGroupsSequence")
    frames = _items(file.dataset, "PerFrameFunctionalGroupsSequence")
    count = int(number(file.dataset, "NumberOfFrames", file.shown))
    if count < 1:
        raise InputError(file.shown, "NumberOfFrames", count, "must be 1 or more", REMEDY)
    if len(frames) != count:
        problem = f"describes {len(frames)} frames where NumberOfFrames is {count}"
        raise InputError(file.shown, "PerFrameFunctionalGroupsSequence", None, problem, REMEDY)
    result = []
    for index, own in enumerate(frames):
        shown = f"{file.shown} frame {index + 1}"
        holders = {tag: functional_group(own, shared, _GROUPS[tag]) for tag in _TAGS}
        result.append(_slice(file, index, shown, holders))
    return result


def functional_group(own: Dataset, shared: list[Dataset], keyword: str) -> Dataset:
    """A frame's own item of a functional group, else the shared one, else an empty data set."""
    for holder in (own, *shared):
        items = _items(holder, keyword)
        if items:
            item: Dataset = items[0]
            return item
    return Dataset()


def _items(dataset: Dataset, keyword: str) -> list[Any]:
    try:
        with quiet():
            return list(dataset.get(keyword) or [])
    except Exception:  # a damaged sequence counts as missing
        return []
