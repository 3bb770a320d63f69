from .masks.mask_reader import read_mask
from .nifti.read_nifti import read_nifti
from .read import read_scan
from .scan import DicomSource, GridSource, NiftiSource, Scan, Source
from .write import write_mask, write_volume

__all__ = [
    "DicomSource",
    "GridSource",
    "NiftiSource",
    "Scan",
    "Source",
    "read_mask",
    "read_nifti",
    "read_scan",
    "write_mask",
    "write_volume",
]
