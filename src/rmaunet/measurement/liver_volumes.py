"""How much liver, how much tumor, and how bright: the numbers of a whole scan."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import liver_mask, parenchyma_mask, tumor_mask
from rmaunet.core.volume import Volume, axial, voxel_volume_ml
from rmaunet.core.volume.box import union_box
from rmaunet.measurement.planes import matched

__all__ = ["BURDEN_CONVENTION", "Intensity", "Measures", "intensity", "measure"]

BURDEN_CONVENTION = "tumor / (liver with tumor)"
NOTHING = np.zeros(0)


@dataclass(frozen=True)
class Intensity:
    """HU of a region; every value over its voxels, all with equal weight. NaN where the region is empty.

    Attributes:
        voxels: How many have a finite value.
        mean: Mean.
        sd: Standard deviation (divisor n).
        p05: 5th percentile; so on for 25, 50 (the median), 75 and 95.
    """

    voxels: int
    mean: float
    sd: float
    p05: float
    p25: float
    p50: float
    p75: float
    p95: float


@dataclass(frozen=True)
class Measures:
    """The numbers of one scan. "Liver" is the liver with its tumors; without them it is called parenchyma.

    Attributes:
        liver_ml: Liver with tumor.
        parenchyma_ml: Liver without tumor.
        tumor_ml: All tumor together.
        burden_percent: Tumor burden as ``burden_convention`` says, 0 to 100; NaN without liver.
        burden_convention: :data:`BURDEN_CONVENTION`.
        parenchyma_hu: HU of the liver without tumor; NaN without CT.
        tumor_hu: HU of the tumor; NaN without CT.
        spacing_mm: Voxel spacing of the axial orientation: between slices, rows, columns.
        voxel_ml: Volume of one voxel.
        shape: Slices, rows, columns of the axial orientation.
    """

    liver_ml: float
    parenchyma_ml: float
    tumor_ml: float
    burden_percent: float
    burden_convention: str
    parenchyma_hu: Intensity
    tumor_hu: Intensity
    spacing_mm: tuple[float, float, float]
    voxel_ml: float
    shape: tuple[int, int, int]

    def to_dict(self) -> dict[str, Any]:
        """Nested plain values, ready for JSON."""
        return asdict(self)


def measure(ct: Volume | None, mask: Volume) -> Measures:
    """Measure a mask, and the CT below it.

    A volume is the number of voxels times the volume of one; a liver that the scan or mask cuts off is measured as far
    as it goes (see :mod:`rmaunet.measurement.flags`).

    Args:
        ct: HU on the mask's voxel positions, any orientation; None for volumes only.
        mask: Labels {0, 1, 2}, any orientation, spacing in mm.

    Returns:
        The numbers.

    Raises:
        InputError: If CT and mask are not on one grid.

    Example:
        >>> from rmaunet.core.volume import make_volume
        >>> labels = np.zeros((10, 10, 10), np.uint8)
        >>> labels[2:7, :, :], labels[4, 4, :5] = 1, 2
        >>> found = measure(None, make_volume(labels))
        >>> found.liver_ml, found.tumor_ml, found.burden_percent
        (0.5, 0.005, 1.0)
    """
    image, labels = (None, axial(mask)) if ct is None else matched(ct, mask)
    box = union_box(labels.array, labels.array)  # nothing of a long scan's size is made
    values = labels.array[box]
    hu = None if image is None else image.array[box]
    liver, tumor = int(np.count_nonzero(liver_mask(values))), int(np.count_nonzero(tumor_mask(values)))
    voxel_ml = voxel_volume_ml(labels)
    depth, height, width = labels.array.shape
    d, h, w = (float(s) for s in labels.spacing)
    return Measures(
        liver_ml=liver * voxel_ml,
        parenchyma_ml=(liver - tumor) * voxel_ml,
        tumor_ml=tumor * voxel_ml,
        burden_percent=100.0 * tumor / liver if liver else math.nan,
        burden_convention=BURDEN_CONVENTION,
        parenchyma_hu=intensity(NOTHING if hu is None else hu[parenchyma_mask(values)]),
        tumor_hu=intensity(NOTHING if hu is None else hu[tumor_mask(values)]),
        spacing_mm=(d, h, w),
        voxel_ml=voxel_ml,
        shape=(depth, height, width),
    )


def intensity(hu: NDArray[np.generic]) -> Intensity:
    """Summarise HU values.

    Args:
        hu: Values of a region's voxels, any shape; those not finite are left out.

    Returns:
        Their summary; percentiles interpolate linearly.
    """
    values = np.asarray(hu, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if not values.size:
        return Intensity(0, *(math.nan,) * 7)
    percentiles = (float(p) for p in np.percentile(values, (5, 25, 50, 75, 95)))
    return Intensity(int(values.size), float(values.mean()), float(values.std()), *percentiles)
