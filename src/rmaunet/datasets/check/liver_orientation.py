"""Does the patient lie as the header says? The liver and the bones tell, where the header cannot be trusted.

==========  ==========================================================================================================
left-right  the liver's center lies to the right of the body's
front-back  bone near the middle (the spine) lies behind the liver
head-feet   the liver's sections are largest in its upper half (dome above, tip below); judged on whole livers only
==========  ==========================================================================================================

Each score is positive where header and anatomy agree. The limits lie well below what 30 LiTS volumes of known orientation
score (left-right 0.57 to 0.89, front-back 0.05 to 1.6, head-feet 0.06 to 0.15); a score between the limits says nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import liver_mask
from rmaunet.core.volume import Volume, axial

__all__ = ["Evidence", "check_orientation"]

Axis = Literal["left-right", "front-back", "head-feet"]

LIMITS: dict[Axis, float] = {"left-right": 0.25, "front-back": 0.15, "head-feet": 0.04}
"""From this score on an axis is taken as right, from its negative on as reversed."""

_BONE_HU = 250.0
_TISSUE_HU = 0.0
_SIDE = 128
_LEAST_SLICES = 8
_CUT = 0.15
"""A liver whose section in the scan's first or last slice exceeds this share of its largest is not whole."""


@dataclass(frozen=True)
class Evidence:
    """What anatomy says of one axis.

    Attributes:
        axis: Which.
        score: Positive where the header is right; NaN where nothing can be said.
        verdict: "right", "reversed" or "unclear".
    """

    axis: Axis
    score: float
    verdict: Literal["right", "reversed", "unclear"]


def check_orientation(ct: Volume, mask: Volume) -> tuple[Evidence, Evidence, Evidence]:
    """Judge the three axes.

    Args:
        ct: HU (clipped is enough), any orientation.
        mask: Labels 0, 1, 2 on the same grid.

    Returns:
        Left-right, front-back, head-feet.
    """
    image: NDArray[Any] = axial(ct).array
    labels = axial(mask).array
    step = max(1, image.shape[1] // _SIDE), max(1, image.shape[2] // _SIDE)
    image, liver = image[:, :: step[0], :: step[1]], liver_mask(labels[:, :: step[0], :: step[1]])
    areas = liver.sum(axis=(1, 2)).astype(float)
    seen = np.flatnonzero(areas)
    if len(seen) < _LEAST_SLICES:
        return _evidence("left-right", math.nan), _evidence("front-back", math.nan), _evidence("head-feet", math.nan)
    part = slice(int(seen[0]), int(seen[-1]) + 1)
    side, depth = _in_plane(image[part], liver[part])
    cut = max(areas[0], areas[-1]) > _CUT * areas.max()
    return (
        _evidence("left-right", side),
        _evidence("front-back", depth),
        _evidence("head-feet", math.nan if cut else _top_heavy(areas[part])),
    )


def _evidence(axis: Axis, score: float) -> Evidence:
    limit = LIMITS[axis]
    verdict: Literal["right", "reversed", "unclear"] = "unclear"
    if abs(score) >= limit:  # False for NaN
        verdict = "right" if score > 0 else "reversed"
    return Evidence(axis, score, verdict)


def _in_plane(image: NDArray[Any], liver: NDArray[np.bool_]) -> tuple[float, float]:
    """How far the liver lies to the right of the tissue, and the bones near the middle behind the liver, in tissue SDs."""
    _, rows, columns = np.nonzero(image > _TISSUE_HU)
    if not len(rows) or rows.std() == 0 or columns.std() == 0:
        return math.nan, math.nan
    middle, width = float(columns.mean()), float(columns.std())
    _, liver_rows, liver_columns = np.nonzero(liver)
    side = (middle - float(liver_columns.mean())) / width
    highest = float(image.max())
    _, bone_rows, bone_columns = np.nonzero(image >= min(_BONE_HU, highest - 2))  # clipped data: what reaches the top
    near = np.abs(bone_columns - middle) < 0.5 * width
    if not near.any():
        return side, math.nan
    return side, float(bone_rows[near].mean() - liver_rows.mean()) / float(rows.std())


def _top_heavy(areas: NDArray[np.float64]) -> float:
    """The center of the sections' areas above the middle of the liver's height, as a share of that height."""
    place = np.linspace(-0.5, 0.5, len(areas))
    return float((place * areas).sum() / areas.sum())
