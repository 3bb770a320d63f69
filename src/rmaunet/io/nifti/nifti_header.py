"""NIfTI-1 and NIfTI-2 headers: parsed, checked, and turned into what every reader here understands.

Only this file and :mod:`rmaunet.io.nifti.write_nifti` know NIfTI's RAS world and its fields.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import header_dtype as nifti1_dtype
from nibabel.nifti2 import header_dtype as nifti2_dtype
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.io.nifti.transforms import chosen_affine
from rmaunet.io.scan import NiftiSource
from rmaunet.io.storage.byte_stream import ByteStream, packing
from rmaunet.io.storage.voxel_layout import StoredImage, checked_shape

__all__ = ["DATATYPES", "parse_header", "partner"]

DATATYPES: dict[int, str] = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
"""NIfTI datatype codes that can hold a CT or a mask, and their NumPy types."""

_REFUSED = {
    1: "binary", 32: "complex", 128: "RGB", 1536: "128-bit float", 1792: "complex", 2048: "complex", 2304: "RGBA",
}  # fmt: skip
_SINGLE = (b"n+1", b"n+2")
_PAIR = (b"ni1", b"ni2")
_LINE_ENDS = [13, 10, 26, 10]  # NIfTI-2 repeats PNG's trick: a transfer in text mode changes them
_MAX_OFFSET = 1 << 28


def _header(path: Path, stream: ByteStream) -> NDArray[Any]:
    """The header's fields as stored, whichever version and byte order."""
    head = stream.take(4)
    for order in ("<", ">"):
        size = int(np.frombuffer(head, order + "i4")[0])
        if size in (348, 540):
            dtype = (nifti1_dtype if size == 348 else nifti2_dtype).newbyteorder(order)
            return np.frombuffer(head + stream.take(size - 4), dtype)[0]  # type: ignore[no-any-return]
    shown = int(np.frombuffer(head, "<i4")[0])
    raise InputError(path, "sizeof_hdr", shown, "is not NIfTI (348 or 540 expected)", "give a NIfTI file")


def _is_pair(path: Path, header: NDArray[Any]) -> bool:
    magic = bytes(header["magic"])
    if not magic:
        raise InputError(path, "magic", "empty", "is Analyze 7.5, which tells no orientation", "convert it to NIfTI")
    version = b"1" if int(header["sizeof_hdr"]) == 348 else b"2"
    if magic not in (*_SINGLE, *_PAIR) or not magic.endswith(version):
        raise InputError(path, "magic", magic, "is not NIfTI", "give a NIfTI file")
    if version == b"2" and header["eol_check"].tolist() != _LINE_ENDS:
        raise InputError(
            path, "eol_check", header["eol_check"].tolist(), "was changed in transfer", "copy it as binary"
        )
    return magic in _PAIR


def _sizes(path: Path, header: NDArray[Any], dtype: np.dtype[Any]) -> tuple[tuple[int, int, int], int]:
    dim = [int(n) for n in header["dim"]]
    if not 1 <= dim[0] <= 7:
        raise InputError(path, "dim[0]", dim[0], "must be 3 to 7", "the header is damaged; copy the file again")
    if dim[0] < 3:
        raise InputError(path, "dim[0]", dim[0], "is not a volume: no third axis is told", "give a 3-D file")
    if min(dim[1 : dim[0] + 1]) <= 0:
        sizes = str(dim[1 : dim[0] + 1])
        raise InputError(path, "dim", sizes, "sizes must be positive", "the header is damaged; copy the file again")
    volumes = math.prod(dim[4 : dim[0] + 1])
    return checked_shape(path, "dim", dim[1:4], volumes, dtype), volumes


