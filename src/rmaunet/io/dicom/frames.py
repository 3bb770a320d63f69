"""Stored pixel values of a DICOM file, frame by frame, whatever its transfer syntax."""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.uid import UID, ExplicitVRBigEndian, RLELossless

from rmaunet.core.errors import InputError
from rmaunet.io.dicom.codecs import CodestreamError, decode_jpeg, decode_rle
from rmaunet.io.dicom.dicom_files import DicomFile, inflated_pixel_data, number, text

__all__ = ["PixelFormat", "decode_frames", "decode_words", "pixel_element", "pixel_format", "stored_values"]

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")
JPEG = tuple("1.2.840.10008.1.2.4." + end for end in ("50", "51", "57", "70", "80", "81", "90", "91"))
REMEDY = "export or copy the series again"


@dataclass(frozen=True)
class PixelFormat:
    """How a file's pixels are stored.

    Attributes:
        rows: Rows.
        columns: Columns.
        frames: Number of frames.
        bits_allocated: 8, 16 or 32.
        bits_stored: How many of them carry the value.
        shift: How far the value lies above bit 0.
        signed: Two's complement or not.
        syntax: Transfer syntax.
    """

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    shift: int
    signed: bool
    syntax: UID

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.bits_allocated // 8

    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """The unsigned type of the words as they lie in an uncompressed file."""
        order = ">" if self.syntax == ExplicitVRBigEndian else "<"
        return np.dtype(f"{order}u{self.bits_allocated // 8}")


def pixel_format(file: DicomFile) -> PixelFormat:
    """Read and check the tags that describe the pixels.

    Args:
        file: A file with an image.

    Returns:
        Their format.

    Raises:
        InputError: If a tag is missing or makes no sense for a grey image, or the transfer syntax is unknown.
    """
    data, shown = file.dataset, file.shown
    if file.syntax not in (*NATIVE, *JPEG, RLELossless):
        name = file.syntax if file.syntax.is_private or not file.syntax.is_valid else file.syntax.name
        raise InputError(shown, "TransferSyntaxUID", name, "cannot be decoded", "export as uncompressed or JPEG 2000")
    rows, columns, bits_allocated, bits_stored = (
        int(number(data, keyword, shown)) for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored")
    )
    signed = int(number(data, "PixelRepresentation", shown))
    high = int(number(data, "HighBit", shown)) if text(data, "HighBit") else bits_stored - 1
    frames = int(number(data, "NumberOfFrames", shown)) if text(data, "NumberOfFrames") else 1
    samples = text(data, "SamplesPerPixel") or "1"
    photometric = text(data, "PhotometricInterpretation")
    wrong = [
        ("Rows", rows, rows < 1),
        ("Columns", columns, columns < 1),
        ("NumberOfFrames", frames, frames < 1),
        ("SamplesPerPixel", samples, samples != "1"),
        ("PhotometricInterpretation", photometric, photometric not in ("MONOCHROME1", "MONOCHROME2")),
        ("BitsAllocated", bits_allocated, bits_allocated not in (8, 16, 32)),
        ("BitsStored", bits_stored, not 1 <= bits_stored <= bits_allocated),
        ("HighBit", high, not bits_stored - 1 <= high < bits_allocated),
        ("PixelRepresentation", signed, signed not in (0, 1)),
    ]
    for keyword, value, is_wrong in wrong:
        if is_wrong:
            raise InputError(shown, keyword, value if value != "" else None, "is not that of a grey CT image", REMEDY)
    shift = high + 1 - bits_stored
    return PixelFormat(rows, columns, frames, bits_allocated, bits_stored, shift, bool(signed), file.syntax)


def decode_frames(file: DicomFile, form: PixelFormat, frames: Sequence[int]) -> Iterator[NDArray[np.integer]]:
    """Decode frames of one file, opening it once.

    Args:
        file: The file.
        form: From :func:`pixel_format`.
        frames: Frame indices from 0, ascending.

    Yields:
        For each the stored values (rows, columns), without rescaling; signed where the file says so.

    Raises:
        InputError: If pixel data is missing, cut off or corrupt, naming the file.
    """
    for words in decode_words(file, form, frames):
        yield stored_values(words, form)


def decode_words(
    file: DicomFile, form: PixelFormat, frames: Sequence[int], *, surplus: dict[str, int] | None = None
) -> Iterator[NDArray[np.unsignedinteger]]:
    """Decode frames of one file as they are stored; see :func:`decode_frames`.

    Args:
        file: The file.
        form: From :func:`pixel_format`.
        frames: Frame indices from 0, ascending.
        surplus: Filled with the number of bytes behind the last pixel, by file, where there are any.

    Yields:
        For each the words (rows, columns) of ``BitsAllocated`` bits, with the bits that ``BitsStored`` does not count.
    """
    try:
        yield from _native(file, form, frames, surplus) if form.syntax in NATIVE else _encapsulated(file, form, frames)
    except InputError:
        raise
    except CodestreamError as error:
        raise InputError(file.shown, "PixelData", None, str(error), REMEDY) from error
    except Exception as error:
        problem = f"is corrupt or cut off ({type(error).__name__})"
        raise InputError(file.shown, "PixelData", None, problem, REMEDY) from error


