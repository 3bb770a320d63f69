"""Reading a DICOM SEG of any producer, with pydicom alone, into labels on a full grid."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import generate_frames

from rmaunet.errors import InputError
from rmaunet.io.dicom_files import DicomFile, find_files, full_header, number, numbers, printable, quiet, text
from rmaunet.io.dicom_pixels import PixelFormat, decode_frames, pixel_element
from rmaunet.io.dicom_seg_codes import role_of, segment_name
from rmaunet.io.dicom_slices import functional_group, unit_vectors
from rmaunet.labels import LIVER
from rmaunet.notices import notice
from rmaunet.volume import Volume

__all__ = ["read_dicom_seg"]

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
MAX_VOXELS = 4 << 30
REMEDY = "export the segmentation again"


@dataclass(frozen=True)
class _Frame:
    index: int
    segment: int  # 0 in a label map, -1 where another tells 0
    position: NDArray[np.float64]


@quiet()
def read_dicom_seg(path: Path) -> Volume:
    """Read liver and tumor from a DICOM SEG.

    Liver segments become 1, tumor, lesion, neoplasm and mass segments 2, tumor winning where both lie. The grid is
    spanned by the frames; positions without a frame are background.

    Args:
        path: BINARY, FRACTIONAL (at half its maximum) or LABELMAP segmentation.

    Returns:
        uint8 (D, H, W) with 0, 1, 2, slices sorted along the normal.

    Raises:
        InputError: If it is no SEG, damaged, has no liver or tumor segment, or frames that form no even stack.
    """
    path = Path(path)
    found = find_files(path)
    if found.damaged:
        raise found.damaged[0]
    segs = [file for file in found.files if text(file.dataset, "SOPClassUID") in SEG_CLASSES]
    if len(segs) != 1:
        raise InputError(path, "DICOM SEG", len(segs), "is not one segmentation", "give one DICOM SEG file")
    try:
        return _read(segs[0], full_header(segs[0]))
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise almost anything
        problem = f"is damaged or cut off ({type(error).__name__})"
        raise InputError(path, "DICOM SEG", None, problem, REMEDY) from error


def _read(file: DicomFile, data: Dataset) -> Volume:
    roles, known = _roles(file, data)
    frames, row, column, spacing, thickness = _frames(file, data)
    first, step, count = _grid(file, frames, np.cross(row, column), thickness)
    rows, columns = (int(number(data, keyword, file.shown)) for keyword in ("Rows", "Columns"))
    if min(rows, columns) < 1 or count * rows * columns > MAX_VOXELS:
        raise InputError(file.shown, "shape", (count, rows, columns), "is not that of a mask", REMEDY)
    normal = np.cross(row, column)
    labels: NDArray[np.uint8] | None = None
    lookup = np.zeros(65536, np.uint8)
    lookup[list(roles)] = list(roles.values())
    unknown = np.ones(65536, np.bool_)
    unknown[list(known)] = False
    for frame, stored in zip(frames, _stored(file, data, rows, columns, len(frames)), strict=True):
        if labels is None:
            labels = np.zeros((count, rows, columns), np.uint8)
        strange = int(frame.segment) if frame.segment else int(stored[unknown[stored]].max(initial=0))
        if strange and not (0 < strange < len(unknown) and not unknown[strange]):
            shown = f"{file.shown} frame {frame.index + 1}"
            raise InputError(shown, "segment number", max(strange, 0), "is none of the SegmentSequence", REMEDY)
        into = labels[round(float((frame.position - first) @ normal) / step)]
        values = stored.astype(np.uint8) * np.uint8(roles.get(frame.segment, 0)) if frame.segment else lookup[stored]
        np.maximum(into, values, out=into)
    affine = np.eye(4)
    affine[:3] = np.column_stack([normal * step, column * spacing[0], row * spacing[1], first])
    frame_uid = text(data, "FrameOfReferenceUID") or None
    if labels is None:
        raise InputError(file.shown, "NumberOfFrames", 0, "no frame in it", REMEDY)
    return Volume(array=labels, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid=frame_uid)


def _roles(file: DicomFile, data: Dataset) -> tuple[dict[int, int], set[int]]:
    """Our label of each liver or tumor segment, and the numbers a frame may hold."""
    segments = list(data.get("SegmentSequence") or [])
    numbered = {int(number(item, "SegmentNumber", file.shown)): item for item in segments}
    for n in numbered:
        if not 0 <= n <= 65535:
            raise InputError(file.shown, "SegmentNumber", n, "must be 1 to 65535", REMEDY)
    roles = {n: role for n, item in numbered.items() if (role := role_of(item)) is not None}
    foreign = [f"{n} {printable(segment_name(item), 40)!r}" for n, item in numbered.items() if n not in roles and n > 0]
    if not roles:
        problem = f"neither liver nor tumor among the segments {', '.join(foreign) or '(none)'}"
        raise InputError(file.shown, "SegmentSequence", len(numbered), problem, "give a segmentation of the liver")
    if foreign:
        notice(file.shown, f"segments left out as neither liver nor tumor: {', '.join(foreign)}")
    if LIVER not in roles.values():
        notice(file.shown, "there is a tumor segment but no liver segment")
    return roles, {0, *numbered}


def _frames(
    file: DicomFile, data: Dataset
) -> tuple[list[_Frame], NDArray[np.float64], NDArray[np.float64], tuple[float, ...], float]:
    shared = list(data.get("SharedFunctionalGroupsSequence") or [])
    own = list(data.get("PerFrameFunctionalGroupsSequence") or [])
    count = int(number(data, "NumberOfFrames", file.shown))
    if count != len(own) or count < 1:
        problem = f"describes {len(own)} frames where NumberOfFrames is {count}"
        raise InputError(file.shown, "PerFrameFunctionalGroupsSequence", None, problem, REMEDY)
    label_map = text(data, "SegmentationType") == "LABELMAP"
    result, first = [], own[0]
    measures = functional_group(first, shared, "PixelMeasuresSequence")
    spacing = numbers(measures, "PixelSpacing", 2, file.shown)
    row, column = _directions(first, shared, file.shown)
    for index, item in enumerate(own):
        shown = f"{file.shown} frame {index + 1}"
        position = numbers(functional_group(item, shared, "PlanePositionSequence"), "ImagePositionPatient", 3, shown)
        other = _directions(item, shared, shown) if "PlaneOrientationSequence" in item else (row, column)
        if max(np.abs(other[0] - row).max(), np.abs(other[1] - column).max()) > 1e-3:
            raise InputError(shown, "ImageOrientationPatient", None, "is turned against the other frames", REMEDY)
        identity = functional_group(item, shared, "SegmentIdentificationSequence")
        segment = 0 if label_map else int(number(identity, "ReferencedSegmentNumber", shown)) or -1
        result.append(_Frame(index, segment, np.array(position)))
    thickness = 0.0
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        if thickness <= 0 and text(measures, keyword):
            thickness = number(measures, keyword, file.shown)
    return result, row, column, spacing, thickness


def _directions(item: Dataset, shared: list[Dataset], shown: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    orientation = functional_group(item, shared, "PlaneOrientationSequence")
    return unit_vectors(numbers(orientation, "ImageOrientationPatient", 6, shown), shown)


def _grid(
    file: DicomFile, frames: list[_Frame], normal: NDArray[np.float64], thickness: float
) -> tuple[NDArray[np.float64], float, int]:
    """Position of the lowest frame, spacing, and number of slices of the grid the frames span."""
    positions = np.array([frame.position for frame in frames])
    along = positions @ normal
    lowest = positions[int(along.argmin())]
    offsets = positions - lowest
    if np.abs(offsets - np.outer(offsets @ normal, normal)).max() > 0.1:
        raise InputError(file.shown, "ImagePositionPatient", None, "shifts frames sideways", REMEDY)
    heights = np.unique(np.round(along - along.min(), 3))
    if len(heights) == 1:
        return lowest, thickness if thickness > 0 else 1.0, 1
    for step in (thickness, float(np.diff(heights).min())):
        if step <= 0:
            continue
        places = np.round(heights / step)
        if len(np.unique(places)) == len(places) and np.abs(heights - places * step).max() < 0.02 * step + 0.005:
            return lowest, float(heights[-1] / places[-1]), int(places[-1]) + 1
    raise InputError(file.shown, "ImagePositionPatient", None, "spaces the frames unevenly", REMEDY)


def _stored(file: DicomFile, data: Dataset, rows: int, columns: int, count: int) -> Iterator[NDArray[np.generic]]:
    """Frames: boolean for BINARY and FRACTIONAL, segment numbers for a label map."""
    kind = text(data, "SegmentationType")
    bits = int(number(data, "BitsAllocated", file.shown))
    if kind == "BINARY" and bits == 1:
        yield from _bits(file, rows * columns, count, (rows, columns))
        return
    if kind not in ("BINARY", "FRACTIONAL", "LABELMAP") or bits not in (8, 16):
        raise InputError(file.shown, "SegmentationType", f"{kind!r} of {bits} bits", "is not understood", REMEDY)
    form = PixelFormat(rows, columns, count, bits, bits, 0, False, file.syntax)
    limit = number(data, "MaximumFractionalValue", file.shown) / 2 if kind == "FRACTIONAL" else 1
    for stored in decode_frames(file, form, range(count)):
        yield stored if kind == "LABELMAP" else stored >= limit


def _bits(file: DicomFile, pixels: int, count: int, shape: tuple[int, int]) -> Iterator[NDArray[np.bool_]]:
    """One bit a pixel; frames follow each other without padding unless each is compressed by itself."""
    with pixel_element(file) as (stream, length):
        whole = (pixels * count + 7) // 8
        if length == 0xFFFFFFFF:
            if str(file.syntax) != DEFLATED_FRAMES:
                raise InputError(file.shown, "TransferSyntaxUID", str(file.syntax), "is not understood", REMEDY)
            for coded in generate_frames(stream.read(), number_of_frames=count):
                raw = zlib.decompressobj(-zlib.MAX_WBITS).decompress(coded, pixels // 8 + 3)
                if len(raw) > (pixels + 7) // 8 + 1:
                    problem = "holds frames larger than Rows and Columns tell"
                    raise InputError(file.shown, "PixelData", None, problem, REMEDY)
                yield _unpacked(np.frombuffer(raw, np.uint8), 0, pixels, file).reshape(shape)
            return
        if length > whole + whole % 2:
            problem = f"holds {length} bytes where Rows, Columns and NumberOfFrames ask for {whole}"
            raise InputError(file.shown, "PixelData", None, problem, REMEDY)
        packed = np.frombuffer(stream.read(length), np.uint8)
    for index in range(count):
        yield _unpacked(packed, index * pixels, pixels, file).reshape(shape)


def _unpacked(packed: NDArray[np.uint8], start: int, pixels: int, file: DicomFile) -> NDArray[np.bool_]:
    part = packed[start // 8 : (start + pixels + 7) // 8]
    bits = np.unpackbits(part, bitorder="little")[start % 8 : start % 8 + pixels]
    if len(bits) != pixels:
        raise InputError(file.shown, "PixelData", None, "is cut off", REMEDY)
    return bits.view(np.bool_)
