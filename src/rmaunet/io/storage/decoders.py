"""Packed or written-out voxel bytes as readable files: zlib, hexadecimal digits, numbers in text, several files as one."""

from __future__ import annotations

import bz2
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from isal import igzip, isal_zlib

__all__ = ["DAMAGED", "Compression", "MalformedError", "Parts", "decoded"]

Compression = Literal["raw", "gzip", "zlib", "bzip2", "hex", "text"]

DAMAGED = cast(type[Exception], isal_zlib.error)
"""What isal raises for a damaged deflate stream."""

_PIECE = 1 << 20
_LONGEST_NUMBER = 400  # characters; a float64 in full takes fewer


class MalformedError(Exception):
    """What is wrong with the bytes, to be said after "data"."""


def decoded(file: BinaryIO, compression: Compression, dtype: np.dtype[Any]) -> BinaryIO:
    """The unpacked bytes of an open file.

    Args:
        file: At the first packed byte.
        compression: How they are packed.
        dtype: What numbers in text become, with byte order.

    Returns:
        A readable file. Reading raises EOFError where a packed stream is cut, OSError or :data:`DAMAGED` where it is
        damaged, :class:`MalformedError` for text that tells no such values.
    """
    if compression == "gzip":
        return cast(BinaryIO, igzip.IGzipFile(fileobj=file, mode="rb"))
    if compression == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(file))
    if compression == "zlib":
        return cast(BinaryIO, _Inflate(file))
    if compression == "hex":
        return cast(BinaryIO, _Text(file, b"".fromhex, _digits))
    if compression == "text":
        return cast(BinaryIO, _Text(file, lambda text: _numbers(text, dtype), _words))
    return file


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


class _Text(io.RawIOBase):
    """Bytes written out as text.

    Args:
        file: The text.
        convert: From whole words to bytes; ValueError where it cannot.
        whole: Splits text into the part that can be converted and the rest, which waits for more.
    """

    def __init__(
        self, file: BinaryIO, convert: Callable[[str], bytes], whole: Callable[[str, bool], tuple[str, str]]
    ) -> None:
        self._file = file
        self._convert = convert
        self._whole = whole
        self._rest = ""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready:
            piece = self._file.read(_PIECE >> 4)
            if not piece and not self._rest.strip():
                return 0
            text, self._rest = self._whole(self._rest + piece.decode("latin-1"), not piece)
            try:
                self._ready = memoryview(self._convert(text))
            except (ValueError, OverflowError) as error:
                raise MalformedError("hold text that is no such value") from error
            if len(self._rest) > _LONGEST_NUMBER:
                raise MalformedError("hold text that is no such value")
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _digits(text: str, last: bool) -> tuple[str, str]:
    text = "".join(text.split())
    even = len(text) if last else len(text) // 2 * 2
    return text[:even], text[even:]


def _words(text: str, last: bool) -> tuple[str, str]:
    text = text.replace(",", " ")
    if last or not text or text[-1].isspace():
        return text, ""
    end = len(text) - len(text.split()[-1])  # the last number may go on
    return text[:end], text[end:]


def _numbers(text: str, dtype: np.dtype[Any]) -> bytes:
    if "_" in text:  # which Python takes between digits
        raise ValueError("no number")
    if dtype.kind == "f":
        return np.array([float(word) for word in text.split()], dtype).tobytes()
    values = [int(word) for word in text.split()]
    limits = np.iinfo(dtype)
    if values and (min(values) < limits.min or max(values) > limits.max):
        raise ValueError("outside the type")
    return np.array(values, dtype).tobytes()


class Parts(io.RawIOBase):
    """Several files one after the other, each of which must hold its share to the byte.

    Args:
        paths: The files.
        share: Unpacked bytes of each.
        skip: Bytes to pass over at the beginning of each, or -1 where raw bytes end with the file.
        compression: How each is packed.
        dtype: See :func:`decoded`.
    """

    def __init__(
        self, paths: Sequence[Path], share: int, *, skip: int, compression: Compression, dtype: np.dtype[Any]
    ) -> None:
        self._paths = list(reversed(paths))
        self._share = share
        self._skip = skip
        self._how: tuple[Compression, np.dtype[Any]] = (compression, dtype)
        self._raw: BinaryIO | None = None
        self._part: BinaryIO | None = None
        self._left = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer`` as far as the part in hand goes. Raises MalformedError if it is shorter or longer than told."""
        if self._part is None:
            if not self._paths:
                return 0
            self._raw = self._paths[-1].open("rb")
            self._raw.seek(max(self._raw.seek(0, io.SEEK_END) - self._share, 0) if self._skip < 0 else self._skip)
            self._part, self._left = decoded(self._raw, *self._how), self._share
        count = cast(int, self._part.readinto(buffer[: self._left]))  # type: ignore[attr-defined]
        self._left -= count
        if count == 0 or (self._left == 0 and self._part.read(1)):
            told = f"{self._share} bytes of {self._paths[-1].name}"
            raise MalformedError(f"end before the {told}" if count == 0 else f"go on after the {told}")
        if self._left == 0:
            self.close()
            self._paths.pop()
        return count

    def close(self) -> None:
        """Close the part that is open."""
        if self._raw is not None:
            self._raw.close()
        self._raw = self._part = None
