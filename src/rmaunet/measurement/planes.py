"""Cutting a CT and its mask into the three planes a radiologist looks at, in radiological display.

Axial: seen from the feet, patient's right on the viewer's left, anterior up. Coronal: seen from the front, right on
the left, head up. Sagittal: seen from the patient's left, anterior on the left, head up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.errors import InputError
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import Volume, axial, geometry_difference
from rmaunet.core.volume.box import union_box

__all__ = ["PLANES", "Crop", "Plane", "PlaneName", "cut", "focus", "matched", "region"]

PlaneName = Literal["axial", "coronal", "sagittal"]
PLANES: tuple[PlaneName, ...] = ("axial", "coronal", "sagittal")
Crop = tuple[slice, slice, slice]

BODY_HU = -300.0
"""Between air and fat: what is brighter is the patient, his clothes and the table."""


@dataclass(frozen=True)
class Plane:
    """One plane, its rows from top to bottom and columns from left to right as displayed.

    Attributes:
        name: Which plane.
        image: HU (rows, columns).
        labels: Label values (rows, columns).
        spacing_mm: Distance of neighbouring rows and of neighbouring columns.
        letters: What the display's left, right, top and bottom edges face, e.g. ("R", "L", "A", "P"): right, left,
            anterior, posterior, superior (head) or inferior (feet).
        index: The plane's index along its axis in the axial orientation.
    """

    name: PlaneName
    image: NDArray[np.generic]
    labels: NDArray[np.generic]
    spacing_mm: tuple[float, float]
    letters: tuple[str, str, str, str]
    index: int

    @property
    def extent_mm(self) -> tuple[float, float]:
        """Height and width from outer voxel edge to outer voxel edge."""
        rows, columns = self.image.shape
        return rows * self.spacing_mm[0], columns * self.spacing_mm[1]


def matched(ct: Volume, mask: Volume, name: str = "mask") -> tuple[Volume, Volume]:
    """CT and mask in the axial orientation, on one grid.

    Args:
        ct: CT in HU, any orientation.
        mask: Labels {0, 1, 2} on the CT's voxel positions, its axes in any order and direction.
        name: What to call the mask in an error.

    Returns:
        Both in the axial orientation; a voxel has one index in both.

    Raises:
        InputError: If they do not cover the same voxel positions.
    """
    turned, labels = axial(ct), axial(mask)
    difference = geometry_difference(labels, turned)
    if difference is not None:
        raise InputError(name, "grid", difference, "is not the CT's grid", "give the mask that was made on this CT")
    return turned, labels


def focus(mask: Volume) -> tuple[int, int, int]:
    """The most telling voxel: deep inside the largest tumor (else the liver), where its axial area is largest.

    Args:
        mask: Labels {0, 1, 2} in the axial orientation.

    Returns:
        Its (d, h, w); the middle of the grid if the mask is empty.
    """
    box = union_box(mask.array, mask.array)  # nothing of a long scan's size is made
    labels = mask.array[box]
    inside = tumor_mask(labels)
    if not inside.any():
        inside = liver_mask(labels)
    if not inside.any():
        depth, height, width = mask.array.shape
        return depth // 2, height // 2, width // 2
    inside = _largest_part(inside)
    d = int(np.argmax(inside.sum(axis=(1, 2))))
    # A border of background, so that a part cut off by the scan is deepest in its middle and not at the edge.
    depth_mm = ndimage.distance_transform_edt(np.pad(inside[d], 1), sampling=mask.spacing[1:])
    h, w = np.unravel_index(int(np.argmax(depth_mm)), depth_mm.shape)
    return d + box[0].start, int(h) - 1 + box[1].start, int(w) - 1 + box[2].start


def _largest_part(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    import cc3d

    parts = cc3d.connected_components(np.ascontiguousarray(inside), connectivity=26 if inside.ndim == 3 else 8)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == np.argmax(sizes))


def cut(ct: Volume, mask: Volume, name: PlaneName, index: int, crop: Crop | None = None) -> Plane:
    """Cut one plane out of a CT and its mask.

    Args:
        ct: HU in the axial orientation.
        mask: Labels on the same grid.
        name: Which plane.
        index: Its index along D (axial), H (coronal) or W (sagittal).
        crop: Part of the grid to show, by default all of it.

    Returns:
        The plane in radiological display.
    """
    axis = PLANES.index(name)
    window = list(crop or (slice(None),) * 3)
    place: list[slice | int] = [*window]
    place[axis] = index
    image, labels = ct.array[tuple(place)], mask.array[tuple(place)]
    rows, columns = (i for i in range(3) if i != axis)
    up, left = _letters(ct, rows), _letters(ct, columns)
    top, bottom = up
    if name != "axial":  # axis 0 grows toward the head, which belongs at the top
        image, labels, top, bottom = image[::-1], labels[::-1], bottom, top
    return Plane(
        name=name,
        image=image,
        labels=labels,
        spacing_mm=(float(ct.spacing[rows]), float(ct.spacing[columns])),
        letters=(left[0], left[1], top, bottom),
        index=index,
    )


def _letters(volume: Volume, axis: int) -> tuple[str, str]:
    """What the start and the end of an axis face; several letters, the nearest first, where it is oblique."""
    direction = np.asarray(volume.affine)[:3, axis] / volume.spacing[axis]
    order = [i for i in np.argsort(-np.abs(direction), kind="stable") if abs(direction[i]) > 0.3]
    ahead = "".join("LPS"[i] if direction[i] > 0 else "RAI"[i] for i in order)
    behind = "".join("RAI"[i] if direction[i] > 0 else "LPS"[i] for i in order)
    return behind, ahead


def region(ct: Volume, mask: Volume, *, margin_mm: float = 40.0) -> Crop:
    """The part of the scan worth showing: the body across, the liver with a margin along.

    Args:
        ct: HU in the axial orientation.
        mask: Labels on the same grid.
        margin_mm: What to show above and below the liver.

    Returns:
        Slices along D, H and W; whole axes where nothing is found.
    """
    depth = ct.array.shape[0]
    occupied = np.flatnonzero(mask.array.any(axis=(1, 2)))
    along = slice(0, depth)
    if occupied.size:
        margin = int(np.ceil(margin_mm / ct.spacing[0]))
        along = slice(max(0, int(occupied[0]) - margin), min(depth, int(occupied[-1]) + margin + 1))
    step = max(1, (along.stop - along.start) // 16)  # a few slices tell where the body is
    air = max(BODY_HU, float(ct.array.min()) + 10.0)  # a CT clipped to a window has no air at -1000
    shown = ((ct.array[along][::step] > air) | liver_mask(mask.array[along][::step])).any(axis=0)
    # What is thinner than 6 mm is the table's shell, a sheet or a tube; of the rest the body is the largest part.
    radius = [max(1, round(3.0 / s)) for s in ct.spacing[1:]]
    solid = ndimage.binary_opening(shown, np.ones([2 * r + 1 for r in radius]))
    body = np.asarray(_largest_part(solid) if solid.any() else shown)
    down, across = np.any(body, axis=1), np.any(body, axis=0)
    return along, _span(down, 6.0 / ct.spacing[1]), _span(across, 6.0 / ct.spacing[2])


def _span(found: NDArray[np.bool_], margin: float) -> slice:
    """From the first to the last True with a margin in voxels; all of it if nothing is True."""
    places = np.flatnonzero(found)
    if not places.size:
        return slice(0, found.size)
    return slice(max(0, int(places[0] - margin)), min(found.size, int(places[-1] + margin) + 1))
