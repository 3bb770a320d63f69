"""DICOM files of a folder: which they are, their headers, and where their pixel data begins."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import PersonName

from rmaunet.core.errors import InputError
from rmaunet.core.walk import walk

__all__ = [
    "CT_CLASSES",
    "MASK_FOLDERS",
    "DicomFile",
    "Found",
    "find_files",
    "full_header",
    "inflated_pixel_data",
    "number",
    "numbers",
    "printable",
    "quiet",
    "text",
]

# Only these tags are kept of each file: everything that sorts, checks and places a slice, and no name of a person.
KEYWORDS = [
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "SeriesDescription",
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "AcquisitionNumber",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "SliceThickness",
    "SpacingBetweenSlices",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "ModalityLUTSequence",
    "ContrastBolusAgent",
    "ProtocolName",
    "StudyDate",
    "AcquisitionTime",
    "ConvolutionKernel",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DimensionIndexSequence",
    "DimensionOrganizationSequence",
]
CT_CLASSES = tuple("1.2.840.10008.5.1.4.1.1.2" + end for end in ("", ".1", ".2"))
FREE_INFLATED, MAX_RATIO = 64 << 20, 200
DICOMDIR = "1.2.840.10008.1.3.10"
MASK_FOLDERS = frozenset({"masks_dicom", "labelled_dicom", "meshes_vtk"})
"""Folders of a 3D-IRCADb patient that hold masks, though their files say they are CT."""


@dataclass(frozen=True)
class DicomFile:
    """One DICOM file without its pixel data.

    Attributes:
        path: Where it lies.
        shown: How it is named to the user (inside an archive: the archive's name and the member's).
        dataset: The tags of :data:`KEYWORDS` that it has.
        syntax: Transfer syntax.
        pixel_offset: Byte at which the pixel data element begins; None in a deflated file; -1 if there is none.
    """

    path: Path
    shown: str
    dataset: Dataset
    syntax: UID
    pixel_offset: int | None


@dataclass
class Found:
    """What a folder holds.

    Attributes:
        files: Readable DICOM files, by path.
        damaged: Why a file that says it is DICOM cannot be read.
        other: Paths that are no DICOM.
        masks: Folders named like :data:`MASK_FOLDERS` below the one searched, which were not searched.
        dangling: Links that lead nowhere.
        unreadable: Folders that could not be listed.
    """

    files: list[DicomFile] = field(default_factory=list)
    damaged: list[InputError] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    dangling: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep pydicom's and highdicom's warnings away: they quote values, a patient's among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def printable(value: object, limit: int = 64) -> str:
    """``value`` as one short line without control characters."""
    line = "".join(c if c.isprintable() else "?" for c in str(value).strip())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def find_files(root: Path, shown_root: str | None = None) -> Found:
    """Read the header of every DICOM file at or below ``root``.

    Args:
        root: A folder of any depth, linked folders included, or one file.
        shown_root: What the user calls ``root``; by default its path.

    Returns:
        The files found; nothing is raised for a damaged one.

    Raises:
        InputError: If ``root`` does not exist or is neither a folder nor a regular file.
    """
    shown = str(root) if shown_root is None else shown_root
    try:
        mode = root.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise InputError(shown, "path", reason, "cannot be opened", "check the path") from error
    found = Found()
    if stat.S_ISREG(mode):
        _add(found, root, shown)
        return found
    if not stat.S_ISDIR(mode):
        raise InputError(shown, "path", None, "is neither a folder nor a regular file", "give a folder or a file")
    tree = walk(root)
    found.dangling, found.unreadable = tree.dangling, tree.unreadable
    found.masks = [folder for folder in tree.folders if folder.name.lower() in MASK_FOLDERS]
    for path in sorted(set(tree.files) - set(tree.dangling)):
        place = path.relative_to(root)
        if not any(part.lower() in MASK_FOLDERS for part in place.parts[:-1]):
            _add(found, path, str(Path(shown) / place))
    return found


def _add(found: Found, path: Path, shown: str) -> None:
    try:
        file = _read(path, shown)
    except InputError as error:
        found.damaged.append(error)
        return
    if file is None:
        found.other.append(path)
    elif text(file.dataset.file_meta, "MediaStorageSOPClassUID") != DICOMDIR:
        found.files.append(file)


def _read(path: Path, shown: str) -> DicomFile | None:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            start = file.read(132)
            if start[128:] != b"DICM" and not _bare(start):
                return None
            file.seek(0)
            return _parse(file, path, shown, force=start[128:] != b"DICM")
    except FileNotFoundError:  # a link that leads nowhere
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise InputError(shown, "file", error.strerror, "cannot be read", "check its rights and its disk") from error


def _bare(start: bytes) -> bool:
    """Whether a file begins like old DICOM without preamble: an element of group 2 or 8 with a small length."""
    group, element = start[:2], start[2:4]
    return group in (b"\x02\x00", b"\x08\x00") and element in (b"\x00\x00", b"\x01\x00", b"\x05\x00", b"\x08\x00")


def _parse(file: Any, path: Path, shown: str, *, force: bool) -> DicomFile | None:
    try:
        _check_inflation(file, shown)
        with quiet():
            dataset = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(KEYWORDS), force=force)
            syntax = _syntax(dataset)
            offset = None if syntax == DeflatedExplicitVRLittleEndian else file.tell()
            if offset is not None and file.read(2) not in (b"\xe0\x7f", b"\x7f\xe0"):
                offset = -1  # the header ended before a pixel data group began
            if force and "SOPClassUID" not in dataset:
                return None
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise almost anything
        problem = f"is damaged or cut off ({type(error).__name__})"
        raise InputError(shown, "DICOM header", None, problem, "copy it again, or move it out of the folder") from error
    kinds = {text(dataset, "SOPClassUID"), text(dataset.file_meta, "MediaStorageSOPClassUID")} - {""}
    if offset == -1 and (not kinds or kinds & set(CT_CLASSES)):
        problem = "is missing: the file is cut off before it"
        raise InputError(shown, "PixelData", None, problem, "copy it again, or move it out of the folder")
    return DicomFile(path, shown, dataset, syntax, offset)


def _check_inflation(file: Any, shown: str) -> None:
    """Refuse a deflated data set that swells to an absurd size, before pydicom inflates it whole."""
    start = file.read(1024)
    file.seek(0)
    if DeflatedExplicitVRLittleEndian.encode() not in start or start[132:136] != b"\x02\x00\x00\x00":
        return
    file.seek(144 + int.from_bytes(start[140:144], "little"))
    limit = max(FREE_INFLATED, MAX_RATIO * os.fstat(file.fileno()).st_size)
    inflater, size = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while (block := inflater.unconsumed_tail or file.read(1 << 16)) and not inflater.eof:
        size += len(inflater.decompress(block, 1 << 20))
        if size > limit:
            raise InputError(
                shown, "deflated bytes", size, "are more than a DICOM file holds", "take the original file"
            )
    file.seek(0)


def _syntax(dataset: Dataset) -> UID:
    given = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if given:
        return UID(str(given))
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def full_header(file: DicomFile) -> Dataset:
    """Every tag of a file but its pixel data: patient and study modules too, which a DICOM SEG must repeat.

    Args:
        file: From :func:`find_files`.

    Returns:
        The data set. It identifies the patient: never log it.

    Raises:
        InputError: If the file cannot be read any more.
    """
    try:
        with quiet():
            return pydicom.dcmread(file.path, stop_before_pixels=True, force=True)
    except Exception as error:
        raise InputError(file.shown, "DICOM header", None, "is damaged", "copy the file again") from error


def inflated_pixel_data(file: DicomFile) -> bytes:
    """The pixel data of a deflated file, whose data set is compressed as a whole.

    Args:
        file: A file of the deflated transfer syntax.

    Returns:
        The bytes of its pixel data, empty if it has none.
    """
    with quiet():
        return bytes(pydicom.dcmread(file.path).get("PixelData") or b"")


def text(dataset: Dataset, keyword: str) -> str:
    """A tag's value as text; "" where it is missing, empty or unreadable. Multiple values are joined by a backslash."""
    try:
        with quiet():
            value = dataset.get(keyword)
    except Exception:
        return ""
    if value is None:
        return ""
    # A person's name can be iterated over, too: by character.
    several = hasattr(value, "__iter__") and not isinstance(value, str | bytes | PersonName)
    return "\\".join(map(str, value)) if several else str(value)


