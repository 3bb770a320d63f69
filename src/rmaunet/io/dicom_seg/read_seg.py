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

from rmaunet.core.errors import InputError
from rmaunet.core.vocabulary import Named
from rmaunet.core.volume import Volume
from rmaunet.io.dicom.ct_slices import functional_group, unit_vectors
from rmaunet.io.dicom.dicom_files import DicomFile, find_files, full_header, number, numbers, quiet, text
from rmaunet.io.dicom.frames import PixelFormat, decode_frames, pixel_element
from rmaunet.io.dicom_seg.seg_codes import described
from rmaunet.io.masks.label_values import Labels
from rmaunet.io.masks.plane_stack import MAX_VOXELS, Planes, stacked
from rmaunet.io.masks.segment_use import Use, decide

__all__ = ["SEG_CLASSES", "is_seg", "planes_of", "read_dicom_seg", "read_planes"]

SEG_CLASSES = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
REMEDY = "export the segmentation again"
SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class _Frame:
    index: int
    segment: int  # 0 in a label map, -1 where another tells 0
    position: NDArray[np.float64]


def read_dicom_seg(path: Path) -> Volume:
    """Read liver and tumor from a DICOM SEG alone, on the grid that its frames span.

    Args:
        path: BINARY, FRACTIONAL (at half its maximum) or LABELMAP segmentation.

    Returns:
        uint8 (D, H, W) with 0, 1, 2, slices sorted along the normal; positions without a frame are background.

    Raises:
        InputError: See :func:`read_planes` and :func:`rmaunet.io.masks.plane_stack.stacked`; also for tilted slices.
    """
    planes, _ = read_planes(path)
    array, affine = stacked(planes, path)
    return Volume(array=array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid=planes.frame_uid)


def read_planes(path: Path, labels: Labels | None = None) -> tuple[Planes, tuple[Use, ...]]:
    """Read the planes of a DICOM SEG file.

    Segments are found by code and name (:mod:`rmaunet.core.vocabulary`) or by ``labels``; tumor wins where both lie.

    Args:
        path: A file with one segmentation.
        labels: Segment number or name to ours, instead of codes and names.

    Returns:
        The planes, and what became of each segment.

    Raises:
        InputError: If it is no SEG, damaged, or has no liver or tumor segment.
    """
    path = Path(path)
    found = find_files(path)
    if found.damaged:
        raise found.damaged[0]
    segs = [file for file in found.files if is_seg(file)]
    if len(segs) != 1:
        raise InputError(path, "DICOM SEG", len(segs), "is not one segmentation", "give one DICOM SEG file")
    return planes_of(segs[0], labels)


def is_seg(file: DicomFile) -> bool:
    """Whether a DICOM file is a segmentation."""
    return text(file.dataset, "SOPClassUID") in SEG_CLASSES


@quiet()
def planes_of(file: DicomFile, labels: Labels | None = None) -> tuple[Planes, tuple[Use, ...]]:
    """Read one DICOM SEG; see :func:`read_planes`."""
    try:
        return _read(file, full_header(file), labels)
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise almost anything
        problem = f"is damaged or cut off ({type(error).__name__})"
        raise InputError(file.shown, "DICOM SEG", None, problem, REMEDY) from error


def _read(file: DicomFile, data: Dataset, labels: Labels | None) -> tuple[Planes, tuple[Use, ...]]:
    named, meant, known = _segments(file, data, labels)
    frames, row, column, spacing, between = _frames(file, data)
    positions, place = _places(frames, np.cross(row, column))
    rows, columns = (int(number(data, keyword, file.shown)) for keyword in ("Rows", "Columns"))
    if min(rows, columns) < 1 or len(positions) * rows * columns > MAX_VOXELS:
        raise InputError(file.shown, "shape", (len(positions), rows, columns), "is not that of a mask", REMEDY)
    result: NDArray[np.uint8] | None = None
    lookup = np.zeros(65536, np.uint8)
    lookup[list(meant)] = list(meant.values())
    unknown = np.ones(65536, np.bool_)
    unknown[list(known)] = False
    counts = np.zeros(65536, np.int64)
    for frame, into, stored in zip(frames, place, _stored(file, data, rows, columns, len(frames)), strict=True):
        if result is None:
            result = np.zeros((len(positions), rows, columns), np.uint8)
        strange = int(frame.segment) if frame.segment else int(stored[unknown[stored]].max(initial=0))
        if strange and not (0 < strange < len(unknown) and not unknown[strange]):
            shown = f"{file.shown} frame {frame.index + 1}"
            raise InputError(shown, "segment number", max(strange, 0), "is none of the SegmentSequence", REMEDY)
        values = stored.astype(np.uint8) * np.uint8(meant.get(frame.segment, 0)) if frame.segment else lookup[stored]
        _count(counts, frame.segment, stored)
        np.maximum(result[into], values, out=result[into])
    if result is None:
        raise InputError(file.shown, "NumberOfFrames", 0, "no frame in it", REMEDY)
    uses = [Use(one.shown, meant.get(n), int(counts[n]) if n in meant else None) for n, one in named.items()]
    frame_uid = text(data, "FrameOfReferenceUID") or None
    return Planes(result, positions, row, column, (spacing[0], spacing[1]), between, frame_uid), tuple(uses)


def _count(counts: NDArray[np.int64], segment: int, stored: NDArray[np.generic]) -> None:
    """Add a frame's voxels to the count of each segment number."""
    if segment:
        counts[segment] += np.count_nonzero(stored)
        return
    found = np.bincount(stored.reshape(-1).astype(np.int64))
    counts[: len(found)] += found


def _segments(
    file: DicomFile, data: Dataset, labels: Labels | None
) -> tuple[dict[int, Named], dict[int, int], set[int]]:
    """The segments by number, our label of each that is used, and the numbers a frame may hold."""
    numbered: dict[int, Dataset] = {}
    for item in data.get("SegmentSequence") or []:
        n = int(number(item, "SegmentNumber", file.shown))
        if not 0 <= n <= 65535:
            raise InputError(file.shown, "SegmentNumber", n, "must be 1 to 65535", REMEDY)
        numbered[n] = item
    named = {n: described(n, item) for n, item in numbered.items() if n > 0}
    example = " ".join(f"{n}={word}" for n, word in zip(named, ("liver", "tumor"), strict=False)) or "1=liver"
    found = decide(file.shown, "SegmentSequence", list(named.values()), labels, example)
    meant = {n: label for n, label in zip(named, found, strict=True) if label}
    return named, meant, {0, *numbered}


def _places(frames: list[_Frame], normal: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The planes' positions along the normal, and the plane of each frame; frames within 0.01 mm share a plane."""
    positions = np.array([frame.position for frame in frames])
    along = positions @ normal
    order = np.argsort(along, kind="stable")
    planes: list[int] = []
    place = np.zeros(len(frames), np.int64)
    for index in order:
        if not planes or np.abs(positions[index] - positions[planes[-1]]).max() >= SAME_PLACE_MM:
            planes.append(int(index))
        place[index] = len(planes) - 1
    return positions[planes], place


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
    between = number(measures, "SpacingBetweenSlices", file.shown) if text(measures, "SpacingBetweenSlices") else 0.0
    return result, row, column, spacing, abs(between)


def _directions(item: Dataset, shared: list[Dataset], shown: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    orientation = functional_group(item, shared, "PlaneOrientationSequence")
    return unit_vectors(numbers(orientation, "ImageOrientationPatient", 6, shown), shown)


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
