"""Which of a NIfTI file's three ways of telling its geometry is used, and what is said when they disagree."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.io.scan import NiftiSource
from rmaunet.io.storage.affine_checks import RAS_TO_LPS, check_affine, identity_notice, is_identity

__all__ = ["chosen_affine", "quaternion_affine"]

_METRE, _MICROMETRE = 1, 3


def _floats(stored: NDArray[np.floating]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a damaged header may hold a signalling NaN
        return stored.astype(np.float64)


def quaternion_affine(source: NiftiSource) -> NDArray[np.float64]:
    """The qform as a matrix.

    Args:
        source: The header's fields; spacing is the absolute value of pixdim.

    Returns:
        4 x 4, indices (i, j, k) to RAS, in the header's unit.

    Raises:
        InputError: If the quaternion is longer than 1 or not finite.

    Reference:
        nifti1.h, "method 2".
    """
    b, c, d, *offset = _floats(source.quaternion).tolist()
    square = b * b + c * c + d * d
    if not math.isfinite(square) or square > 1.0001 or not np.isfinite(offset).all():
        shown = np.array2string(source.quaternion, precision=4, separator=",")
        raise InputError(source.path, "quaternion", shown, "is no rotation", "take the original file")
    a = math.sqrt(max(0.0, 1.0 - square))
    norm = math.sqrt(a * a + square)
    a, b, c, d = a / norm, b / norm, c / norm, d / norm
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    spacing = np.abs(_floats(source.pixdim[1:4]))
    if source.pixdim[0] < 0:  # qfac: the third axis points the other way
        rotation[:, 2] *= -1
    result = np.eye(4)
    result[:3, :3] = rotation * spacing
    result[:3, 3] = offset
    return result


def _pixdim_affine(source: NiftiSource) -> NDArray[np.float64]:
    """No code is set: nibabel's reading, first axis to the patient's left, origin in the middle."""
    spacing = np.abs(_floats(source.pixdim[1:4])) * (-1, 1, 1)
    result = np.diag([*spacing, 1.0])
    result[:3, 3] = -spacing * (np.array(source.shape) - 1) / 2
    return result


def _sform_affine(source: NiftiSource) -> NDArray[np.float64]:
    return np.vstack([_floats(source.sform), [0.0, 0, 0, 1]])


def _check_pixdim(source: NiftiSource) -> list[str]:
    spacing = _floats(source.pixdim[1:4])
    shown = np.array2string(spacing, precision=4, separator=",")
    if not np.isfinite(spacing).all() or (spacing == 0).any():
        raise InputError(source.path, "pixdim[1:4]", shown, "must be positive numbers", "take the original file")
    return [f"pixdim is negative ({shown}); its absolute value is used"] if (spacing < 0).any() else []


def _corners_apart(one: NDArray[np.float64], two: NDArray[np.float64], shape: tuple[int, int, int]) -> float:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], indexing="ij")).reshape(3, -1)
    corners = np.vstack([corners, np.ones(8)])
    return float(np.linalg.norm((one - two) @ corners, axis=0).max())


def _unit_scale(source: NiftiSource, affine: NDArray[np.float64]) -> tuple[float, list[str]]:
    """Metres and micrometres are believed only where they make a scanner's spacing."""
    unit = source.xyzt_units & 7
    if unit not in (_METRE, _MICROMETRE):
        return 1.0, []
    scale, name = (1e3, "metres") if unit == _METRE else (1e-3, "micrometres")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if (spacing * scale > 0.05).all() and (spacing * scale < 50).all():
        return scale, [f"xyzt_units says {name}; the geometry is converted to mm"]
    return 1.0, [f"xyzt_units says {name}, which the spacing cannot be; mm is used"]


def chosen_affine(source: NiftiSource) -> tuple[NDArray[np.float64], list[str]]:
    """The affine of a NIfTI file: the sform if its code is set, else the qform, else pixdim alone.

    Args:
        source: The header's fields.

    Returns:
        4 x 4, indices (i, j, k) to LPS mm, as stored (shear and rounding untouched); and what the user should know.

    Raises:
        InputError: If spacing, quaternion or matrix make no grid.
    """
    notes = _check_pixdim(source)
    quaternion = quaternion_affine(source) if source.qform_code > 0 else None
    if source.sform_code > 0:
        stored, field = _sform_affine(source), "sform"
    elif quaternion is not None:
        stored, field = quaternion, "qform"
        notes.append("only the qform is set; it is used")
    else:
        stored, field = _pixdim_affine(source), "pixdim"
        notes.append("neither sform nor qform is set; orientation is guessed as left, anterior, head from pixdim")
    scale, unit_notes = _unit_scale(source, stored)
    affine = RAS_TO_LPS @ stored
    affine[:3] *= scale
    check_affine(source.path, field, affine)
    if source.sform_code > 0:
        notes += _sform_notes(source, stored, quaternion)
    if is_identity(affine):
        notes.append(identity_notice(f"the {field}"))
    return affine, [*notes, *unit_notes]


def _sform_notes(source: NiftiSource, affine: NDArray[np.float64], quaternion: NDArray[np.float64] | None) -> list[str]:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    pixdim = np.abs(_floats(source.pixdim[1:4]))
    notes = []
    if not np.allclose(spacing, pixdim, rtol=1e-3):
        stored, used = (np.array2string(values, precision=4, separator=",") for values in (pixdim, spacing))
        notes.append(f"pixdim says spacing {stored}, the sform {used}; the sform is used")
    if quaternion is None:
        notes.append("only the sform is set; it is used")
    elif (apart := _corners_apart(affine, quaternion, source.shape)) > 0.25 * spacing.min():
        notes.append(f"sform and qform disagree by up to {apart:.1f} mm; the sform is used")
    return notes
