"""The lesion table: every tumor by itself, how large, where, how bright.

A lesion is a connected component of label 2, voxels that touch at a corner included (26-neighbourhood): a person would
not count two spots that touch as two. (``evaluate`` counts as the LiTS challenge does, by faces.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.labels import LIVER, parenchyma_mask
from rmaunet.core.volume import Volume, axial, voxel_volume_ml
from rmaunet.core.volume.box import union_box
from rmaunet.measurement.diameters import PlanarDiameters, maximum_diameter_mm, planar_diameters
from rmaunet.measurement.lesion_numbering import numbered_lesions
from rmaunet.measurement.liver_surface import LiverSurface
from rmaunet.measurement.liver_volumes import NOTHING, intensity
from rmaunet.measurement.planes import matched

__all__ = ["MEASURABLE_MM", "TARGETS", "Lesion", "lesion_table"]

MEASURABLE_MM = 10.0
"""RECIST 1.1: a lesion is measurable from this longest axial diameter on, and from two slice distances on."""

TARGETS = 5
"""RECIST 1.1 follows at most five lesions, of which at most two in one organ: here, the first two."""

Point = tuple[float, float, float]
Ends = tuple[Point, Point]


@dataclass(frozen=True)
class Lesion:
    """One lesion. Distances and volumes are those of its voxels, as far as scan and mask show it.

    Attributes:
        id: 1, 2, ... by falling volume; equal ones from feet to head.
        voxels: Its size.
        volume_ml: Its volume.
        longest_axial_mm: Longest diameter on any axial slice, on the outline's convex hull (RECIST-style).
        perpendicular_mm: Longest line perpendicular to it on the same slice (the other WHO diameter).
        axial_index: That slice, counted from the feet, from 0.
        longest_ends_mm: Ends of the longest diameter, LPS.
        perpendicular_ends_mm: Ends of the perpendicular, LPS.
        diameter_3d_mm: Greatest distance between two points of its outline in space.
        centroid_mm: Center of gravity, LPS; may lie outside a crescent.
        centroid_voxel: The same as index (d, h, w) of the mask's own grid, not whole.
        surface_distance_mm: From its outline to the liver's (with tumor), 0 where it reaches it; NaN outside the liver, or
            where the scan shows no surface of the liver. The scan's border is no surface.
        mean_hu: Mean HU, NaN without CT; ``sd_hu`` is the standard deviation (divisor n).
        contrast_hu: Mean HU minus the parenchyma's; negative is hypodense. NaN without CT or parenchyma.
        touches_scan_border: Whether it has a voxel in the scan's first or last slice, row or column: it may go on.
        touches_mask_edge: Whether it has a voxel on the liver's surface (subcapsular, or the mask may be cut).
        in_liver: Whether it touches parenchyma, be it at a corner; False for a spot apart from the liver, and for one that
            fills it.
        target_candidate: Whether it is among the five longest measurable lesions.
        target_rank: 1 to 5 for these by longest axial diameter, else None.
    """

    id: int
    voxels: int
    volume_ml: float
    longest_axial_mm: float
    perpendicular_mm: float
    axial_index: int
    longest_ends_mm: Ends
    perpendicular_ends_mm: Ends
    diameter_3d_mm: float
    centroid_mm: Point
    centroid_voxel: Point
    surface_distance_mm: float
    mean_hu: float
    sd_hu: float
    contrast_hu: float
    touches_scan_border: bool
    touches_mask_edge: bool
    in_liver: bool
    target_candidate: bool
    target_rank: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def lesion_table(ct: Volume | None, mask: Volume) -> list[Lesion]:
    """Measure every lesion of a mask.

    Args:
        ct: HU on the mask's voxel positions, any orientation; None leaves HU out.
        mask: Labels {0, 1, 2}, any orientation, spacing in mm.

    Returns:
        The lesions by falling volume, empty without tumor. The same patient stored in another orientation gives the
        same table, ``centroid_voxel`` apart.

    Raises:
        InputError: If CT and mask are not on one grid.
    """
    image, labels = (None, axial(mask)) if ct is None else matched(ct, mask)
    box, ids = numbered_lesions(labels)
    if not ids.size:
        return []
    scene = _Scene.of(image, labels, np.linalg.inv(np.asarray(mask.affine)))
    found = [
        scene.lesion(number, ids[at] == number, tuple(b.start + side.start for b, side in zip(box, at, strict=True)))
        for number, at in enumerate(ndimage.find_objects(ids), start=1)
    ]
    ranks = _target_ranks(found, float(labels.spacing[0]))
    return [replace(one, target_candidate=one.id in ranks, target_rank=ranks.get(one.id)) for one in found]


def _target_ranks(found: Sequence[Lesion], slice_mm: float) -> dict[int, int]:
    smallest = max(MEASURABLE_MM, 2 * slice_mm)
    candidates = sorted(
        (one for one in found if one.longest_axial_mm >= smallest), key=lambda one: -one.longest_axial_mm
    )
    return {one.id: rank for rank, one in enumerate(candidates[:TARGETS], start=1)}


@dataclass(frozen=True)
class _Scene:
    """What all lesions of a scan are measured against, in the axial orientation."""

    hu: NDArray[np.generic] | None
    labels: NDArray[np.generic]
    spacing: tuple[float, float, float]
    voxel_ml: float
    affine: NDArray[np.float64]
    to_source: NDArray[np.float64]
    surface: LiverSurface
    parenchyma_hu: float

    @classmethod
    def of(cls, image: Volume | None, labels: Volume, to_source: NDArray[np.float64]) -> _Scene:
        d, h, w = (float(s) for s in labels.spacing)
        parenchyma_hu = math.nan
        box = union_box(labels.array, labels.array)
        if image is not None and (inside := parenchyma_mask(labels.array[box])).any():
            parenchyma_hu = float(np.mean(image.array[box][inside], dtype=np.float64))
        return cls(
            hu=None if image is None else image.array,
            labels=labels.array,
            spacing=(d, h, w),
            voxel_ml=voxel_volume_ml(labels),
            affine=np.asarray(labels.affine, dtype=float),
            to_source=to_source,
            surface=LiverSurface(labels.array, (d, h, w)),
            parenchyma_hu=parenchyma_hu,
        )

    def lesion(self, number: int, inside: NDArray[np.bool_], start: tuple[int, ...]) -> Lesion:

        place = tuple(slice(a, a + n) for a, n in zip(start, inside.shape, strict=True))
        count = int(np.count_nonzero(inside))
        slice_index, planar = _longest_axial(inside, self.spacing[1:])
        centroid = self._world(np.argwhere(inside).mean(axis=0) + start)
        in_liver = self._meets_parenchyma(inside, start)
        surface = self.surface.distance_mm(inside, start)
        hu = intensity(NOTHING if self.hu is None else self.hu[place][inside])
        z = float(start[0] + slice_index)
        return Lesion(
            id=number,
            voxels=count,
            volume_ml=count * self.voxel_ml,
            longest_axial_mm=planar.longest_mm,
            perpendicular_mm=planar.perpendicular_mm,
            axial_index=start[0] + slice_index,
            longest_ends_mm=self._ends(planar.longest_ends, z, start),
            perpendicular_ends_mm=self._ends(planar.perpendicular_ends, z, start),
            diameter_3d_mm=maximum_diameter_mm(inside, self.spacing),
            centroid_mm=centroid,
            centroid_voxel=_point(self.to_source @ np.append(centroid, 1.0)),
            surface_distance_mm=surface if in_liver else math.nan,
            mean_hu=hu.mean,
            sd_hu=hu.sd,
            contrast_hu=hu.mean - self.parenchyma_hu,
            touches_scan_border=any(s.start == 0 or s.stop == n for s, n in zip(place, self.labels.shape, strict=True)),
            touches_mask_edge=surface == 0.0,
            in_liver=in_liver,
            target_candidate=False,
            target_rank=None,
        )

    def _world(self, voxel: NDArray[np.float64]) -> Point:
        return _point(self.affine @ np.append(voxel, 1.0))

    def _ends(self, ends: NDArray[np.float64], z: float, start: tuple[int, ...]) -> Ends:
        one, other = (self._world(np.array([z, row + start[1], column + start[2]])) for row, column in ends)
        return one, other

    def _meets_parenchyma(self, inside: NDArray[np.bool_], start: tuple[int, ...]) -> bool:
        """Whether a voxel of parenchyma touches the lesion, be it at a corner."""
        low = [max(0, a - 1) for a in start]
        high = [min(n, a + k + 1) for a, k, n in zip(start, inside.shape, self.labels.shape, strict=True)]
        around = self.labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] == LIVER
        if not around.any():
            return False
        pad = [(a - lo, hi - a - k) for a, k, lo, hi in zip(start, inside.shape, low, high, strict=True)]
        grown = ndimage.binary_dilation(np.pad(inside, pad), np.ones((3, 3, 3)))
        return bool((grown & around).any())


def _point(values: NDArray[np.float64]) -> Point:
    return float(values[0]), float(values[1]), float(values[2])


def _longest_axial(inside: NDArray[np.bool_], spacing_mm: Sequence[float]) -> tuple[int, PlanarDiameters]:
    """The slice of the longest diameter and its measure; parts that do not touch on a slice are not measured across."""
    best: tuple[int, PlanarDiameters] | None = None
    for index, plane in enumerate(inside):
        parts, count = ndimage.label(plane, np.ones((3, 3)))
        for number, at in enumerate(ndimage.find_objects(parts, count), start=1):
            found = planar_diameters(parts[at] == number, spacing_mm)
            if best is None or found.longest_mm > best[1].longest_mm:
                shift = [at[0].start, at[1].start]
                found = replace(
                    found,
                    longest_ends=found.longest_ends + shift,
                    perpendicular_ends=found.perpendicular_ends + shift,
                )
                best = index, found
    if best is None:
        raise ValueError("the region is empty; give a lesion with a voxel")
    return best
