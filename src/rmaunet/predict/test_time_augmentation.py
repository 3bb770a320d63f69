"""Test-time augmentation: a runtime that turns, scales or shifts what it is given, and turns the answer back.

Which changes make sense follows from anatomy and from training. The released weights never saw a flipped slice, since
the side tells liver from spleen and the front tells liver from kidney: a flip asks them about patients that do not
exist, and its answer says nothing of this one. They did see slices turned by up to 20 degrees, scaled by 0.7 to 1.4 and
shifted; :data:`WARPS` stay well inside of that. So the passes differ as much as another position on the table, another
field of view or another pixel grid would make them differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.runtimes.runtime import Runtime

__all__ = ["WARPS", "Warp", "Warped"]

Maps = NDArray[np.float32]


@dataclass(frozen=True)
class Warp:
    """A change of axial slices about their middle, the same for each.

    Attributes:
        name: For tables, e.g. "rotated 8 degrees".
        rotation_degrees: Counterclockwise as displayed.
        scale: Above 1 the patient is larger.
        shift: Pixels down and to the right on the network's grid, after rotation and scale.
    """

    name: str
    rotation_degrees: float = 0.0
    scale: float = 1.0
    shift: tuple[int, int] = (0, 0)

    def forward(self, slab: Maps) -> Maps:
        """Change slices; what comes in from beyond the border has the darkest value of the slab, as air has.

        Args:
            slab: (N, C, H, W).

        Returns:
            Of the same shape, linearly interpolated; a whole shift alone is exact.
        """
        return _warp(slab, self._matrix(slab.shape[2:]), float(slab.min()))

    def backward(self, maps: Maps) -> Maps:
        """Undo :meth:`forward` for what the network answered; 0 where nothing is known.

        Args:
            maps: Probabilities (N, C, H, W).

        Returns:
            Of the same shape.
        """
        back = np.asarray(cv2.invertAffineTransform(self._matrix(maps.shape[2:])), np.float64)
        return _warp(maps, back, 0.0)

    def _matrix(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        height, width = shape
        middle = ((width - 1) / 2, (height - 1) / 2)
        matrix = np.asarray(cv2.getRotationMatrix2D(middle, self.rotation_degrees, self.scale), np.float64)
        matrix[:, 2] += self.shift[1], self.shift[0]
        return matrix


WARPS = (
    Warp("rotated by 8 degrees", rotation_degrees=8.0),
    Warp("rotated by -8 degrees", rotation_degrees=-8.0),
    Warp("scaled by 0.92", scale=0.92),
    Warp("scaled by 1.08", scale=1.08),
    Warp("shifted by 5 pixels", shift=(5, 5)),  # no multiple of 16: the network's poolings fall elsewhere
)
"""The passes of :mod:`rmaunet.predict.uncertainty`."""


@dataclass(frozen=True)
class Warped:
    """A runtime that sees the slices warped.

    Attributes:
        inner: Runtime that computes the probabilities.
        warp: Applied to slices, and undone for probabilities.
    """

    inner: Runtime
    warp: Warp

    @property
    def name(self) -> str:
        """Name of the inner runtime."""
        return self.inner.name

    @property
    def precision(self) -> str:
        """Precision of the inner runtime."""
        return self.inner.precision

    @property
    def device(self) -> str:
        """Device of the inner runtime."""
        return self.inner.device

    def __call__(self, slab: Maps) -> Maps:
        """Probabilities (N, 2, H, W) on the slab's own grid, of prepared slices (N, C, H, W)."""
        return self.warp.backward(self.inner(self.warp.forward(slab)))


def _warp(planes: Maps, matrix: NDArray[np.float64], fill: float) -> Maps:
    height, width = planes.shape[2:]
    made = np.empty(planes.shape, np.float32)
    for place in np.ndindex(planes.shape[:2]):
        made[place] = cv2.warpAffine(
            np.ascontiguousarray(planes[place]),
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=fill,
        )
    return made
