"""NRRD headers (.nrrd, .nhdr), as Teem's format specification defines them.

Reference:
    https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.io.raster.text_header import (
    MAX_HEADER,
    beside,
    data_start,
    finished,
    listed,
    number_list,
    required,
    whole_number,
)
from rmaunet.io.storage.decoders import Compression
from rmaunet.io.storage.openable import first_bytes
from rmaunet.io.storage.voxel_layout import StoredImage, checked_shape

__all__ = ["parse_nrrd"]

_TYPES = {
    "i1": "signed char, int8, int8_t", "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t", "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float", "f8": "double",
}  # fmt: skip
_DTYPES = {name: code for code, names in _TYPES.items() for name in names.split(", ")}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_PACKED: dict[str, Compression] = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2", "hex": "hex",
    "text": "text", "txt": "text", "ascii": "text",
}  # fmt: skip


_LISTED = "data file\n"  # no field of a header's own: the lines after LIST


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields and key/value pairs (a list of data files by lines), and where the attached data begin."""
    head = first_bytes(path, MAX_HEADER)
    if not re.match(rb"NRRD000\d", head):
        raise InputError(path, "magic", head[:8].hex(" "), "is not NRRD", "give an NRRD file")
    blank = re.search(rb"\r?\n\r?\n", head)
    end = blank.end() if blank else len(head)
    fields: dict[str, str] = {}
    lines = head[:end].decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("#") or not line.strip():
            continue
        pair = re.match(r"([^:]*?)(:=|: ?)(.*)", line)
        if pair is None:
            raise InputError(path, "header", line[:60], "is no NRRD field", "the header is damaged; copy it again")
        is_field = pair[2] != ":="
        name, value = (pair[1].strip().lower(), pair[3].strip()) if is_field else (pair[1], pair[3])
        if is_field and fields.get(name, value) != value:
            both = f"{fields[name][:30]!r}, {value[:30]!r}"
            raise InputError(path, name[:40], both, "is told twice", "the header is damaged; copy it again")
        fields[name] = value
        if name in ("data file", "datafile") and value.upper().startswith("LIST"):
            fields[_LISTED] = "\n".join(lines[number:])
            break
    return fields, end


def _vectors(path: Path, text: str, axes: int) -> list[NDArray[np.float64] | None]:
    # Bounded, since a long run of "(" would keep the pattern busy for minutes.
    words: list[str] = re.findall(r"none|\([^)]*\)", text[:1000])
    if len(words) != axes:
        raise InputError(path, "space directions", text[:80], f"must be {axes} vectors", "take the original file")
    return [
        None if word == "none" else np.array(number_list(path, "space directions", word.strip("()"), 3))
        for word in words
    ]


def _affine(
    path: Path, fields: Mapping[str, str], axes: int, channel: int | None
) -> tuple[NDArray[np.float64], list[str]]:
    """The LPS affine of the three spatial axes, and notes."""
    notes = []
    result = np.eye(4)
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"", "mm", "millimeter", "millimeters"}
    if units:
        raise InputError(path, "space units", ", ".join(sorted(units)), "only mm is understood", "convert it to mm")
    if "space directions" in fields:
        spatial = [v for v in _vectors(path, fields["space directions"], axes) if v is not None]
        if len(spatial) != 3:
            raise InputError(path, "space directions", len(spatial), "three axes must have one", "give a 3-D file")
        result[:3, :3] = np.stack(spatial, axis=1)
        if "space origin" not in fields:
            notes.append("no space origin is told; it is taken as 0")
        origin = fields.get("space origin", "(0,0,0)").strip()
        result[:3, 3] = number_list(path, "space origin", origin.strip("()"), 3)
    else:
        spacings = number_list(path, "spacings", required(path, fields, "spacings"), axes)
        result[:3, :3] = np.diag([abs(s) for axis, s in enumerate(spacings) if axis != channel])
        notes.append("no space directions are told; axes are taken as left, posterior, head with the origin at 0")
    space = fields.get("space", "").lower()
    if space in _TO_LPS:
        return np.diag([*_TO_LPS[space], 1.0]) @ result, notes
    if space and "space directions" in fields:
        raise InputError(path, "space", space[:60], "tells no patient orientation", "save it with one (LPS or RAS)")
    if "space directions" in fields:
        notes.append("no space is told; left, posterior, superior is assumed")
    return result, notes


