"""Where a patch smaller than the slice is cut: a pure function of (seed, position), like everything drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import liver_mask, tumor_mask

__all__ = ["focus"]

ON_TUMOR, ON_LIVER = 0.7, 0.85
"""Where a slice has them: share of patches that show a pixel of tumor; of the others, share that show one of liver."""

REACH = 0.35
"""How far from the patch's middle, as a share of its side, the pixel to be shown may lie along each axis."""


def focus(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    extent: tuple[float, float],
    seed: int,
    position: int,
) -> tuple[float, float]:
    """Middle of a patch that shows tumor or liver, where the slice has any, at a random place in the patch.

    Args:
        image: (H, W), stored intensities; 0 is air and fat.
        labels: (H, W) in {0, 1, 2}.
        extent: (rows, columns) of the slice that the patch covers.
        seed: Of the run.
        position: Of the slice in the run.

    Returns:
        (row, column) in pixels of the slice. The patch stays within the slice along an axis where it is smaller, and is
        centred where it is not.
    """
    rng = np.random.default_rng((seed, 4, position))
    tumor_chance, liver_chance, choice, *jitter = rng.random(5)
    wanted: NDArray[np.bool_] = tumor_mask(labels)
    if not (wanted.any() and tumor_chance < ON_TUMOR):
        wanted = liver_mask(labels)
        if not (wanted.any() and liver_chance < ON_LIVER):
            wanted = image > 0
    pixels = np.flatnonzero(wanted)
    if len(pixels):
        row, column = divmod(int(pixels[int(choice * len(pixels))]), labels.shape[1])
    else:
        row, column = labels.shape[0] // 2, labels.shape[1] // 2
    middle = [
        _within(place + REACH * (2 * share - 1) * side, side, whole)
        for place, share, side, whole in zip((row, column), jitter, extent, labels.shape, strict=True)
    ]
    return middle[0], middle[1]


def _within(place: float, side: float, whole: int) -> float:
    """``place`` moved so that ``side`` around it lies within ``whole`` pixels; the middle if it cannot."""
    if side >= whole:
        return (whole - 1) / 2
    return float(np.clip(place, (side - 1) / 2, whole - 1 - (side - 1) / 2))
