"""A file's bytes in order, decompressed, and held to the header's word: not one byte fewer, nearly none more.

Readers of images commonly fill missing voxels with zeros or skip a gzip's checksum; here the end of the stream is
always reached and checked before a voxel is handed on.
"""

from __future__ import annotations

import io
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, NoReturn, cast

from isal import igzip, isal_zlib

from rmaunet.errors import InputError
from rmaunet.io.regular import check_regular, first_bytes

__all__ = ["DAMAGED", "ByteStream", "Compression", "packing"]

Compression = Literal["raw", "gzip", "zlib"]

_PIECE = 1 << 20
DAMAGED = cast(type[Exception], isal_zlib.error)
"""What isal raises for a damaged deflate stream."""
# Deflate cannot shrink data by more than this factor, so a file's size bounds what can come out of it.
_DEFLATE_FACTOR = 1032
# Bytes after the last voxel that are taken for padding; real images' rows and slices are longer than this.
_PADDING = 512


def packing(path: Path) -> Compression:
    """How a file is packed, seen from its first bytes and not from its name. Raises InputError as ByteStream does."""
    return "gzip" if first_bytes(path, 2) == b"\x1f\x8b" else "raw"


class _Inflate(io.RawIOBase):
    """A zlib stream (MetaImage's compression) as a readable file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflater = isal_zlib.decompressobj()
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._inflater.eof:
            data = self._inflater.unconsumed_tail or self._file.read(_PIECE)
            if not data:
                raise EOFError("compressed stream ended early")
            out = self._inflater.decompress(data, len(buffer))
            if out:
                buffer[: len(out)] = out
                return len(out)
        # What follows the stream belongs to nothing; it is handed on so that it can be counted.
        rest = self._inflater.unused_data[: len(buffer)] if not self._ended else b""
        self._ended = True
        rest = rest or self._file.read(len(buffer))
        buffer[: len(rest)] = rest
        return len(rest)


class ByteStream:
    """Reads a file's bytes strictly in order.

    Args:
        subject: The file the user named, for messages.
        path: The file that holds the bytes, often the same.
        compression: How they are packed.
        start: Where they (the compressed ones) begin in the file.

    Raises:
        InputError: From every method, when the file is unreadable, shorter than asked, damaged, or fails its checksum.
    """

    def __init__(self, subject: Path, path: Path, *, compression: Compression, start: int = 0) -> None:
        self.subject = subject
        self.compression = compression
        self._left = check_regular(path) - start
        if self._left < 0:
            self._refuse_short(start)
        try:
            self._file: BinaryIO = path.open("rb")
            self._file.seek(start)
        except OSError as error:
            raise InputError(subject, "file", error.strerror, "cannot be read", "check its rights") from error
        self._bytes: BinaryIO = self._file
        if compression == "gzip":
            self._bytes = cast(BinaryIO, igzip.IGzipFile(fileobj=self._file, mode="rb"))
        elif compression == "zlib":
            self._bytes = cast(BinaryIO, _Inflate(self._file))

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def expect(self, count: int) -> None:
        """Refuse now, before memory is taken, if ``count`` more bytes cannot be in the file."""
        most = self._left if self.compression == "raw" else (self._left + 64) * _DEFLATE_FACTOR
        if count > most:
            self._refuse_short(count)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes, all of them."""
        data = bytearray(count)
        self.fill(memoryview(data))
        return bytes(data)

    def fill(self, view: memoryview) -> None:
        """Fill ``view`` (bytes) with the next bytes, all of them."""
        done = 0
        while done < len(view):
            got = self._readinto(view[done:])
            if not got:
                self._refuse_short(len(view))
            done += got

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        if count and self.compression == "raw":
            self.expect(count)
            self._file.seek(count, io.SEEK_CUR)
            self._left -= count
            return
        buffer = memoryview(bytearray(min(count, _PIECE)))
        while count > 0:
            self.fill(buffer[: min(count, _PIECE)])
            count -= min(count, _PIECE)

    def end(self) -> int:
        """Reach the end of the stream, where checksums are, after the last voxel.

        Returns:
            How many bytes of padding followed.
        """
        buffer = memoryview(bytearray(_PADDING + 1))
        surplus = 0
        while surplus <= _PADDING:
            got = self._readinto(buffer[surplus:])
            if not got:
                return surplus
            surplus += got
        problem = "more data follow than the header tells of"
        raise InputError(self.subject, "data", None, problem, "the header is wrong or damaged; take the original file")

    def _readinto(self, view: memoryview) -> int:
        try:
            got = self._bytes.readinto(view)  # type: ignore[attr-defined]
        except EOFError:
            self._refuse_short(len(view))
        except OSError as error:  # a bad gzip's error is one too, without an error number
            what = error.strerror if error.errno else "compressed data are damaged (checksum or structure)"
            raise InputError(self.subject, "data", None, str(what), "copy the file again from its source") from error
        except DAMAGED as error:
            what = "compressed data are damaged (checksum or structure)"
            raise InputError(self.subject, "data", None, what, "copy the file again from its source") from error
        if self.compression == "raw":
            self._left -= got
        return int(got)

    def _refuse_short(self, count: int) -> NoReturn:
        problem = f"is cut off: {count} more bytes should follow where fewer do"
        raise InputError(self.subject, "data", None, problem, "copy the file again from its source")
