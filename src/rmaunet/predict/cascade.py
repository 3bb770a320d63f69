"""Where in a scan the second network looks: around the liver that the first one found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.volume.box import mask_box
from rmaunet.preprocess.slice_grid import Box

__all__ = ["REACH_MM", "Place", "liver_place"]

REACH_MM = 20.0
"""Beyond the first and the last slice with liver: the first network may have missed its ends."""


@dataclass(frozen=True)
class Place:
    """A part of a scan in axial orientation.

    Attributes:
        slices: To be looked at.
        box: (top, bottom, left, right) around the liver in pixels, half open.
    """

    slices: range
    box: Box


def liver_place(labels: NDArray[np.uint8], *, slice_mm: float) -> Place | None:
    """Where the liver is.

    Args:
        labels: (D, H, W), axial, {0, 1, 2}.
        slice_mm: Distance between slices.

    Returns:
        The slices within ``REACH_MM`` of the liver and its box; None if there is no liver.
    """
    box = mask_box(labels)
    if box is None:
        return None
    z, rows, columns = box
    reach = math.ceil(REACH_MM / slice_mm)
    slices = range(max(0, z.start - reach), min(len(labels), z.stop + reach))
    return Place(slices, (rows.start, rows.stop, columns.start, columns.stop))