def numbers(dataset: Dataset, keyword: str, count: int, shown: str) -> tuple[float, ...]:
    """A tag that must hold ``count`` finite numbers.

    Args:
        dataset: A file's or a functional group's data set.
        keyword: DICOM keyword.
        count: How many numbers.
        shown: The slice, for the error.

    Returns:
        The numbers.

    Raises:
        InputError: If the tag is missing, empty, of another count, not numeric or not finite.
    """
    remedy = "export the series again"
    if keyword not in dataset:
        raise InputError(shown, keyword, None, "is missing", remedy)
    try:
        with quiet():
            value = dataset[keyword].value
            values = [] if value is None or value == "" else value if hasattr(value, "__iter__") else [value]
            result = tuple(float(item) for item in values)
    except Exception as error:
        raw = getattr(dataset.get_item(Tag(keyword)), "value", b"")
        seen = printable(raw.decode("latin-1") if isinstance(raw, bytes) else raw, 40)
        raise InputError(shown, keyword, repr(seen), "is not a number", remedy) from error
    if not result:
        raise InputError(shown, keyword, None, "is empty", remedy)
    if len(result) != count or not all(map(math.isfinite, result)):
        problem = f"should be {count} finite number{'s' * (count > 1)}"
        raise InputError(shown, keyword, printable(result, 80), problem, remedy)
    return result


def number(dataset: Dataset, keyword: str, shown: str) -> float:
    """A tag that must hold one finite number; see :func:`numbers`."""
    return numbers(dataset, keyword, 1, shown)[0]
