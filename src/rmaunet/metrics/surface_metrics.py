"""Distances between two surfaces in mm: computed once, then read as assd, rmsd, msd, hd95 or surface dice.

The surface of a mask is the LiTS challenge's: the mask's voxels that have at least one of their 18 neighbours (sharing a
face or an edge) outside the mask; outside of the array is outside of the mask. A distance is Euclidean, in mm, from the
centre of a surface voxel of one mask to the nearest centre of a surface voxel of the other. Each surface voxel
counts once, whatever area it stands for.

============================= =================== =================== ===============
masks                         distances           surface dice        under ``lits``
============================= =================== =================== ===============
both empty                    NaN                 1 (``nnunet``: NaN) NaN; 1
exactly one empty             NaN                 0                   9001; 0
============================= =================== =================== ===============
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rmaunet.core.volume.box import union_box
from rmaunet.metrics.conventions import LITS_PENALTY, Convention

__all__ = [
    "SurfaceDistances",
    "assd",
    "hd95_larger",
    "hd95_pooled",
    "msd",
    "rmsd",
    "surface_dice",
    "surface_distances",
    "surface_voxels",
]

Distances = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING_MM = 1e-6
"""Added to a tolerance so that a distance of exactly k voxels passes a tolerance of k spacings despite rounding."""


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances between the surfaces of two masks, one a surface voxel.

    Attributes:
        reference_to_prediction_mm: From each surface voxel of the reference to the nearest of the prediction, >= 0;
            infinite if the prediction is empty, of length 0 if the reference is.
        prediction_to_reference_mm: The other direction.
    """

    reference_to_prediction_mm: Distances
    prediction_to_reference_mm: Distances

    @property
    def pooled_mm(self) -> Distances:
        """Both directions in one array."""
        return np.concatenate([self.reference_to_prediction_mm, self.prediction_to_reference_mm])

    def undefined(self, convention: Convention) -> float | None:
        """None if both masks have a surface, else the value every distance metric then takes."""
        empty = (self.reference_to_prediction_mm.size == 0) + (self.prediction_to_reference_mm.size == 0)
        if empty == 0:
            return None
        return LITS_PENALTY if empty == 1 and convention == "lits" else math.nan


def _erode_along(mask: Mask, axis: int) -> Mask:
    """Keep voxels whose two neighbours along one axis are inside as well."""
    moved = np.moveaxis(mask, axis, 0)
    eroded = moved.copy()
    eroded[1:] &= moved[:-1]
    eroded[:-1] &= moved[1:]
    eroded[0] = False
    eroded[-1] = False
    return np.moveaxis(eroded, 0, axis)


def surface_voxels(mask: Mask) -> Mask:
    """Voxels of a mask with at least one of their 18 neighbours outside.

    The 18-neighbourhood is the union of three 3 x 3 squares, one in each plane; erosion by a union is the intersection
    of erosions, and a square is two lines. So ten shifted "and" do what a general erosion needs 19 for.

    Args:
        mask: Boolean (D, H, W).

    Returns:
        Boolean (D, H, W); what lies outside of the array counts as outside of the mask.

    Example:
        >>> int(surface_voxels(np.ones((3, 3, 3), bool)).sum())
        26
    """
    if mask.size == 0:
        return mask.copy()
    along_w = _erode_along(mask, 2)
    along_h = _erode_along(mask, 1)
    inside = _erode_along(along_w, 1)
    inside &= _erode_along(along_w, 0)
    inside &= _erode_along(along_h, 0)
    return mask & ~inside


def surface_distances(reference: Mask, prediction: Mask, spacing_mm: Sequence[float]) -> SurfaceDistances:
    """Measure the distances between two surfaces, the one expensive step of this module.

    Args:
        reference: Boolean (D, H, W).
        prediction: Boolean (D, H, W).
        spacing_mm: Voxel spacing along d, h, w in mm, > 0.

    Returns:
        The distances in both directions.

    Raises:
        ValueError: If the shapes differ or a spacing is not positive and finite.

    Reference:
        Heimann et al. 2009, "Comparison and evaluation of methods for liver segmentation from CT datasets".

    Example:
        >>> one, other = np.zeros((2, 1, 1, 8), bool)
        >>> one[..., 1], other[..., 4] = True, True
        >>> surface_distances(one, other, (5.0, 1.0, 0.5)).reference_to_prediction_mm.tolist()
        [1.5]
    """
    if reference.shape != prediction.shape or reference.ndim != 3:
        raise ValueError(f"shapes {reference.shape} and {prediction.shape}: give two 3-D masks on one grid")
    spacing = np.asarray(spacing_mm, dtype=float)
    if spacing.shape != (3,) or not np.all(np.isfinite(spacing)) or np.any(spacing <= 0):
        raise ValueError(f"spacing_mm = {spacing_mm}: give three positive numbers, in mm along d, h, w")
    box = union_box(reference, prediction)
    first = surface_voxels(np.ascontiguousarray(reference[box], dtype=bool))
    second = surface_voxels(np.ascontiguousarray(prediction[box], dtype=bool))
    return SurfaceDistances(_nearest(first, second, spacing), _nearest(second, first, spacing))


