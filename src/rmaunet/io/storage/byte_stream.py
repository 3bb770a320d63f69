"""A file's bytes in order, decompressed, and held to the header's word: not one byte fewer, nearly none more.

Readers of images commonly fill missing voxels with zeros or skip a gzip's checksum; here the end of the stream is
always reached and checked before a voxel is handed on.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, cast

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.io.storage.decoders import DAMAGED, Compression, MalformedError, Parts, decoded
from rmaunet.io.storage.openable import check_regular, first_bytes

__all__ = ["ByteStream", "packing"]

_PIECE = 1 << 20
_UINT8 = np.dtype(np.uint8)
# No packing shrinks data by more than its factor, so a file's size bounds what can come out of it.
_FACTORS: dict[Compression, int] = {
    "raw": 1, "gzip": 1032, "zlib": 1032, "bzip2": 2_000_000, "hex": 1, "text": 8
}  # fmt: skip
# Bytes after the last voxel that are taken for padding; real images' rows and slices are longer than this.
_PADDING = 512


def packing(path: Path) -> Compression:
    """How a file is packed, seen from its first bytes and not from its name. Raises InputError as ByteStream does."""
    return "gzip" if first_bytes(path, 2) == b"\x1f\x8b" else "raw"


class ByteStream:
    """Reads a file's bytes strictly in order.

    Args:
        subject: The file the user named, for messages.
        path: The file that holds the bytes, often the same; or several files, one after the other.
        compression: How they are packed.
        start: Where they (the compressed ones) begin in each file; -1 where the bytes of each of several end with it.
        dtype: What numbers in text become.
        share: Unpacked bytes of each of several files.

    Raises:
        InputError: From every method, when the file is unreadable, shorter than asked, damaged, or fails its checksum.
    """

    def __init__(
        self,
        subject: Path,
        path: Path | Sequence[Path],
        *,
        compression: Compression,
        start: int = 0,
        dtype: np.dtype[Any] = _UINT8,
        share: int = 0,
    ) -> None:
        self.subject = subject
        self.compression = compression
        paths = [path] if isinstance(path, Path) else path
        self._left = sum(check_regular(one) - max(start, 0) for one in paths)
        if self._left < 0:
            self._refuse_short(start)
        if not isinstance(path, Path):
            parts = Parts(paths, share, skip=start, compression=compression, dtype=dtype)
            self._file = self._bytes = cast(BinaryIO, parts)
            return
        try:
            self._file = path.open("rb")
            self._file.seek(start)
        except OSError as error:
            raise InputError(subject, "file", error.strerror, "cannot be read", "check its rights") from error
        self._bytes = decoded(self._file, compression, dtype)

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def expect(self, count: int) -> None:
        """Refuse now, before memory is taken, if ``count`` more bytes cannot be in the file."""
        spare = 0 if self.compression == "raw" else 64
        if count > (self._left + spare) * _FACTORS[self.compression]:
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
        if count and self._bytes is self._file and self._file.seekable():
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
        except MalformedError as error:
            remedy = "copy the file again from its source"
            raise InputError(self.subject, "data", None, str(error), remedy) from error
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
