"""The volume: highdicom's :class:`~highdicom.Volume`, array (D, H, W) with an affine to LPS mm, and what it lacks."""

from __future__ import annotations

from highdicom import Volume

from rmaunet.core.volume.geometry import (
    axial,
    geometry_difference,
    make_volume,
    same_grid,
    to_grid,
    voxel_volume_ml,
)

__all__ = ["Volume", "axial", "geometry_difference", "make_volume", "same_grid", "to_grid", "voxel_volume_ml"]