def _voxel_type(path: Path, header: NDArray[Any]) -> tuple[np.dtype[Any], tuple[str, ...]]:
    code = int(header["datatype"])
    if code not in DATATYPES:
        what = _REFUSED.get(code, "unknown")
        raise InputError(path, "datatype", code, f"({what}) holds no CT or labels", "export one plain number a voxel")
    order = header.dtype["datatype"].byteorder
    dtype = np.dtype(DATATYPES[code]).newbyteorder(order)
    bits = int(header["bitpix"])
    if bits != 8 * dtype.itemsize:
        return dtype, (f"bitpix says {bits} bits, datatype {8 * dtype.itemsize}; datatype is used",)
    return dtype, ()


def _scaling(path: Path, header: NDArray[Any]) -> tuple[float, float, tuple[str, ...]]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0, ()
    if not math.isfinite(slope):
        raise InputError(path, "scl_slope", slope, "is infinite", "take the original file")
    if not math.isfinite(intercept):
        raise InputError(path, "scl_inter", intercept, "is not a number while scl_slope is", "take the original file")
    return slope, intercept, (f"scl_slope is negative ({slope:g}): values are inverted",) if slope < 0 else ()


def _offset(path: Path, header: NDArray[Any], *, pair: bool) -> int:
    value = float(header["vox_offset"])
    least = 0 if pair else 4 + int(header["sizeof_hdr"])
    if value == 0:
        return least
    if not (math.isfinite(value) and value.is_integer() and least <= value <= _MAX_OFFSET):
        raise InputError(path, "vox_offset", value, f"must be a whole number from {least}", "take the original file")
    return int(value)


def partner(path: Path, suffix: str) -> Path:
    """The other file of a .hdr/.img pair in the same folder, however its suffix is written, packed or not.

    Args:
        path: The file at hand.
        suffix: ".img" or ".hdr".

    Returns:
        The partner.

    Raises:
        InputError: If there is none.
    """
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    stem = Path(name).stem
    wanted = (suffix, f"{suffix}.gz")
    for other in sorted(path.parent.iterdir()):
        if other.name.startswith(stem) and other.name[len(stem) :].lower() in wanted:
            return other
    raise InputError(path, "file", None, f"is one of a pair; {stem}{suffix} is missing", "copy both files")


def parse_header(path: Path) -> tuple[StoredImage, NiftiSource]:
    """Read and check a NIfTI header.

    Args:
        path: A .nii or .hdr file (or whatever it is called).

    Returns:
        Where the voxels are, with the affine in LPS as the file says it; and the spatial fields as stored.

    Raises:
        InputError: For everything that makes the voxels or their place unusable.
    """
    packed = packing(path)
    with ByteStream(path, path, compression=packed) as stream:
        header = _header(path, stream)
    pair = _is_pair(path, header)
    dtype, type_notes = _voxel_type(path, header)
    shape, volumes = _sizes(path, header, dtype)
    slope, intercept, scale_notes = _scaling(path, header)
    skip = _offset(path, header, pair=pair)
    source = _source(path, header, shape)
    affine, affine_notes = chosen_affine(source)
    data_path, data_compression = (partner(path, ".img"), packing(partner(path, ".img"))) if pair else (path, packed)
    image = StoredImage(
        path=path,
        data_path=data_path,
        compression=data_compression,
        start=0,
        skip=skip,
        dtype=dtype,
        shape=shape,
        volumes=volumes,
        interleaved=False,
        slope=slope,
        intercept=intercept,
        affine=affine,
        notes=(*type_notes, *scale_notes, *affine_notes),
    )
    return image, source


def _source(path: Path, header: NDArray[Any], shape: tuple[int, int, int]) -> NiftiSource:
    rows = np.stack([header["srow_x"], header["srow_y"], header["srow_z"]])
    names = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    return NiftiSource(
        path=path,
        shape=shape,
        sform=rows.astype(rows.dtype.newbyteorder("=")),
        quaternion=np.array([header[name] for name in names], rows.dtype.newbyteorder("=")),
        pixdim=header["pixdim"].astype(rows.dtype.newbyteorder("=")),
        sform_code=int(header["sform_code"]),
        qform_code=int(header["qform_code"]),
        xyzt_units=int(header["xyzt_units"]),
        nifti2=int(header["sizeof_hdr"]) == 540,
    )
