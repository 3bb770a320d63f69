"""Files to volumes and back: the only room that knows a file format.

The names below are imported when first used, since the readers' libraries are slow to load.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from rmaunet.io.scan import DicomSource, GridSource, NiftiSource, Scan, Source

if TYPE_CHECKING:
    from rmaunet.io.mask import read_mask
    from rmaunet.io.nifti import read_nifti
    from rmaunet.io.read import read_volume
    from rmaunet.io.write import write_mask, write_volume

__all__ = [
    "DicomSource",
    "GridSource",
    "NiftiSource",
    "Scan",
    "Source",
    "read_mask",
    "read_nifti",
    "read_volume",
    "write_mask",
    "write_volume",
]

_HOME = {
    "read_mask": "mask",
    "read_nifti": "nifti",
    "read_volume": "read",
    "write_mask": "write",
    "write_volume": "write",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
