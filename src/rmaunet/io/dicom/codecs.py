"""Decoders of compressed frames: run lengths here, the JPEG family through SimpleITK's GDCM."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage

__all__ = ["CodestreamError", "decode_jpeg", "decode_rle"]

_END = b"\xff\xd9"  # of every codestream of the JPEG family


class CodestreamError(ValueError):
    """A compressed frame is corrupt; the text says how."""


def decode_rle(coded: bytes, rows: int, columns: int, word_bytes: int) -> NDArray[np.unsignedinteger]:
    """Decode a frame of DICOM RLE.

    Args:
        coded: Header of 64 bytes and one segment per byte of a word, the most significant first.
        rows: Rows.
        columns: Columns.
        word_bytes: Bytes of a word.

    Returns:
        (rows, columns) unsigned words.

    Raises:
        CodestreamError: If a segment does not decode to exactly one byte per pixel.

    Reference:
        DICOM PS3.5, annex G.
    """
    if len(coded) < 64:
        raise CodestreamError("is cut off before its RLE header ends")
    count, *offsets = struct.unpack("<16I", coded[:64])
    if count != word_bytes:
        raise CodestreamError(f"has {count} RLE segments where BitsAllocated asks for {word_bytes}")
    ends = [*offsets[1:count], len(coded)]
    out = np.empty((rows * columns, word_bytes), np.uint8)
    for index, (start, end) in enumerate(zip(offsets[:count], ends, strict=True)):
        if not 64 <= start < end <= len(coded):
            raise CodestreamError("has RLE segments that do not lie in it")
        segment = _unpack_bits(coded[start:end], rows * columns)
        out[:, word_bytes - 1 - index] = np.frombuffer(segment, np.uint8)
    return out.view(f"<u{word_bytes}").reshape(rows, columns)


def _unpack_bits(segment: bytes, size: int) -> bytearray:
    result = bytearray()
    position, end = 0, len(segment)
    while len(result) < size and position < end:
        head = segment[position]
        if head < 128:
            result += segment[position + 1 : position + 2 + head]
            position += head + 2
        elif head > 128:
            result += segment[position + 1 : position + 2] * (257 - head)
            position += 2
        else:
            position += 1
    if len(result) != size:
        raise CodestreamError(f"has an RLE segment of {len(result)} bytes where {size} are expected")
    if len(segment[position:].strip(b"\x00\x80")) > 0:
        raise CodestreamError("has bytes left over in an RLE segment")
    return result


def decode_jpeg(coded: bytes, rows: int, columns: int, bits_allocated: int, syntax: UID) -> NDArray[np.unsignedinteger]:
    """Decode a frame of the JPEG family (JPEG, lossless JPEG, JPEG-LS, JPEG 2000).

    GDCM reads files only and applies rescaling, so the frame is handed over as a bare temporary image; the words
    that come back are bit patterns whose sign the caller extends.

    Args:
        coded: The codestream.
        rows: Rows it must have.
        columns: Columns it must have.
        bits_allocated: Bits of a word, at least the codestream's precision.
        syntax: Transfer syntax.

    Returns:
        (rows, columns) unsigned words.

    Raises:
        CodestreamError: If the stream is no such image, of another size, cut off, or GDCM refuses it.
    """
    stream = _without_padding(coded)
    read = _jpeg2000_size if stream.startswith(b"\xff\x4f") else _jpeg_size
    height, width, components, precision, signed = read(stream)
    if (height, width, components) != (rows, columns, 1):
        raise CodestreamError(f"is compressed as {height} x {width} x {components}, not {rows} x {columns} x 1")
    if precision > bits_allocated or precision > 16:
        raise CodestreamError(f"is compressed with {precision} bits where BitsAllocated is {bits_allocated}")
    if not stream.endswith(_END):
        raise CodestreamError("is cut off: its end marker is missing")
    words = _through_gdcm(stream, rows, columns, precision, signed, syntax)
    return words.view(f"u{words.dtype.itemsize}").astype(f"u{bits_allocated // 8}")


def _without_padding(coded: bytes) -> bytes:
    """The codestream without what makes its length even: zeros, or one byte of any value after the end marker.

    PS3.5 A.4 asks for a zero. NEMA's own examples of compressed CT end in FF D9 FF.
    """
    stream = coded.rstrip(b"\x00")
    return stream[:-1] if stream[-3:-1] == _END else stream


def _jpeg2000_size(stream: bytes) -> tuple[int, int, int, int, bool]:
    if len(stream) < 44 or stream[2:4] != b"\xff\x51":
        raise CodestreamError("is no JPEG 2000 codestream")
    width, height, left, top = struct.unpack(">4I", stream[8:24])
    components, depth = struct.unpack(">HB", stream[40:43])
    return height - top, width - left, components, (depth & 0x7F) + 1, bool(depth & 0x80)


def _jpeg_size(stream: bytes) -> tuple[int, int, int, int, bool]:
    position = 2
    while stream[:2] == b"\xff\xd8" and position + 4 <= len(stream) and stream[position] == 0xFF:
        marker, length = stream[position + 1], struct.unpack(">H", stream[position + 2 : position + 4])[0]
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if (is_frame or marker == 0xF7) and position + 10 <= len(stream):
            precision, height, width, components = struct.unpack(">BHHB", stream[position + 4 : position + 10])
            return height, width, components, precision, False
        position += 2 + length
    raise CodestreamError("is no JPEG codestream")


def _through_gdcm(
    coded: bytes, rows: int, columns: int, precision: int, signed: bool, syntax: UID
) -> NDArray[np.integer]:
    import SimpleITK as sitk  # noqa: N813

    bare = Dataset()
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = syntax
    bare.file_meta.MediaStorageSOPClassUID = bare.SOPClassUID = CTImageStorage
    bare.file_meta.MediaStorageSOPInstanceUID = bare.SOPInstanceUID = UID("1.2.3")
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    bare.Rows, bare.Columns = rows, columns
    bare.BitsAllocated = 8 if precision <= 8 else 16
    bare.BitsStored, bare.HighBit, bare.PixelRepresentation = precision, precision - 1, int(signed)
    bare.PixelData = encapsulate([coded])
    bare["PixelData"].VR = "OB"
    bare["PixelData"].is_undefined_length = True
    with tempfile.TemporaryDirectory(prefix="rmaunet-") as folder:
        path = Path(folder, "frame.dcm")
        bare.save_as(path, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        try:
            image = reader.Execute()
        except RuntimeError as error:
            raise CodestreamError("cannot be decompressed") from error
    words: NDArray[np.integer] = sitk.GetArrayFromImage(image)
    if words.size != rows * columns or words.dtype.kind not in "iu":
        raise CodestreamError("does not decompress to one grey image")
    return words.reshape(rows, columns)
