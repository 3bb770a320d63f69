"""A CT as it was read: its voxels and geometry, and what writing a mask on the very same grid needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.volume import Volume
from rmaunet.core.volume.placement import Grid

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["DicomSource", "GridSource", "NiftiSource", "Scan", "Source"]


@dataclass(frozen=True)
class GridSource:
    """A file whose grid is fully told by the volume's affine: NRRD, MetaImage, MRC."""

    path: Path


@dataclass(frozen=True)
class NiftiSource:
    """A NIfTI file's own spatial header fields, kept bit for bit.

    Attributes:
        path: The file.
        shape: Voxels along (i, j, k).
        sform: The sform matrix as stored (3 x 4 float32 rows), meaningless where ``sform_code`` is 0.
        quaternion: quatern_b, quatern_c, quatern_d, qoffset_x, qoffset_y, qoffset_z.
        pixdim: The eight pixdim values.
        sform_code: NIfTI xform code.
        qform_code: NIfTI xform code.
        xyzt_units: Units byte.
        nifti2: Whether the file is NIfTI-2.
    """

    path: Path
    shape: tuple[int, int, int]
    sform: NDArray[np.floating]
    quaternion: NDArray[np.floating]
    pixdim: NDArray[np.floating]
    sform_code: int
    qform_code: int
    xyzt_units: int
    nifti2: bool


@dataclass(frozen=True)
class DicomSource:
    """A DICOM series: its data sets without pixel data, in the order of the volume's slices.

    Attributes:
        path: Folder, file or archive it came from.
        datasets: One per slice (one only for an Enhanced CT), pixel data removed.
        series_uid: SeriesInstanceUID.
    """

    path: Path
    datasets: tuple[Dataset, ...]
    series_uid: str


Source = GridSource | NiftiSource | DicomSource


@dataclass(frozen=True, repr=False)
class Scan:
    """A CT in HU, with what writing a mask on its grid needs.

    Attributes:
        volume: (D, H, W) array with its affine to LPS mm; int16 where the file's values are whole numbers, else float32.
        name: A name for files and tables that identifies the case to the user and no person: the file's stem, or for
            DICOM the folder's name.
        source: What writing a mask on the same grid needs.
        tilted: The sheared grid that the files store, where the volume was resampled to right angles; None elsewhere.
            A mask drawn on the tilted slices lies on this grid.
    """

    volume: Volume
    name: str
    source: Source
    tilted: Grid | None = None

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.volume.spatial_shape))
        spacing = " x ".join(f"{step:.3g}" for step in self.volume.spacing)
        return f"<Scan {self.name}: {shape} voxels of {spacing} mm>"

    def _repr_html_(self) -> str:
        from rmaunet.core.volume.preview import preview_html

        return preview_html(repr(self), ct=self.volume)

    @property
    def slice_thickness_mm(self) -> float | None:
        """Slice thickness stated by the scanner (DICOM SliceThickness); None if it is not stated."""
        if not isinstance(self.source, DicomSource):
            return None
        first = self.source.datasets[0]
        shared = first.get("SharedFunctionalGroupsSequence")  # of an Enhanced CT
        measures = shared[0].get("PixelMeasuresSequence") if shared else None
        value = (measures[0] if measures else first).get("SliceThickness")
        try:
            return float(value) or None
        except (TypeError, ValueError):
            return None
