"""In-plane resampling of axial slices to the network's grid, and back.

A :class:`Grid` is a box of the source slice, the size it is resized to, and where that lies on the network's canvas.
Both directions are here so that one cannot change without the other. Pixel centres follow the half-pixel convention of
``cv2.resize``: the box's edges map to the resized image's edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.preprocess.preprocess_settings import Preprocessing

__all__ = ["MULTIPLE", "Box", "Grid", "plan_grid"]

MULTIPLE = 16  # four poolings
MARGIN_MM = 15.0
"""Around the liver's box: whoever found it may have missed an edge."""
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Grid:
    """How a source slice lies on the network's canvas.

    Attributes:
        source: (rows, columns) of the source slice.
        box: (top, bottom, left, right) of the part taken, in source pixels; may reach beyond the slice.
        resized: (rows, columns) of that part after resampling.
        canvas: (rows, columns) the network sees, multiples of 16 or of what the network asks for.
        offset: (row, column) of the resampled part's first pixel on the canvas.
    """

    source: tuple[int, int]
    box: Box
    resized: tuple[int, int]
    canvas: tuple[int, int]
    offset: tuple[int, int]

    def forward(self, image: NDArray[np.generic], *, fill: float, nearest: bool = False) -> NDArray[np.generic]:
        """Bring a source slice onto the canvas.

        Args:
            image: (rows, columns), any type that OpenCV resamples (uint8, int16, float32), others go through float32.
            fill: Value outside the source.
            nearest: For labels: no new values appear.

        Returns:
            (canvas rows, canvas columns), the type given.
        """
        top, bottom, left, right = self.box
        part = _crop(image, self.box, fill)
        if (bottom - top, right - left) != self.resized:
            part = _resize(part, self.resized, nearest=nearest)
        if self.resized == self.canvas:
            return part
        canvas = np.full(self.canvas, fill, dtype=part.dtype)
        row, column = self.offset
        canvas[row : row + self.resized[0], column : column + self.resized[1]] = part
        return canvas

    def backward(self, maps: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring maps on the canvas back to the source slice by linear interpolation; 0 outside the box.

        Args:
            maps: (C, canvas rows, canvas columns), e.g. probabilities.

        Returns:
            (C, rows, columns) on the source grid.
        """
        top, bottom, left, right = self.box
        row, column = self.offset
        part = maps[:, row : row + self.resized[0], column : column + self.resized[1]]
        height, width = bottom - top, right - left
        if (height, width) != self.resized:
            part = np.stack([_resize(channel, (height, width)) for channel in part])
        if self.box == (0, self.source[0], 0, self.source[1]):
            return np.ascontiguousarray(part, dtype=np.float32)
        result = np.zeros((maps.shape[0], *self.source), np.float32)
        r0, r1, c0, c1 = max(top, 0), min(bottom, self.source[0]), max(left, 0), min(right, self.source[1])
        result[:, r0:r1, c0:c1] = part[:, r0 - top : r1 - top, c0 - left : c1 - left]
        return result


def _crop(image: NDArray[np.generic], box: Box, fill: float) -> NDArray[np.generic]:
    top, bottom, left, right = box
    rows, columns = image.shape
    if top >= 0 and bottom <= rows and left >= 0 and right <= columns:
        return image[top:bottom, left:right]
    part = np.full((bottom - top, right - left), fill, dtype=image.dtype)
    r0, r1, c0, c1 = max(top, 0), min(bottom, rows), max(left, 0), min(right, columns)
    part[r0 - top : r1 - top, c0 - left : c1 - left] = image[r0:r1, c0:c1]
    return part


def _resize(image: NDArray[np.generic], size: tuple[int, int], *, nearest: bool = False) -> NDArray[np.generic]:
    """Resample; area average where it shrinks (no aliasing), linear where it grows."""
    rows, columns = size
    kept = image.dtype
    if kept not in (np.uint8, np.int16, np.uint16, np.float32):
        image = image.astype(np.float32)
    shrinks = rows < image.shape[0] or columns < image.shape[1]
    method = cv2.INTER_NEAREST_EXACT if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: NDArray[np.generic] = cv2.resize(np.ascontiguousarray(image), (columns, rows), interpolation=method)
    return resized.reshape(size).astype(kept, copy=False)


def plan_grid(
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    settings: Preprocessing,
    *,
    around: Box | None = None,
    multiple: int = MULTIPLE,
) -> Grid:
    """Where a slice of this shape and spacing comes to lie on the network's canvas.

    Args:
        shape: (rows, columns) of the source slice.
        spacing_mm: (row, column) spacing of the source.
        settings: What is wanted.
        around: Box around the liver, for the grid "liver".
        multiple: Of what the canvas's sides are multiples where the settings leave them open: what the network asks for.

    Returns:
        The plan. Pixels on the canvas are square in mm, whatever the source's were.

    Raises:
        ValueError: If the box that the grid needs is not given.
    """
    rows, columns = shape
    dy, dx = spacing_mm
    if settings.grid == "centre_crop":
        top, left = (rows - settings.size) // 2, (columns - settings.size) // 2
        size = (settings.size, settings.size)
        return Grid(shape, (top, top + settings.size, left, left + settings.size), size, size, (0, 0))
    if settings.grid == "liver" and around is None:
        raise ValueError(f"grid = {settings.grid!r}: needs a box")
    box: Box = around or (0, rows, 0, columns)
    if settings.grid == "liver":
        top, bottom, canvas_rows = _around(box[0], box[1], dy, settings, multiple)
        left, right, canvas_columns = _around(box[2], box[3], dx, settings, multiple)
        canvas = (canvas_rows, canvas_columns)
        return Grid(shape, (top, bottom, left, right), canvas, canvas, (0, 0))
    height_mm, width_mm = (box[1] - box[0]) * dy, (box[3] - box[2]) * dx
    pixel_mm = settings.spacing_mm if settings.grid == "spacing" else max(height_mm, width_mm) / settings.size
    resized = (max(1, round(height_mm / pixel_mm)), max(1, round(width_mm / pixel_mm)))
    if settings.grid == "spacing":
        canvas = (-(-resized[0] // multiple) * multiple, -(-resized[1] // multiple) * multiple)
    else:
        canvas = (settings.size, settings.size)
    offset = ((canvas[0] - resized[0]) // 2, (canvas[1] - resized[1]) // 2)
    return Grid(shape, box, resized, canvas, offset)


def _around(first: int, stop: int, step_mm: float, settings: Preprocessing, multiple: int) -> tuple[int, int, int]:
    """Source pixels and canvas pixels along one axis: the liver's with ``MARGIN_MM``, at least ``size`` on the canvas."""
    wanted_mm = (stop - first) * step_mm + 2 * MARGIN_MM
    pixels = max(settings.size, math.ceil(wanted_mm / settings.spacing_mm / multiple) * multiple)
    extent = max(1, round(pixels * settings.spacing_mm / step_mm))
    start = round((first + stop - extent) / 2)
    return start, start + extent, pixels
