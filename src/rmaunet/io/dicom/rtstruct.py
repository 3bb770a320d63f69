"""RT Structure Sets: recognized and named, not read."""

from __future__ import annotations

from rmaunet.core.errors import InputError
from rmaunet.io.dicom.dicom_files import DicomFile, full_header, printable, quiet, text

__all__ = ["is_rtstruct", "rtstruct_error"]

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def is_rtstruct(file: DicomFile) -> bool:
    """Whether a DICOM file is an RT Structure Set."""
    return text(file.dataset, "SOPClassUID") == RTSTRUCT


def rtstruct_error(file: DicomFile) -> InputError:
    """The refusal of an RT Structure Set, naming its structures."""
    with quiet():
        regions = full_header(file).get("StructureSetROISequence") or []
    names = ", ".join(printable(text(region, "ROIName"), 40) for region in regions[:8])
    problem = f"contours ({names or 'no structure'}) are not supported yet"
    return InputError(file.shown, "RTSTRUCT", None, problem, "convert it to DICOM SEG or NIfTI, e.g. with 3D Slicer")
