"""A segmentation as its planes: some slices of a CT, each at its own position, before they are put on a grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.core.volume.placement import Grid, Placement, placement
from rmaunet.io.storage.affine_checks import check_affine

__all__ = ["MAX_VOXELS", "Planes", "place_planes", "stacked"]

MAX_VOXELS = 4 << 30
"""More voxels than this are refused from the header."""

GIVE_CT = "give the CT with it (-i or --like)"


@dataclass(frozen=True)
class Planes:
    """Parallel planes, sorted along their normal.

    Attributes:
        array: uint8 labels (planes, rows, columns).
        positions: LPS mm of each plane's first voxel (planes, 3).
        row: Unit vector along a row (growing column index).
        column: Unit vector along a column (growing row index).
        spacing_mm: Distance of rows, distance of columns.
        between_mm: SpacingBetweenSlices as the file says it, 0 if it does not.
        frame_uid: FrameOfReferenceUID, None if there is none.
    """

    array: NDArray[np.uint8]
    positions: NDArray[np.float64]
    row: NDArray[np.float64]
    column: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    between_mm: float
    frame_uid: str | None


def _plane_affine(planes: Planes, index: int, step: NDArray[np.float64]) -> NDArray[np.float64]:
    affine = np.eye(4)
    columns = [step, planes.column * planes.spacing_mm[0], planes.row * planes.spacing_mm[1], planes.positions[index]]
    affine[:3] = np.column_stack(columns)
    return affine


def place_planes(
    planes: Planes, grid: Grid, slices: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.uint8] | None, Placement | None, int]:
    """Put each plane on the slice of a grid it lies on.

    Args:
        planes: The segmentation.
        grid: The CT's, sheared or not. No distance of slices is needed: each plane has its position.
        slices: Positions of the CT's slices as its files say them (D, 3), which may jitter about the grid; None if unknown.

    Returns:
        Labels on the grid, None if a plane lies between its voxels; the worst plane's placement, None if the axes do not
        correspond; how many labeled voxels lie outside the grid.
    """
    result = np.zeros(grid.shape, np.uint8)
    normal = np.cross(planes.row, planes.column)
    unit = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    in_plane = np.abs(np.stack([unit.T @ planes.row, unit.T @ planes.column])).argmax(axis=1)
    (across,) = set(range(3)) - set(in_plane.tolist()) if len(set(in_plane.tolist())) == 2 else (-1,)
    if across < 0:
        return None, None, 0
    planes = _without_jitter(planes, grid, slices, normal)
    step = grid.affine[:3, across] * (1 if unit[:, across] @ normal > 0 else -1)
    worst, lost = None, 0
    for index in range(len(planes.array)):
        found = placement(Grid(_plane_affine(planes, index, step), (1, *planes.array.shape[1:])), grid)
        if found is None:
            return None, None, 0
        worst = found if worst is None or found.off_mm > worst.off_mm else worst
        if found.fits:
            lost += found.onto(planes.array[index : index + 1], result)
    fits = worst is not None and worst.fits
    return (result if fits else None), worst, lost


def _without_jitter(
    planes: Planes, grid: Grid, slices: NDArray[np.float64] | None, normal: NDArray[np.float64]
) -> Planes:
    """The planes moved as their CT's slices were when these were put on an even grid."""
    if slices is None or len(slices) != grid.shape[0]:
        return planes
    even = grid.affine[:3, 3] + np.outer(np.arange(len(slices)), grid.affine[:3, 0])
    nearest = np.abs((planes.positions[:, None] - slices[None]) @ normal).argmin(axis=1)
    return replace(planes, positions=planes.positions - (slices - even)[nearest])


def stacked(planes: Planes, path: Path | str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Make a volume of planes alone, without their CT.

    The distance of slices is SpacingBetweenSlices where the positions agree with it. It is never taken from SliceThickness:
    a segmentation often holds some slices only, and slices may be thicker than they are apart.

    Args:
        planes: The segmentation.
        path: The file, for messages.

    Returns:
        uint8 (D, H, W), slices without a plane empty; the affine, sheared if the slices are tilted.

    Raises:
        InputError: If the distance of slices is not known, or the planes form no even stack.
    """
    normal = np.cross(planes.row, planes.column)
    heights = (planes.positions - planes.positions[0]) @ normal
    step = _step(planes, heights, path)
    rows, columns = planes.array.shape[1:]
    if heights[-1] / step * rows * columns > MAX_VOXELS:
        problem = f"spreads the frames over {heights[-1]:.4g} mm"
        raise InputError(path, "ImagePositionPatient", None, problem, "export the segmentation again")
    places = np.round(heights / step).astype(int)
    count = int(places[-1]) + 1
    vector = normal * step
    if count > 1:
        vector = (planes.positions[-1] - planes.positions[0]) / places[-1]
        sideways = planes.positions - planes.positions[0] - np.outer(places, vector)
        if np.abs(sideways).max() > 0.1:
            problem = "shifts frames sideways"
            raise InputError(path, "ImagePositionPatient", None, problem, "export the segmentation again")
    affine = _plane_affine(planes, 0, vector)
    check_affine(Path(path), "geometry", affine)
    array = np.zeros((count, rows, columns), np.uint8)
    array[places] = planes.array
    return array, affine


def _step(planes: Planes, heights: NDArray[np.float64], path: Path | str) -> float:
    """Distance of slices, and what is uncertain about it said."""
    told, gaps = planes.between_mm, np.diff(heights)
    if len(heights) == 1:
        if told > 0:
            return told
        problem = "is missing, and one slice does not tell the distance of slices"
        raise InputError(path, "SpacingBetweenSlices", None, problem, GIVE_CT)
    least = float(gaps.min())
    if least < 0.005:
        raise InputError(path, "ImagePositionPatient", None, "shifts frames sideways", GIVE_CT)
    if told > 0 and _even(heights, told):
        if round(least / told) > 1:
            text = f"no two of its {len(heights)} slices are neighbors at SpacingBetweenSlices = {told:g} mm"
            notice(path, f"{text}; volumes count the slices that are drawn. To be sure, {GIVE_CT}")
        return told
    if not _even(heights, least):
        raise InputError(path, "ImagePositionPatient", None, "spaces the frames unevenly", GIVE_CT)
    if told <= 0 and len(heights) == 2:
        problem = f"is missing, and two slices {least:g} mm apart may have others between them"
        raise InputError(path, "SpacingBetweenSlices", None, problem, GIVE_CT)
    why = "is missing" if told <= 0 else f"= {told:g} mm does not fit the positions"
    notice(
        path,
        f"SpacingBetweenSlices {why}: the least distance of its slices, {least:g} mm, is taken; if slices in between "
        f"were not drawn, volumes are too large: {GIVE_CT}",
    )
    return least


def _even(heights: NDArray[np.float64], step: float) -> bool:
    places = np.round(heights / step)
    return len(np.unique(places)) == len(places) and bool(np.abs(heights - places * step).max() < 0.02 * step + 0.005)
