"""From slices in any order to a stack: sorted along the normal, evenly spaced, of one size and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.io.dicom.ct_slices import Slice
from rmaunet.io.dicom.dicom_files import number, printable, text
from rmaunet.io.storage.affine_checks import LARGEST_SPACING, LEAST_SPACING

__all__ = ["Stack", "arrange", "same_place"]

REMEDY = "export the whole series again"
JITTER = 0.011
"""How far a slice may lie from its even place, in spacings (1 %, and a little for rounding)."""


@dataclass(frozen=True)
class Stack:
    """Slices in order.

    Attributes:
        slices: Sorted along the normal (the cross product of row and column directions).
        affine: 4 x 4, indices (slice, row, column) to LPS mm.
        shear_mm: In-plane shift along (column direction, row direction) per slice; zeros unless the gantry was tilted.
    """

    slices: tuple[Slice, ...]
    affine: NDArray[np.float64]
    shear_mm: tuple[float, float]


def same_place(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Groups of slices at one position (0.01 mm), sorted along the normal.

    Args:
        slices: At least one.

    Returns:
        The groups; each has one slice in a sound series.
    """
    normal = np.cross(slices[0].row, slices[0].column)
    groups: list[list[Slice]] = []
    for item in sorted(slices, key=lambda s: float(s.position @ normal)):
        if groups and np.abs(item.position - groups[-1][0].position).max() < 0.01:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def arrange(slices: Sequence[Slice], subject: str) -> Stack:
    """Check that slices form an even stack and find its affine.

    Args:
        slices: One per position, sorted along the normal.
        subject: What the user calls the series.

    Returns:
        The stack.

    Raises:
        InputError: If a slice is turned, of another size or spacing, shifted, missing, or unevenly spaced.
    """
    keys = [_likeness(item) for item in slices]
    usual = slices[keys.index(max(keys, key=keys.count))]
    for item in slices:
        _check_alike(item, usual)
    first = slices[0]
    normal = np.cross(first.row, first.column)
    positions = np.array([item.position for item in slices])
    along = positions @ normal
    if len(slices) == 1:
        step, shear = _thickness(first, subject), (0.0, 0.0)
    else:
        step = float(along[-1] - along[0]) / (len(slices) - 1)
        _check_even(slices, along, subject)
        shear = _shear(slices, positions, step)
    affine = np.eye(4)
    affine[:3, 0] = normal * step
    affine[:3, 1] = first.column * first.spacing_mm[0]
    affine[:3, 2] = first.row * first.spacing_mm[1]
    affine[:3, 3] = first.position
    return Stack(tuple(slices), affine, shear)


def _likeness(item: Slice) -> tuple[object, ...]:
    size = [text(item.file.dataset, keyword) for keyword in ("Rows", "Columns", "FrameOfReferenceUID")]
    return (*np.round([*item.row, *item.column, *item.spacing_mm], 3).tolist(), *size)


def _check_alike(item: Slice, other: Slice) -> None:
    if max(np.abs(item.row - other.row).max(), np.abs(item.column - other.column).max()) > 1e-3:
        cosines = tuple(np.round([*item.row, *item.column], 4).tolist())
        problem = f"is turned against the other slices, such as {other.shown}"
        raise InputError(item.shown, "ImageOrientationPatient", cosines, problem, "move it out of the series")
    if not np.allclose(item.spacing_mm, other.spacing_mm, rtol=1e-3):
        problem = f"differs from the other slices' {other.spacing_mm}"
        raise InputError(item.shown, "PixelSpacing", item.spacing_mm, problem, "move it out of the series")
    frames = [text(s.file.dataset, "FrameOfReferenceUID") for s in (item, other)]
    if "" not in frames and frames[0] != frames[1]:
        problem = "differs from the other slices': their positions cannot be compared"
        raise InputError(item.shown, "FrameOfReferenceUID", printable(frames[0]), problem, "move it out of the series")
    for keyword in ("Rows", "Columns"):
        mine, theirs = (text(s.file.dataset, keyword) for s in (item, other))
        if mine != theirs:
            problem = f"differs from the other slices' {theirs}"
            raise InputError(item.shown, keyword, mine, problem, "move it out of the series")


def _place(item: Slice, along: float) -> str:
    """Where a slice lies, in words: z for (nearly) axial slices, else the distance along the normal."""
    normal = np.cross(item.row, item.column)
    return f"z = {item.position[2]:.2f}" if abs(normal[2]) > 0.7 else f"{along:.2f} along the normal"


def _check_even(slices: Sequence[Slice], along: NDArray[np.float64], subject: str) -> None:
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    if not LEAST_SPACING <= usual <= LARGEST_SPACING:
        raise InputError(subject, "slices", len(slices), f"lie {usual:.3g} mm apart, as no scanner makes them", REMEDY)
    index = np.arange(len(along))
    even = np.polyval(np.polyfit(index, along, 1), index)
    if np.abs(along - even).max() <= max(JITTER * usual, 0.005):
        _compare_tag(slices[0], float(np.ptp(along)) / (len(along) - 1), subject)
        return
    worst = int(np.abs(gaps - usual).argmax())
    before, after = _place(slices[worst], along[worst]), _place(slices[worst + 1], along[worst + 1])
    missing = gaps[worst] / usual - 1
    if round(missing) >= 1 and abs(missing - round(missing)) < 0.1:
        problem = f"{round(missing)} missing between {before} and {after} mm (slices are {usual:.3g} mm apart)"
        raise InputError(subject, "slices", len(slices), problem, REMEDY)
    problem = f"unevenly spaced: {gaps[worst]:.3g} mm between {before} and {after} mm, usually {usual:.3g} mm"
    raise InputError(subject, "slices", len(slices), problem, REMEDY)


def _compare_tag(first: Slice, step: float, subject: str) -> None:
    try:
        said = abs(number(first.file.dataset, "SpacingBetweenSlices", first.shown))
    except InputError:
        return
    if abs(said - step) > 0.01 * step:
        notice(
            subject, f"SpacingBetweenSlices = {said:g} mm but the slices lie {step:.4g} mm apart: positions are used"
        )


def _shear(slices: Sequence[Slice], positions: NDArray[np.float64], step: float) -> tuple[float, float]:
    """In-plane drift per slice, or zeros where it stays below a quarter of a pixel over the whole stack."""
    first = slices[0]
    offsets = (positions - positions[0]) @ np.column_stack([first.column, first.row])
    limit = 0.25 * min(first.spacing_mm)
    if np.abs(offsets).max() <= limit:
        return (0.0, 0.0)
    index = np.arange(len(slices))[:, None]
    drift = offsets[-1] / (len(slices) - 1)
    off = np.abs(offsets - index * drift).max(axis=1)
    if off.max() > limit or np.linalg.norm(drift) > step:
        worst = slices[int(off.argmax())]
        seen = tuple(np.round(worst.position, 3).tolist())
        problem = "is shifted sideways against the other slices"
        raise InputError(worst.shown, "ImagePositionPatient", seen, problem, REMEDY)
    return (float(drift[0]), float(drift[1]))


def _thickness(only: Slice, subject: str) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        try:
            value = number(only.file.dataset, keyword, only.shown)
        except InputError:
            continue
        if 0 < value < 1e3:
            notice(subject, f"one slice only: its thickness is taken from {keyword} = {value:g} mm")
            return value
    notice(subject, "one slice only and no SliceThickness: 1 mm is assumed")
    return 1.0
