"""Reading a CT, whatever format it is in."""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.errors import UsageError
from rmaunet.io.detect_format import sniff
from rmaunet.io.scan import Scan

__all__ = ["files_read", "read_scan"]


def files_read(path: Path) -> tuple[Path, ...]:
    """The files and folders that reading a path reads: with the second half of a pair, or the folder of a DICOMDIR."""
    from rmaunet.io.raster.read_raster import data_files

    if path.name.upper() == "DICOMDIR" and path.is_file():
        return path, path.parent
    others = {".img": ".hdr", ".hdr": ".img"}
    pair = path.with_suffix(others[path.suffix.lower()]) if path.suffix.lower() in others else None
    return path, *data_files(path), *((pair,) if pair is not None else ())


def read_scan(
    path: str | Path, *, series: str | None = None, volume: int | None = None, hu_offset: float = 0.0
) -> Scan:
    """Read a CT in HU.

    Args:
        path: A NIfTI, NRRD, MetaImage or MRC file; a DICOM file, DICOMDIR, folder or zip of DICOM files.
        series: SeriesInstanceUID, where several are there (DICOM only).
        volume: Which volume of a 4-D file, from 0 (not DICOM).
        hu_offset: Added to every value, in HU, for files that store HU + 1024 (not DICOM, which tells its own).

    Returns:
        The scan: array (D, H, W), affine to LPS mm, and the source that masks are written after.

    Raises:
        InputError: If there is no usable CT.
        UsageError: If an option does not apply to the format.
    """
    path = Path(path)
    kind = sniff(path)
    if kind == "dicom":
        if volume is not None or hu_offset:
            field, value = ("volume", volume) if volume is not None else ("hu_offset", hu_offset)
            raise UsageError(path, field, value, "does not apply to DICOM", "leave it out")
        from rmaunet.io.dicom.read_dicom import read_dicom

        return read_dicom(path, series=series)
    if series is not None:
        raise UsageError(path, "series", series, "applies to DICOM only", "leave it out")
    if kind == "nifti":
        from rmaunet.io.nifti.read_nifti import read_nifti

        return read_nifti(path, volume=volume, hu_offset=hu_offset)
    from rmaunet.io.raster.read_raster import read_grid

    return read_grid(path, volume=volume, hu_offset=hu_offset)
