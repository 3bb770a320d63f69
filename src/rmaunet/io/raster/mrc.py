"""MRC headers (.mrc): microscopy's format, in which some public liver CTs were published.

Reference:
    Cheng et al., MRC2014, J. Struct. Biol. 192 (2015) 146-150.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.io.storage.affine_checks import check_affine
from rmaunet.io.storage.byte_stream import packing
from rmaunet.io.storage.openable import first_bytes
from rmaunet.io.storage.voxel_layout import StoredImage, checked_shape

__all__ = ["parse_mrc"]

_MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_HEADER = 1024


def parse_mrc(path: Path) -> tuple[StoredImage, dict[str, str]]:
    """Read and check an MRC header.

    MRC knows no patient: axes are taken as left, posterior, head and its unit as mm, and the user is told.

    Args:
        path: An uncompressed .mrc file.

    Returns:
        Where the voxels are; and no fields.

    Raises:
        InputError: For everything that makes the voxels unusable.
    """
    head = first_bytes(path, _HEADER)
    if packing(path) != "raw" or len(head) < _HEADER or head[208:212] != b"MAP ":
        raise InputError(path, "MAP", head[208:212], "is not MRC, or cut off", "give an uncompressed MRC file")
    order: Literal["<", ">"] = ">" if head[212:213] == b"\x11" else "<"
    words = np.frombuffer(head, order + "i4")
    mode = int(words[3])
    if mode not in _MODES:
        raise InputError(path, "mode", mode, "holds no CT or labels", "export one plain number a voxel")
    if tuple(words[16:19]) not in ((1, 2, 3), (0, 0, 0)):
        raise InputError(path, "mapc, mapr, maps", str(words[16:19]), "must be 1, 2, 3", "save it in that order")
    extended = int(words[23])
    if not 0 <= extended <= 1 << 28:
        raise InputError(path, "nsymbt", extended, "is no header size", "take the original file")
    dtype = np.dtype(_MODES[mode]).newbyteorder(order)
    shape = checked_shape(path, "nx, ny, nz", [int(n) for n in words[:3]], 1, dtype)
    cells = np.frombuffer(head, order + "f4")[10:13].astype(float)
    notes = ["MRC tells no patient orientation; axes are taken as left, posterior, head"]
    spacing = cells / np.maximum(words[7:10], 1)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        spacing = np.ones(3)
        notes.append("no cell size is told; voxels are taken as 1 mm cubes, so volumes and distances mean nothing")
    image = StoredImage(
        path=path,
        data_path=path,
        compression="raw",
        start=_HEADER + extended,
        skip=0,
        dtype=dtype,
        shape=shape,
        volumes=1,
        interleaved=False,
        slope=1.0,
        intercept=0.0,
        affine=np.diag([*spacing, 1.0]),
        notes=tuple(notes),
    )
    check_affine(path, "cell size", image.affine)
    return image, {}
