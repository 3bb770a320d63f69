"""Writing NIfTI: a header built new, the spatial fields of the input bit for bit, and a look back at what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from isal import igzip
from nibabel.nifti1 import header_dtype as nifti1_dtype
from nibabel.nifti2 import header_dtype as nifti2_dtype
from numpy.typing import NDArray

from rmaunet.core.errors import OutputError, RmaunetError
from rmaunet.core.files import replacing
from rmaunet.core.volume import Volume
from rmaunet.io.masks.label_codes import SEGMENTS
from rmaunet.io.nifti.nifti_header import DATATYPES, parse_header
from rmaunet.io.scan import NiftiSource
from rmaunet.io.storage.affine_checks import RAS_TO_LPS, index_reversed
from rmaunet.io.storage.byte_stream import ByteStream
from rmaunet.io.storage.voxel_values import stored_pieces

__all__ = ["nifti_source_of", "write_array", "write_pieces"]

_LABEL_INTENT = 1002
_MM = 2
_SCANNER = 1
_PIECE = 1 << 23
_GZIP_LEVEL = 1


def nifti_source_of(volume: Volume, path: Path) -> NiftiSource:
    """Spatial NIfTI fields for a volume that came from another format.

    Args:
        volume: Any orthogonal grid.
        path: For messages.

    Returns:
        sform and qform with code 1, saying the same place; axes (i, j, k) are the volume's (w, h, d).
    """
    from nibabel.nifti1 import Nifti1Header

    affine = RAS_TO_LPS @ index_reversed(np.asarray(volume.affine, float))
    header = Nifti1Header()
    header.set_data_shape((1, 1, 1))
    header.set_zooms(np.linalg.norm(affine[:3, :3], axis=0))
    header.set_qform(affine, code=_SCANNER, strip_shears=True)
    names = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    shape = volume.spatial_shape
    return NiftiSource(
        path=path,
        shape=(shape[2], shape[1], shape[0]),
        sform=affine[:3].astype(np.float32),
        quaternion=np.array([header[name] for name in names], np.float32),
        pixdim=np.asarray(header["pixdim"], np.float32),
        sform_code=_SCANNER,
        qform_code=_SCANNER,
        xyzt_units=_MM,
        nifti2=max(shape) > 32767,
    )


def label_table() -> bytes:
    """The label table as a NIfTI extension (code 0, Caret's XML), padded to a multiple of 16 bytes."""
    rows = ['<Label Key="0" Red="0" Green="0" Blue="0" Alpha="0"><![CDATA[background]]></Label>']
    for segment in SEGMENTS:
        red, green, blue = (f"{value / 255:.6g}" for value in segment.rgb)
        colour = f'Red="{red}" Green="{green}" Blue="{blue}" Alpha="1"'
        rows.append(f'<Label Key="{segment.label}" {colour}><![CDATA[{segment.name}]]></Label>')
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?><CaretExtension><VolumeInformation Index="0"><LabelTable>'
        + "".join(rows)
        + "</LabelTable><VolumeType><![CDATA[Label]]></VolumeType></VolumeInformation></CaretExtension>"
    ).encode()
    size = -(-(len(xml) + 8) // 16) * 16
    return np.array([size, 0], "<i4").tobytes() + xml.ljust(size - 8, b"\x00")


def _header(dtype: np.dtype[Any], source: NiftiSource, *, labels: bool) -> bytes:
    extension = label_table() if labels else b""
    header = np.zeros((), nifti2_dtype if source.nifti2 else nifti1_dtype)
    header["sizeof_hdr"] = header.dtype.itemsize
    header["magic"] = b"n+2" if source.nifti2 else b"n+1"
    if source.nifti2:
        header["eol_check"] = (13, 10, 26, 10)
    header["dim"] = [3, *source.shape, 1, 1, 1, 1]
    header["datatype"] = next(code for code, name in DATATYPES.items() if np.dtype(name) == dtype)
    header["bitpix"] = 8 * dtype.itemsize
    header["vox_offset"] = header.dtype.itemsize + 4 + len(extension)
    header["scl_slope"] = 1
    header["pixdim"] = source.pixdim
    header["xyzt_units"] = source.xyzt_units
    header["intent_code"] = _LABEL_INTENT if labels else 0
    header["sform_code"], header["qform_code"] = source.sform_code, source.qform_code
    names = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    for name, value in zip(names, source.quaternion, strict=True):
        header[name] = value
    header["srow_x"], header["srow_y"], header["srow_z"] = source.sform
    return header.tobytes() + bytes([1 if labels else 0, 0, 0, 0]) + extension


def write_pieces(file: BinaryIO, array: NDArray[Any]) -> None:
    """Write an array's bytes in C order, a few megabytes at a time (no copy of a contiguous array)."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    for start in range(0, len(flat), _PIECE):
        file.write(flat[start : start + _PIECE])


def write_array(array: NDArray[Any], path: Path, source: NiftiSource, *, labels: bool) -> None:
    """Write voxels under a NIfTI header, read the file back, compare, then give it its name.

    Args:
        array: (k, j, i), uint8, int16 or float32.
        path: .nii or .nii.gz.
        source: The spatial fields to write, bit for bit.
        labels: Whether it is a mask: adds the label table and the label intent.

    Raises:
        OutputError: If it cannot be written or does not read back equal.
    """
    head = _header(array.dtype, source, labels=labels)
    with replacing(path) as temporary:
        with temporary.open("wb") as raw:
            if path.name.lower().endswith(".gz"):
                # No name and no time in the gzip header: equal masks give equal bytes, and no name leaks.
                packed = igzip.IGzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0)
                with cast(BinaryIO, packed) as file:
                    file.write(head)
                    write_pieces(file, array)
            else:
                raw.write(head)
                write_pieces(raw, array)
        _compare(array, path, temporary, source)


def _compare(array: NDArray[Any], path: Path, written: Path, source: NiftiSource) -> None:
    try:
        image, back = parse_header(written)
        flat = np.ascontiguousarray(array).reshape(-1)
        equal, done = image.dtype == array.dtype, 0
        with ByteStream(written, written, compression=image.compression) as stream:
            for piece in stored_pieces(stream, image, 0):
                equal = equal and bool(np.array_equal(piece, flat[done : done + len(piece)]))
                done += len(piece)
            stream.end()
    except RmaunetError as error:
        raise OutputError(path, "file", None, f"cannot be read back ({error.problem})", "check the disk") from error
    same = back.shape == source.shape and all(
        np.array_equal(getattr(back, name), getattr(source, name), equal_nan=True)
        for name in ("sform", "quaternion", "pixdim", "sform_code", "qform_code", "xyzt_units")
    )
    if not (equal and same and done == len(flat)):
        raise OutputError(path, "file", None, "differs from memory when read back", "check the disk")
