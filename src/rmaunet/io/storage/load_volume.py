"""From a checked header to a CT volume: voxels read, notices given, shear taken out."""

from __future__ import annotations

import math

import numpy as np

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.notices import notice
from rmaunet.core.volume import Volume, make_volume
from rmaunet.core.volume.placement import Grid
from rmaunet.io.storage.affine_checks import index_reversed, obliquity, orthogonal_grid, orthonormalised, resampled
from rmaunet.io.storage.voxel_layout import StoredImage, checked_shape
from rmaunet.io.storage.voxel_values import AIR_HU, read_hu

__all__ = ["SHEAR", "checked_volume", "load_ct", "tilted_grid"]

SHEAR = 1e-4
"""Axes whose cosine exceeds this are sheared; below it is rounding (0.05 mm over 500 mm)."""


def checked_volume(image: StoredImage, volume: int | None) -> int:
    """Which of the file's volumes is meant.

    Args:
        image: What the header says.
        volume: The user's choice, from 0, or None.

    Returns:
        The index.

    Raises:
        InputError: If there are several and none was chosen, or the one chosen does not exist.
    """
    last = image.volumes - 1
    if volume is None and last > 0:
        text = f"choose one with --volume K (0 to {last})"
        remedy = advise("--volume", text, "save the volume that is meant as a file of its own")
        raise InputError(image.path, "volumes", image.volumes, "a CT is one volume", remedy)
    chosen = volume or 0
    if not 0 <= chosen <= last:
        raise InputError(image.path, "volume", chosen, f"the file has volumes 0 to {last}", "choose one of them")
    return chosen


def tilted_grid(image: StoredImage) -> Grid | None:
    """The grid a file stores if it is sheared, so that its volume is resampled; None if it is not."""
    if obliquity(image.affine) <= SHEAR:
        return None
    return Grid(index_reversed(image.affine), image.shape[::-1])


def load_ct(image: StoredImage, *, volume: int | None, hu_offset: float) -> Volume:
    """Read a CT and say what is odd about it.

    Args:
        image: What the header says.
        volume: Which volume, from 0; None if there is only one.
        hu_offset: Added to every value, in HU.

    Returns:
        HU on an orthogonal grid, (D, H, W) = (k, j, i). A sheared grid (gantry tilt) is resampled linearly.

    Raises:
        InputError: If the voxels cannot be used.
        UsageError: If ``hu_offset`` is not finite.
    """
    if not math.isfinite(hu_offset):
        raise UsageError(image.path, "hu_offset", hu_offset, "must be a number", "give the HU to add")
    chosen = checked_volume(image, volume)
    with image.open() as stream:
        array, facts = read_hu(stream, image, volume=chosen, hu_offset=hu_offset)
    for text in (*image.notes, *facts.notes()):
        notice(image.path, text)
    affine = image.affine
    if obliquity(affine) <= SHEAR:
        return make_volume(array, index_reversed(orthonormalised(affine)))
    upright, shape = orthogonal_grid(affine, image.shape)
    checked_shape(image.path, "sheared grid", shape, 1, np.dtype(array.dtype))
    tilt = math.degrees(math.asin(min(1.0, obliquity(affine))))
    notice(image.path, f"the grid is sheared by {tilt:.1f} degrees (gantry tilt?); it is resampled to right angles")
    array = resampled(array, affine, upright, shape, outside=AIR_HU, nearest=False)
    return make_volume(array, index_reversed(orthonormalised(upright)))
