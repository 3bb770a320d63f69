"""What a file stored before reading changed it: values below air, labels that are no whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rmaunet.io.detect_format import sniff
from rmaunet.io.nifti.nifti_header import parse_header, partner
from rmaunet.io.storage.voxel_layout import StoredImage
from rmaunet.io.storage.voxel_values import AIR_HU, stored_pieces

__all__ = ["StoredValues", "stored_values"]


@dataclass
class StoredValues:
    """Counts over all voxels of the first volume.

    Attributes:
        dtype: As stored, e.g. "float32".
        lowest: Smallest finite value after scaling.
        below_air: Voxels below -1024; reading sets them to -1024.
        broken: Voxels that are no whole number; reading a mask rounds them if they are within 0.01.
        off: The largest distance of those from a whole number.
    """

    dtype: str
    lowest: float = math.inf
    below_air: int = 0
    broken: int = 0
    off: float = 0.0


def stored_values(path: Path) -> StoredValues | None:
    """Count what reading a file changes.

    Args:
        path: NIfTI, NRRD, MetaImage or MRC.

    Returns:
        The counts; None for DICOM, whose values are whole numbers with a slope.

    Raises:
        InputError: If the file cannot be read.
    """
    kind = sniff(path)
    if kind == "dicom":
        return None
    if kind == "nifti":
        image, _ = parse_header(
            partner(path, ".hdr") if path.name.lower().removesuffix(".gz").endswith(".img") else path
        )
    else:
        from rmaunet.io.raster.read_raster import parse_grid

        image, _ = parse_grid(path)
    return _count(image)


def _count(image: StoredImage) -> StoredValues:
    facts = StoredValues(np.dtype(image.dtype).newbyteorder("=").name)
    with image.open() as stream:
        for piece in stored_pieces(stream, image, 0):
            values = piece.astype(np.float64) * image.slope + image.intercept
            values = values[np.isfinite(values)]
            if not values.size:
                continue
            facts.lowest = min(facts.lowest, float(values.min()))
            facts.below_air += int(np.count_nonzero(values < AIR_HU))
            off = np.abs(values - np.rint(values))
            facts.broken += int(np.count_nonzero(off))
            facts.off = max(facts.off, float(off.max()))
        stream.end()
    return facts