def _channel_axis(path: Path, fields: Mapping[str, str], axes: int) -> int | None:
    """Which axis of four is not spatial."""
    kinds = fields.get("kinds", "").lower().split()
    if axes not in (3, 4):
        raise InputError(path, "dimension", axes, "must be 3 (or 4 with one list axis)", "give a 3-D file")
    odd = [kind for kind in kinds if kind not in ("domain", "space", "list", "vector", "time", "???", "none", "scalar")]
    if odd:
        raise InputError(path, "kinds", " ".join(kinds), "hold no CT or labels", "export one plain number a voxel")
    if axes == 3:
        if {"list", "vector", "time"} & set(kinds):
            raise InputError(path, "kinds", " ".join(kinds), "leave two axes in space", "give a 3-D file")
        return None
    if "space directions" in fields:
        vectors = _vectors(path, fields["space directions"], axes)
        found = [axis for axis, vector in enumerate(vectors) if vector is None]
    else:
        found = [axis for axis, kind in enumerate(kinds) if kind not in ("domain", "space")]
    if len(found) != 1 or found[0] not in (0, 3):
        raise InputError(path, "dimension", axes, "does not tell which axis is the list", "save one volume a file")
    return found[0]


def _data(
    path: Path, fields: Mapping[str, str], end: int, axes: int, last: int, size: int
) -> tuple[Path | tuple[Path, ...], Compression, int, int]:
    """Data file or files, packing, start of their bytes, bytes to skip after unpacking."""
    encoding = required(path, fields, "encoding").lower()
    if encoding not in _PACKED:
        raise InputError(path, "encoding", encoding[:40], "is not understood", "save it as raw or gzip")
    compression = _PACKED[encoding]
    if fields.get("line skip", fields.get("lineskip", "0")) != "0":
        raise InputError(path, "line skip", fields.get("line skip"), "is not understood", "save it without")
    skip = whole_number(path, "byte skip", fields.get("byte skip", fields.get("byteskip", "0")))
    name = fields.get("data file", fields.get("datafile"))
    several = name is not None and (name.upper().startswith("LIST") or "%" in name)
    if skip < 0 and compression != "raw":
        raise InputError(path, "byte skip", skip, "must not be negative in compressed data", "save it without")
    if skip != 0 and (compression in ("hex", "text") or (several and compression != "raw")):
        raise InputError(path, "byte skip", skip, f"is not understood with {encoding}", "save it without")
    if name is not None and several:
        names = fields.get(_LISTED, "").splitlines()
        files = listed(path, "data file", name, names, axes=axes, count=last)
        return files, compression, _slab_start(path, skip), 0
    data, start = (path, end) if name is None else (beside(path, "data file", name), 0)
    if compression != "raw":
        return data, compression, start, skip
    return data, compression, data_start(path, data, "byte skip", after=start, skip=skip, size=size), 0


def _slab_start(path: Path, skip: int) -> int:
    if skip < -1:
        raise InputError(path, "byte skip", skip, "must not be below -1", "the header is damaged; copy it again")
    return skip


def parse_nrrd(path: Path) -> tuple[StoredImage, dict[str, str]]:
    """Read and check an NRRD header.

    Args:
        path: A .nrrd or .nhdr file.

    Returns:
        Where the voxels are; and the header's fields (names in lower case) with its key/value pairs (as written).

    Raises:
        InputError: For everything that makes the voxels or their place unusable.
    """
    fields, end = _fields(path)
    kind = required(path, fields, "type").lower()
    if kind not in _DTYPES:
        raise InputError(path, "type", kind[:40], "holds no CT or labels", "export one plain number a voxel")
    dtype = np.dtype(_DTYPES[kind])
    written = _PACKED.get(fields.get("encoding", "").lower()) == "text"  # numbers in text have no byte order
    if dtype.itemsize > 1 and not written:
        endian = required(path, fields, "endian").lower()
        if endian not in ("little", "big"):
            raise InputError(path, "endian", endian[:40], "must be little or big", "take the original file")
        dtype = dtype.newbyteorder("<" if endian == "little" else ">")
    axes = whole_number(path, "dimension", required(path, fields, "dimension"))
    channel = _channel_axis(path, fields, axes)
    sizes = [_whole(path, n) for n in number_list(path, "sizes", required(path, fields, "sizes"), axes)]
    last = sizes[-1]
    volumes = sizes.pop(channel) if channel is not None else 1
    shape = checked_shape(path, "sizes", sizes, volumes, dtype)
    affine, notes = _affine(path, fields, axes, channel)
    size = volumes * dtype.itemsize * shape[0] * shape[1] * shape[2]
    data, compression, start, skip = _data(path, fields, end, axes, last, size)
    image = StoredImage(
        path=path,
        data_path=data,
        compression=compression,
        start=start,
        skip=skip,
        dtype=dtype,
        shape=shape,
        volumes=volumes,
        interleaved=channel == 0,
        slope=1.0,
        intercept=0.0,
        affine=affine,
        notes=tuple(notes),
    )
    fields.pop(_LISTED, None)
    return finished(image, "space directions"), fields


def _whole(path: Path, value: float) -> int:
    if not value.is_integer():
        raise InputError(path, "sizes", value, "must be whole numbers", "the header is damaged; copy it again")
    return int(value)
