"""What is wanted of each scan."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FORMATS", "Request"]

FORMATS = {"nifti": ".nii.gz", "nrrd": ".seg.nrrd", "dicom-seg": ".dcm"}


@dataclass(frozen=True)
class Request:
    """What is wanted of each scan.

    Attributes:
        formats: Keys of :data:`FORMATS`.
        overlay: Write a PNG with contours.
        report: Write the HTML report.
        confidence: Ask the weights again, at other thresholds and for warped slices: ranges of volumes, sureness of lesions.
        series: SeriesInstanceUID where a folder holds several.
        volume: Index of the volume of a 4-D file.
        hu_offset: Added to the voxels, for files that store HU + 1024.
        labelmap: A DICOM SEG is written as LABELMAP instead of BINARY.
        lesions: A DICOM SEG has a segment with a tracking id for each lesion.
        include_phi: Patient, study and full paths may stand in report and manifest.
    """

    formats: tuple[str, ...] = ("nifti",)
    overlay: bool = True
    report: bool = False
    confidence: bool = False
    series: str | None = None
    volume: int | None = None
    hu_offset: float = 0.0
    labelmap: bool = False
    lesions: bool = False
    include_phi: bool = False