def stored_values(words: NDArray[np.unsignedinteger], form: PixelFormat) -> NDArray[np.integer]:
    """Turn words into values: drop unused bits (old files keep overlays there) and extend the sign.

    Args:
        words: Unsigned words of ``bits_allocated`` bits.
        form: Their format.

    Returns:
        Native-endian values of the same shape and size, signed if ``form.signed``.
    """
    unsigned = np.dtype(f"u{form.bits_allocated // 8}")
    words = words.astype(unsigned, copy=False)
    unused = form.bits_allocated - form.bits_stored
    kind = np.dtype(f"i{form.bits_allocated // 8}") if form.signed else unsigned
    if unused == 0:
        whole: NDArray[np.integer] = words.view(kind)
        return whole
    lifted = np.left_shift(words, unused - form.shift)
    return np.asarray(np.right_shift(lifted.view(kind), unused), kind)


def _native(
    file: DicomFile, form: PixelFormat, frames: Sequence[int], surplus: dict[str, int] | None
) -> Iterator[NDArray[np.unsignedinteger]]:
    with pixel_element(file) as (stream, length):
        size = form.frame_bytes
        left = length if file.pixel_offset is None else os.fstat(stream.fileno()).st_size - stream.tell()
        have, need = min(length, left), size * form.frames
        excess, row = have - need, form.columns * form.bits_allocated // 8
        # PS3.5 8.1.1 allows bytes behind the pixels. Whole rows mean that Rows, BitsAllocated or NumberOfFrames is wrong.
        if length == 0xFFFFFFFF or excess < 0 or (excess > 1 and excess % row == 0):
            problem = f"holds {have} bytes where Rows, Columns and BitsAllocated ask for {need}: cut off or mislabelled"
            raise InputError(file.shown, "PixelData", None, problem, REMEDY)
        if excess > 1 and surplus is not None:  # one byte makes an odd length even
            surplus[file.shown] = excess
        start = stream.tell()
        for frame in frames:
            stream.seek(start + frame * size)
            yield np.frombuffer(stream.read(size), form.dtype()).reshape(form.rows, form.columns)


def _encapsulated(file: DicomFile, form: PixelFormat, frames: Sequence[int]) -> Iterator[NDArray[np.unsignedinteger]]:
    with pixel_element(file) as (stream, length):
        if length != 0xFFFFFFFF:
            problem = "is not encapsulated although TransferSyntaxUID says it is compressed"
            raise InputError(file.shown, "PixelData", None, problem, REMEDY)
        wanted = set(frames)
        count = -1
        for count, coded in enumerate(generate_frames(stream.read(), number_of_frames=form.frames)):
            if count in wanted:
                yield _decode(coded, form)
        if count + 1 < form.frames:
            problem = f"holds {count + 1} frames where NumberOfFrames says {form.frames}"
            raise InputError(file.shown, "PixelData", None, problem, REMEDY)


def _decode(coded: bytes, form: PixelFormat) -> NDArray[np.unsignedinteger]:
    if form.syntax == RLELossless:
        return decode_rle(coded, form.rows, form.columns, form.bits_allocated // 8)
    return decode_jpeg(coded, form.rows, form.columns, form.bits_allocated, form.syntax)


@contextlib.contextmanager
def pixel_element(file: DicomFile) -> Iterator[tuple[BinaryIO, int]]:
    """The pixel data element's value: a stream that stands at its first byte, and its length."""
    if file.pixel_offset == -1:
        raise InputError(file.shown, "PixelData", None, "is missing: the file is cut off, or no image", REMEDY)
    if file.pixel_offset is None:
        value = inflated_pixel_data(file)
        yield io.BytesIO(value), len(value)
        return
    with file.path.open("rb") as stream:
        stream.seek(file.pixel_offset)
        order = ">" if file.syntax == ExplicitVRBigEndian else "<"
        group, element = struct.unpack(f"{order}HH", stream.read(4))
        if (group, element) != (0x7FE0, 0x0010):
            raise InputError(file.shown, "PixelData", None, "is missing, or not whole numbers", REMEDY)
        head = stream.read(4)
        # Some files are not of the value representation that their syntax promises. Explicit elements say OB, OW or UN and
        # two zeros here; as an implicit length that would be odd, which DICOM does not allow.
        if head in (b"OB\0\0", b"OW\0\0", b"UN\0\0"):
            head = stream.read(4)
        yield stream, struct.unpack(f"{order}I", head)[0]
