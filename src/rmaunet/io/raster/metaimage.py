"""MetaImage headers (.mha, .mhd), as ITK reads them."""

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

__all__ = ["parse_metaimage"]

_DTYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """Fields, and where the data begin if they follow."""
    head = first_bytes(path, MAX_HEADER)
    last = re.search(rb"^[ \t]*ElementDataFile[ \t]*=[^\n]*(\n|$)", head, re.MULTILINE)
    if last is None:
        raise InputError(path, "ElementDataFile", None, "is missing from the header", "take the original file")
    fields = {}
    for line in head[: last.end()].decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if line.strip() and not equals:
            raise InputError(path, "header", line[:60], "is no MetaImage field", "the header is damaged; copy it again")
        fields[name.strip()] = value.strip()
    return fields, last.end()


def _first(fields: Mapping[str, str], *names: str) -> str | None:
    return next((fields[name] for name in names if name in fields), None)


def _affine(path: Path, fields: Mapping[str, str], axes: int) -> tuple[NDArray[np.float64], list[str]]:
    notes = []
    spacing = _first(fields, "ElementSpacing", "ElementSize")
    if spacing is None:
        raise InputError(path, "ElementSpacing", None, "is missing from the header", "take the original file")
    steps = number_list(path, "ElementSpacing", spacing, axes)[:3]
    matrix = np.eye(3)
    turned = _first(fields, "TransformMatrix", "Rotation", "Orientation")
    if turned is None:
        notes.append("no TransformMatrix is told; axes are taken as left, posterior, head")
    else:
        # Each row of the text is the direction of one axis.
        rows = np.array(number_list(path, "TransformMatrix", turned, axes * axes)).reshape(axes, axes)
        matrix = rows[:3, :3].T
    origin = _first(fields, "Offset", "Position", "Origin")
    result = np.eye(4)
    result[:3, :3] = matrix * np.abs(steps)
    if origin is not None:
        result[:3, 3] = number_list(path, "Offset", origin, axes)[:3]
    if min(steps) < 0:
        notes.append("ElementSpacing is negative; its absolute value is used")
    return result, notes


def _refuse_unread(path: Path, fields: Mapping[str, str]) -> None:
    kind = fields.get("ObjectType", "Image")
    if kind != "Image":
        raise InputError(path, "ObjectType", kind[:40], "is no image", "give a MetaImage of a CT")
    scaling = {"ElementToIntensityFunctionSlope": 1.0, "ElementToIntensityFunctionOffset": 0.0}
    for name, neutral in scaling.items():
        if name in fields and number_list(path, name, fields[name], 1)[0] != neutral:
            raise InputError(path, name, fields[name], "scaling is not applied", "save the scaled values")


def _data(
    path: Path, fields: Mapping[str, str], end: int, axes: int, last: int, size: int
) -> tuple[Path | tuple[Path, ...], Compression, int]:
    """Data file or files, packing, start of their bytes."""
    name = fields["ElementDataFile"]
    packed = fields.get("CompressedData", "False").lower() == "true"
    text = fields.get("BinaryData", "True").lower() != "true"
    skip = whole_number(path, "HeaderSize", fields.get("HeaderSize", "0"))
    several = name.upper().startswith("LIST") or "%" in name
    if packed and (text or several):
        odd = "of several files" if several else "in text"
        raise InputError(path, "CompressedData", "True", f"is not understood for data {odd}", "save it as one file")
    if text and skip != 0:
        raise InputError(path, "HeaderSize", skip, "is not understood for data in text", "save it as binary")
    if several:
        if skip < -1:
            raise InputError(path, "HeaderSize", skip, "must not be below -1", "the header is damaged; copy it again")
        names = first_bytes(path, MAX_HEADER)[end:].decode("utf-8", "replace").splitlines()
        files = listed(path, "ElementDataFile", name, names, axes=axes, count=last)
        return files, "text" if text else "raw", skip
    data, start = (path, end) if name.upper() == "LOCAL" else (beside(path, "ElementDataFile", name), 0)
    if text:
        return data, "text", start
    if not packed:
        return data, "raw", data_start(path, data, "HeaderSize", after=start, skip=skip, size=size)
    with data.open("rb") as file:
        file.seek(start)
        return data, "gzip" if file.read(2) == b"\x1f\x8b" else "zlib", start


def parse_metaimage(path: Path) -> tuple[StoredImage, dict[str, str]]:
    """Read and check a MetaImage header.

    Args:
        path: A .mha or .mhd file.

    Returns:
        Where the voxels are; and the header's fields.

    Raises:
        InputError: For everything that makes the voxels or their place unusable.
    """
    fields, end = _fields(path)
    _refuse_unread(path, fields)
    axes = whole_number(path, "NDims", required(path, fields, "NDims"))
    if axes not in (3, 4):
        raise InputError(path, "NDims", axes, "must be 3", "give a 3-D file")
    kind = required(path, fields, "ElementType")
    if kind not in _DTYPES:
        raise InputError(path, "ElementType", kind[:40], "holds no CT or labels", "export one plain number a voxel")
    big = (_first(fields, "BinaryDataByteOrderMSB", "ElementByteOrderMSB") or "False").lower() == "true"
    dtype = np.dtype(_DTYPES[kind]).newbyteorder(">" if big else "<")
    sizes = number_list(path, "DimSize", required(path, fields, "DimSize"), axes)
    channels = number_list(path, "ElementNumberOfChannels", fields.get("ElementNumberOfChannels", "1"), 1)[0]
    if not all(size.is_integer() for size in [*sizes, channels]) or (channels != 1 and axes == 4):
        raise InputError(path, "DimSize", fields["DimSize"], "must be whole numbers of one volume", "save one volume")
    volumes = int(channels) if axes == 3 else int(sizes[3])
    shape = checked_shape(path, "DimSize", [int(size) for size in sizes[:3]], volumes, dtype)
    affine, notes = _affine(path, fields, axes)
    size = volumes * dtype.itemsize * shape[0] * shape[1] * shape[2]
    data, compression, start = _data(path, fields, end, axes, int(sizes[-1]), size)
    image = StoredImage(
        path=path,
        data_path=data,
        compression=compression,
        start=start,
        skip=0,
        dtype=dtype,
        shape=shape,
        volumes=volumes,
        interleaved=axes == 3 and volumes > 1,
        slope=1.0,
        intercept=0.0,
        affine=affine,
        notes=tuple(notes),
    )
    return finished(image, "TransformMatrix"), fields
