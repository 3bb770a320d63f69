"""Reading a CT from NIfTI."""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.formats import stem
from rmaunet.io.nifti.nifti_header import parse_header, partner
from rmaunet.io.scan import Scan
from rmaunet.io.storage.load_volume import load_ct, tilted_grid

__all__ = ["case_name", "read_nifti"]


def case_name(path: Path) -> str:
    """A file's name without the suffix of its format: "ct.nii.gz" becomes "ct"."""
    return stem(path.name)


def read_nifti(path: str | Path, *, volume: int | None = None, hu_offset: float = 0.0) -> Scan:
    """Read a CT from NIfTI-1 or NIfTI-2: .nii, .nii.gz, or a .hdr/.img pair named by either file.

    The suffix does not matter, the content does. Voxels are (k, j, i) in file order, never copied or flipped; the
    affine is the sform's, else the qform's. Voxels below -1024 HU are set to -1024, NaN and infinite ones too.

    Args:
        path: The file.
        volume: Which volume of a 4-D file, from 0.
        hu_offset: Added to every value, in HU, for files that store HU + 1024.

    Returns:
        The scan; its source holds the spatial header fields bit for bit.

    Raises:
        InputError: If the file is cut, damaged, no CT, or its geometry makes no sense.
        UsageError: If ``hu_offset`` is not finite.
    """
    path = Path(path)
    if path.name.lower().removesuffix(".gz").endswith(".img"):
        path = partner(path, ".hdr")
    image, source = parse_header(path)
    return Scan(load_ct(image, volume=volume, hu_offset=hu_offset), case_name(path), source, tilted_grid(image))