def _nearest(source: Mask, target: Mask, spacing_mm: Distances) -> Distances:
    """Distance from each voxel of ``source`` (in C order) to the nearest of ``target``."""
    indices = np.flatnonzero(source)
    if not target.any():
        return np.full(indices.size, math.inf)
    distances = np.zeros(indices.size)
    # A voxel of both surfaces is at distance 0; between good masks that spares most of the search.
    apart = ~target.ravel()[indices]
    if apart.any():
        points = np.column_stack(np.unravel_index(indices[apart], source.shape)) * spacing_mm
        tree = cKDTree(np.argwhere(target) * spacing_mm, balanced_tree=False, compact_nodes=False)
        distances[apart] = tree.query(points)[0]
    return distances


def assd(distances: SurfaceDistances, *, convention: Convention = "paper") -> float:
    """Average symmetric surface distance: the mean over the surface voxels of both masks together.

    Args:
        distances: From :func:`surface_distances`.
        convention: A mask empty: NaN; under ``lits`` 9001 if exactly one is.

    Returns:
        In mm, >= 0.
    """
    undefined = distances.undefined(convention)
    return float(distances.pooled_mm.mean()) if undefined is None else undefined


def rmsd(distances: SurfaceDistances, *, convention: Convention = "paper") -> float:
    """Root mean square symmetric surface distance over the surface voxels of both masks together.

    Args:
        distances: From :func:`surface_distances`.
        convention: A mask empty: NaN; under ``lits`` 9001 if exactly one is.

    Returns:
        In mm, >= assd.
    """
    undefined = distances.undefined(convention)
    return float(np.sqrt(np.mean(distances.pooled_mm**2))) if undefined is None else undefined


def msd(distances: SurfaceDistances, *, convention: Convention = "paper") -> float:
    """Maximum symmetric surface distance, the symmetric Hausdorff distance (not a mean, despite other uses of "MSD").

    Args:
        distances: From :func:`surface_distances`.
        convention: A mask empty: NaN; under ``lits`` 9001 if exactly one is.

    Returns:
        In mm, >= rmsd.
    """
    undefined = distances.undefined(convention)
    return float(distances.pooled_mm.max()) if undefined is None else undefined


def hd95_pooled(distances: SurfaceDistances, *, convention: Convention = "paper") -> float:
    """95th percentile of both directions' distances in one pool (MedPy's ``hd95``).

    Args:
        distances: From :func:`surface_distances`.
        convention: A mask empty: NaN; under ``lits`` 9001 if exactly one is.

    Returns:
        In mm, between 0 and msd, linearly interpolated between ranks.
    """
    undefined = distances.undefined(convention)
    return float(np.percentile(distances.pooled_mm, 95)) if undefined is None else undefined


def hd95_larger(distances: SurfaceDistances, *, convention: Convention = "paper") -> float:
    """The larger of the two directions' 95th percentiles (MONAI's ``compute_hausdorff_distance(percentile=95)``).

    Args:
        distances: From :func:`surface_distances`.
        convention: A mask empty: NaN; under ``lits`` 9001 if exactly one is.

    Returns:
        In mm, between 0 and msd, each linearly interpolated between ranks.
    """
    undefined = distances.undefined(convention)
    if undefined is not None:
        return undefined
    directions = (distances.reference_to_prediction_mm, distances.prediction_to_reference_mm)
    return max(float(np.percentile(direction, 95)) for direction in directions)


def surface_dice(distances: SurfaceDistances, tolerance_mm: float, *, convention: Convention = "paper") -> float:
    """Normalised surface dice: the share of all surface voxels no farther than a tolerance from the other surface.

    Args:
        distances: From :func:`surface_distances`.
        tolerance_mm: Accepted distance in mm, >= 0; a distance that equals it counts as within.
        convention: Both empty: 1, or NaN under ``nnunet``. One empty: 0 under each.

    Returns:
        In [0, 1]; not weighted by area.

    Raises:
        ValueError: If the tolerance is negative or NaN.

    Reference:
        Nikolov et al. 2021, "Clinically applicable segmentation of head and neck anatomy", with surface voxels in
        place of surface elements.
    """
    if not tolerance_mm >= 0:
        raise ValueError(f"tolerance_mm = {tolerance_mm}: give a distance of 0 mm or more")
    pooled = distances.pooled_mm
    if pooled.size == 0:
        return math.nan if convention == "nnunet" else 1.0
    return float(np.count_nonzero(pooled <= tolerance_mm + ROUNDING_MM) / pooled.size)
