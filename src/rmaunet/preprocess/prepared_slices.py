"""A CT as the network sees it, slab by slab, and the way back to the CT's own grid.

Nothing of the scan's size is copied: slices are resampled and windowed when they are asked for, so that a scan of any
length needs the memory of its HU values and of one slab.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from highdicom import VolumeGeometry
from numpy.typing import NDArray

from rmaunet.core.volume import Volume, axial, to_grid
from rmaunet.preprocess.hu_window import window
from rmaunet.preprocess.preprocess_settings import Preprocessing
from rmaunet.preprocess.slice_grid import MULTIPLE, Box, Grid, plan_grid

__all__ = ["Prepared", "prepare", "restore"]

AIR_HU = -1024


@dataclass(frozen=True)
class Prepared:
    """A CT ready for the network.

    Attributes:
        ct: The CT in axial orientation, HU (a view of the source where possible).
        settings: What was asked for.
        grid: In-plane way to the network's canvas and back.
        source: The source's own grid.
        offsets: Slice offsets of the channels, e.g. (-1, 0, 1).
    """

    ct: Volume
    settings: Preprocessing
    grid: Grid
    source: VolumeGeometry
    offsets: tuple[int, ...]

    def __len__(self) -> int:
        """Number of slices."""
        return int(self.ct.spatial_shape[0])

    def slices(self, start: int, stop: int) -> NDArray[np.float32]:
        """Slices ``start`` to ``stop`` (exclusive) as the network's input; see :meth:`pick`."""
        return self.pick(range(start, stop))

    def pick(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Chosen slices as the network's input.

        Args:
            indices: Of slices, each in ``range(len(self))``, in any order.

        Returns:
            float32 (n, C, rows, columns) in [-1, 1]; beyond the scan's ends the end slice repeats.
        """
        index = np.asarray(indices)[:, None] + np.asarray(self.offsets)[None, :]
        wanted, place = np.unique(np.clip(index, 0, len(self) - 1), return_inverse=True)
        planes = np.stack([self._plane(int(z)) for z in wanted])
        if len(self.offsets) == 1 and np.array_equal(wanted, index[:, 0]):
            return planes[:, None]
        result: NDArray[np.float32] = planes[place.reshape(index.shape)]
        return result

    def _plane(self, z: int) -> NDArray[np.float32]:
        resampled = self.grid.forward(self.ct.array[z], fill=AIR_HU)
        return window(resampled, self.settings.window_hu)


def prepare(ct: Volume, settings: Preprocessing, *, liver: Box | None = None, multiple: int = MULTIPLE) -> Prepared:
    """Plan a CT's way to the network.

    Args:
        ct: (D, H, W), HU, any orientation.
        settings: Window, grid, neighbours.
        liver: (top, bottom, left, right) of the liver in pixels of the axial orientation, for the grid "liver".
        multiple: Of what the sides of the network's slice are multiples where the settings leave them open.

    Returns:
        The prepared CT; :func:`restore` leads back.

    Raises:
        ValueError: If the grid "liver" is asked for without the box.
    """
    upright = axial(ct)
    _, rows, columns = upright.spatial_shape
    dz, dy, dx = upright.spacing
    around = liver if settings.grid == "liver" else None
    grid = plan_grid((rows, columns), (dy, dx), settings, around=around, multiple=multiple)
    step = max(1, round(settings.context_mm / dz)) if settings.context_mm else 1
    k = settings.context_slices
    offsets = tuple(step * i for i in range(-k, k + 1))
    return Prepared(upright, settings, grid, ct.get_geometry(), offsets)


def restore(labels: NDArray[np.generic], prepared: Prepared) -> Volume:
    """Labels on the axial grid of ``prepared.ct`` as a volume on the CT's own grid.

    Args:
        labels: (D, H, W) in axial orientation, on the CT's own in-plane grid (see :meth:`Grid.backward`).
        prepared: The CT they belong to.

    Returns:
        Volume with exactly the CT's shape and affine.

    Raises:
        ValueError: If the shape is not that of ``prepared.ct``.
    """
    if tuple(labels.shape) != tuple(prepared.ct.spatial_shape):
        raise ValueError(f"labels {tuple(labels.shape)}: expected {tuple(prepared.ct.spatial_shape)}")
    return to_grid(prepared.ct.with_array(labels), prepared.source)
