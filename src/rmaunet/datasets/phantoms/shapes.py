"""Shapes in millimetres and how a phantom's organs are drawn from them.

Coordinates are the patient's: x grows to the left, y to the back, z to the head; the origin is the middle of the body.
Every shape is evaluated only in its own box, so drawing costs what the organs cover, not what the grid holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ellipsoid", "Grid", "TaperedEllipsoid", "Tube", "paint"]

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Grid:
    """Voxel centres along each axis, ascending.

    Attributes:
        z_mm: (D,) float32.
        y_mm: (H,) float32.
        x_mm: (W,) float32.
    """

    z_mm: NDArray[np.float32]
    y_mm: NDArray[np.float32]
    x_mm: NDArray[np.float32]

    @classmethod
    def centered(cls, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], z_mm: float = 0.0) -> Grid:
        """A grid whose middle lies at x = y = 0 and the given z."""
        z, y, x = (
            ((np.arange(n) - (n - 1) / 2) * step).astype(np.float32) for n, step in zip(shape, spacing_mm, strict=True)
        )
        return cls(z + np.float32(z_mm), y, x)

    def box(self, low: tuple[float, float, float], high: tuple[float, float, float]) -> Box:
        """Index ranges of the voxels between two corners given as (z, y, x) in mm."""
        axes = (self.z_mm, self.y_mm, self.x_mm)
        ranges = [
            slice(int(np.searchsorted(axis, a, "left")), int(np.searchsorted(axis, b, "right")))
            for axis, a, b in zip(axes, low, high, strict=True)
        ]
        return ranges[0], ranges[1], ranges[2]

    def axes(self, box: Box) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """The (z, y, x) coordinates in a box, shaped to broadcast against each other."""
        return self.z_mm[box[0]][:, None, None], self.y_mm[box[1]][None, :, None], self.x_mm[box[2]][None, None, :]


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with axes along z, y, x.

    Attributes:
        center_mm: (z, y, x).
        half_mm: Half axes (z, y, x).
    """

    center_mm: tuple[float, float, float]
    half_mm: tuple[float, float, float]

    def inside(self, grid: Grid) -> tuple[Box, NDArray[np.bool_]]:
        """The shape's box on the grid and which of its voxels lie inside."""
        low = tuple(c - h for c, h in zip(self.center_mm, self.half_mm, strict=True))
        high = tuple(c + h for c, h in zip(self.center_mm, self.half_mm, strict=True))
        box = grid.box((low[0], low[1], low[2]), (high[0], high[1], high[2]))
        parts = [((axis - c) / h) ** 2 for axis, c, h in zip(grid.axes(box), self.center_mm, self.half_mm, strict=True)]
        return box, np.asarray(parts[0] + parts[1] + parts[2] <= 1)

    @property
    def volume_ml(self) -> float:
        """Exact volume."""
        return 4 / 3 * np.pi * float(np.prod(self.half_mm)) / 1000


@dataclass(frozen=True)
class Tube:
    """An upright cylinder of elliptic section from one z to another.

    Attributes:
        center_mm: (y, x) of its axis.
        half_mm: Half axes (y, x) of the section.
        z_mm: Lowest and highest z.
        power: Exponent of the section's outline: 2 an ellipse, more is squarer.
    """

    center_mm: tuple[float, float]
    half_mm: tuple[float, float]
    z_mm: tuple[float, float] = (-1e6, 1e6)
    power: float = 2.0

    def inside(self, grid: Grid) -> tuple[Box, NDArray[np.bool_]]:
        """The shape's box on the grid and which of its voxels lie inside."""
        (cy, cx), (hy, hx) = self.center_mm, self.half_mm
        box = grid.box((self.z_mm[0], cy - hy, cx - hx), (self.z_mm[1], cy + hy, cx + hx))
        z, y, x = grid.axes(box)
        section = np.abs((y - cy) / hy) ** self.power + np.abs((x - cx) / hx) ** self.power <= 1
        return box, np.broadcast_to(section, (z.shape[0], *section.shape[1:]))


@dataclass(frozen=True)
class TaperedEllipsoid:
    """A liver: an ellipsoid, thick at the right and thin at the left, tilted and bent, of exactly known volume.

    With u = (x - cx) / hx, the section at u is an ellipse of half axes (hz, hy) * sqrt(1 - u^2) * (1 - taper * u), moved by
    tilt * hx * u in z and by bend * u^2 in y. Moving sections keeps volumes, so the volume is
    4/3 pi hx hy hz (1 + taper^2 / 5).

    Attributes:
        center_mm: (z, y, x).
        half_mm: Half axes (z, y, x) before tapering.
        taper: In [0, 1): how much thinner the left end is.
        tilt: Rise in z per mm of x.
        bend_mm: How far both ends are moved to the back.
    """

    center_mm: tuple[float, float, float]
    half_mm: tuple[float, float, float]
    taper: float
    tilt: float
    bend_mm: float

    @property
    def volume_ml(self) -> float:
        """Exact volume."""
        return 4 / 3 * np.pi * float(np.prod(self.half_mm)) * (1 + self.taper**2 / 5) / 1000

    def level(self, z: NDArray[np.floating], y: NDArray[np.floating], x: NDArray[np.floating]) -> NDArray[np.floating]:
        """At most 1 inside, more outside; arguments in mm, broadcast against each other."""
        (cz, cy, cx), (hz, hy, hx) = self.center_mm, self.half_mm
        u = (x - cx) / hx
        thickness = np.maximum(1 - self.taper * u, 1e-6)
        v = (y - cy - self.bend_mm * u**2) / (hy * thickness)
        w = (z - cz - self.tilt * hx * u) / (hz * thickness)
        return np.asarray(u**2 + v**2 + w**2)

    def inside(self, grid: Grid) -> tuple[Box, NDArray[np.bool_]]:
        """The shape's box on the grid and which of its voxels lie inside."""
        (cz, cy, cx), (hz, hy, hx) = self.center_mm, self.half_mm
        grown = 1 + self.taper
        reach_z, reach_y = hz * grown + abs(self.tilt) * hx, hy * grown + abs(self.bend_mm)
        box = grid.box((cz - reach_z, cy - reach_y, cx - hx), (cz + reach_z, cy + reach_y, cx + hx))
        return box, self.level(*grid.axes(box)) <= 1


def paint(image: NDArray[np.generic], grid: Grid, shape: Ellipsoid | Tube | TaperedEllipsoid, value: float) -> None:
    """Give the voxels inside a shape a value.

    Args:
        image: (D, H, W) on ``grid``, changed in place.
        grid: The voxel centres.
        shape: What to draw.
        value: Its value.
    """
    box, inside = shape.inside(grid)
    image[box][inside] = value
