"""NIfTI files made byte by byte, so that a test can write what no library would."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.nifti1 import header_dtype as nifti1_dtype
from nibabel.nifti2 import header_dtype as nifti2_dtype

RAS = np.array([[-0.75, 0, 0, 120.5], [0, -0.75, 0, 90.25], [0, 0, 2.5, -310], [0, 0, 0, 1.0]])
"""Axial CT as scanners make it: first axis to the left, second to posterior, third to the head."""


def hounsfield(shape: tuple[int, ...] = (9, 8, 7)) -> np.ndarray:
    """HU from -1000 (air, one corner) to 400, different in every voxel's neighbourhood."""
    array = np.random.default_rng(3).integers(-150, 400, shape).astype(np.int16)
    array.flat[0] = -1000
    return array


CT = hounsfield()


def encoded(
    array: np.ndarray,
    affine: np.ndarray = RAS,
    *,
    sform: int = 1,
    qform: int = 1,
    order: str = "<",
    two: bool = False,
    pair: bool = False,
    extension: bytes = b"",
    **fields: Any,
) -> tuple[bytes, bytes]:
    """Header and voxel bytes; ``fields`` overrides header fields as stored."""
    header = (nib.Nifti2Header if two else nib.Nifti1Header)(endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_zooms((*np.linalg.norm(affine[:3, :3], axis=0), *[1.0] * (array.ndim - 3)))
    header.set_qform(affine, code=qform)
    header.set_sform(affine, code=sform)
    header["xyzt_units"] = 2
    raw = np.frombuffer(header.binaryblock, (nifti2_dtype if two else nifti1_dtype).newbyteorder(order)).copy()
    raw["magic"] = (b"ni" if pair else b"n+") + (b"2" if two else b"1")
    raw["vox_offset"] = 0 if pair else raw.dtype.itemsize + 4 + len(extension)
    raw["qform_code"], raw["sform_code"] = qform, sform
    for name, value in fields.items():
        raw[name] = value
    head = raw.tobytes()
    if not pair:
        head += bytes([1 if extension else 0, 0, 0, 0]) + extension
    return head, array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")


def write(
    folder: Path, array: np.ndarray = CT, name: str = "ct.nii.gz", cut: int = 0, more: bytes = b"", **how: Any
) -> Path:
    """Write a NIfTI; gzip by suffix. ``cut`` bytes are left off before packing, ``more`` are added."""
    head, data = encoded(array, **how)
    path = folder / name
    if how.get("pair"):
        path.write_bytes(head)
        path.with_name(path.name.replace(".hdr", ".img")).write_bytes(data)
        return path
    whole = head + data + more
    whole = whole[: len(whole) - cut]
    path.write_bytes(gzip.compress(whole, mtime=0) if name.lower().endswith(".gz") else whole)
    return path
