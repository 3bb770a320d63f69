"""What to write for each scan, and how to read it: options of ``rmaunet segment`` and of the Python API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro

from rmaunet.core.formats import MaskFormat

__all__ = ["FORMATS", "Request"]

FORMATS = {"nifti": ".nii.gz", "nrrd": ".seg.nrrd", "dicom-seg": ".dcm"}
"""Suffix of the mask for each format."""


@dataclass(frozen=True)
class Request:
    """Outputs of each scan and how it is read. The command line shows these docstrings as help."""

    formats: Annotated[tuple[MaskFormat, ...], tyro.conf.arg(name="format")] = ()
    """Formats of the mask; by default that of the output's suffix, else nifti."""
    overlay: bool = True
    """Write a PNG with contours on axial, coronal and sagittal slices."""
    report: bool = False
    """Write a self-contained HTML report (`rmaunet report` makes one of any mask, with more choices)."""
    confidence: bool = False
    """Estimate uncertainty from other thresholds and five passes with test-time augmentation: volume ranges, probability
    and stability of each lesion, NAME_lesions.csv. Takes up to six times as long; the mask stays the same."""
    series: str | None = None
    """SeriesInstanceUID, if a DICOM folder holds several (`rmaunet info` lists them)."""
    volume: int | None = None
    """Index of the volume in a 4-D file, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel, e.g. -1024 for files that store HU + 1024."""
    labelmap: bool = False
    """DICOM SEG: write the LABELMAP type of 2024 instead of BINARY, which every viewer reads."""
    lesions: bool = False
    """DICOM SEG: a segment with a tracking id for each lesion, instead of one for all tumors."""
    include_phi: bool = False
    """Let text that identifies the patient (DICOM's patient and study, full paths) into the report and the manifest."""

    @property
    def mask_formats(self) -> tuple[str, ...]:
        """Keys of :data:`FORMATS`: ``formats``, or nifti if that is empty."""
        return self.formats or ("nifti",)
