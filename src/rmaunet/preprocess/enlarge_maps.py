"""Maps on the network's canvas to the source's pixels, only where they can exceed a threshold.

Interpolation between pixels never exceeds the largest of them: where the canvas is below a threshold all around, so is the
source's pixel. Most of a slice is, and most slices are altogether.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmaunet.preprocess.slice_grid import Grid

__all__ = ["Enlarger"]

Box = tuple[slice, slice]


@dataclass(frozen=True)
class _Taps:
    """For each source pixel along an axis: the canvas pixels before and after it, and the weight of the one after."""

    before: NDArray[np.intp]
    after: NDArray[np.intp]
    weight: NDArray[np.float32]

    @classmethod
    def between(cls, canvas: int, source: int) -> _Taps:
        place = (np.arange(source) + 0.5) * (canvas / source) - 0.5
        before = np.clip(np.floor(place), 0, canvas - 1)
        weight = np.clip(place - before, 0, 1)
        after = np.minimum(before + 1, canvas - 1)
        return cls(before.astype(np.intp), after.astype(np.intp), weight.astype(np.float32))

    def reached_by(self, first: int, stop: int) -> slice:
        """Source pixels that canvas pixels ``first`` to ``stop`` (exclusive) contribute to."""
        return slice(
            int(np.searchsorted(self.after, first, side="left")), int(np.searchsorted(self.before, stop, side="left"))
        )


class Enlarger:
    """The inverse of :meth:`Grid.forward` for one scan, prepared once.

    Args:
        grid: The scan's grid.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        top, bottom, left, right = grid.box
        size = (bottom - top, right - left)
        self._whole = size[0] < grid.resized[0] or size[1] < grid.resized[1]  # shrinks: area averages, not taps
        self._rows = _Taps.between(grid.resized[0], size[0])
        self._columns = _Taps.between(grid.resized[1], size[1])

    def above(self, maps: NDArray[np.float32], thresholds: tuple[float, ...]) -> tuple[Box, NDArray[np.float32]] | None:
        """The part of the source slice outside which every channel is at most its threshold.

        Args:
            maps: (C, canvas rows, canvas columns).
            thresholds: One a channel.

        Returns:
            Rows and columns of the source slice, and the maps there, float32 (C, rows, columns), equal to
            :meth:`Grid.backward`'s within rounding; None if no pixel can be above.
        """
        if self._whole:
            return (slice(0, self.grid.source[0]), slice(0, self.grid.source[1])), self.grid.backward(maps)
        row, column = self.grid.offset
        part = maps[:, row : row + self.grid.resized[0], column : column + self.grid.resized[1]]
        high = part[0] > thresholds[0]
        for channel, threshold in zip(part[1:], thresholds[1:], strict=True):
            high |= channel > threshold
        rows = np.flatnonzero(high.any(axis=1))
        if not rows.size:
            return None
        columns = np.flatnonzero(high[rows[0] : rows[-1] + 1].any(axis=0))
        return self._enlarged(
            part,
            self._rows.reached_by(int(rows[0]), int(rows[-1]) + 1),
            self._columns.reached_by(int(columns[0]), int(columns[-1]) + 1),
        )

    def _enlarged(
        self, part: NDArray[np.float32], rows: slice, columns: slice
    ) -> tuple[Box, NDArray[np.float32]] | None:
        top, _, left, _ = self.grid.box
        height, width = self.grid.source
        rows = slice(max(rows.start, -top), min(rows.stop, height - top))  # the box may reach beyond the slice
        columns = slice(max(columns.start, -left), min(columns.stop, width - left))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return None
        across, down = self._columns, self._rows
        low, high = int(across.before[columns.start]), int(across.after[columns.stop - 1]) + 1
        upper = part[:, down.before[rows], low:high]
        upper += (part[:, down.after[rows], low:high] - upper) * down.weight[rows, None]
        result = upper[:, :, across.before[columns] - low]
        result += (upper[:, :, across.after[columns] - low] - result) * across.weight[columns]
        place = slice(rows.start + top, rows.stop + top), slice(columns.start + left, columns.stop + left)
        return place, result
