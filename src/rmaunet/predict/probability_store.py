"""Probabilities of a scan kept in little memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeptMaps"]

LEAST = 0.05
Box = tuple[slice, slice]


class KeptMaps:
    """Probabilities of a scan, kept in 8 bits where they matter. Hand :meth:`watch` to ``Predictor.predict``.

    Args:
        shape: (D, H, W) of the axial orientation.
        lowest: Probabilities up to here may be forgotten.
    """

    def __init__(self, shape: Sequence[int], *, lowest: float = LEAST) -> None:
        self.shape = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.lowest = lowest
        self._kept: dict[int, tuple[Box, NDArray[np.uint8]]] = {}

    def watch(self, index: int, maps: NDArray[np.float32]) -> None:
        """Keep one slice.

        Args:
            index: Of the axial slice.
            maps: Probabilities (2, H, W) of liver (with tumor) and tumor in [0, 1].
        """
        found: NDArray[np.bool_] = np.any(maps > self.lowest, axis=0)
        rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
        if rows.size:
            box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
            self._kept[index] = box, np.rint(maps[:, box[0], box[1]] * 255).astype(np.uint8)

    def plane(self, index: int) -> NDArray[np.float32]:
        """Probabilities (2, H, W) of a slice as far as they were kept, within 1/510; 0 elsewhere."""
        maps = np.zeros((2, *self.shape[1:]), np.float32)
        if index in self._kept:
            (rows, columns), kept = self._kept[index]
            maps[:, rows, columns] = kept / np.float32(255)
        return maps

    def slices(self, margin: int = 0) -> range:
        """From the first slice with anything kept to the last, and ``margin`` slices beyond, within the scan."""
        if not self._kept:
            return range(0)
        return range(max(0, min(self._kept) - margin), min(self.shape[0], max(self._kept) + margin + 1))
