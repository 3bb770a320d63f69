"""Which slices a figure shows: by rule, so that nobody picks the flattering ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.core.labels import tumor_mask
from rmaunet.core.volume import axial
from rmaunet.datasets.case import Case
from rmaunet.datasets.load_case import load_case

__all__ = ["RULE", "Chosen", "choose_slices", "spread"]

RULE = (
    "of each test case with a tumor the axial slice with the largest tumor area; cases ranked by that area; taken at evenly "
    "spaced ranks, the median for one"
)
"""The rule in words."""


@dataclass(frozen=True)
class Chosen:
    """A slice to show.

    Attributes:
        case: Whose.
        index: Axial, counted from the feet, from 0.
        area_mm2: Tumor area on it.
    """

    case: Case
    index: int
    area_mm2: float


def spread(count: int, of: int) -> list[int]:
    """``count`` ranks spread evenly over ``of``: the middles of equal parts.

    Example:
        >>> spread(1, 7), spread(3, 7), spread(9, 2)
        ([3], [1, 3, 5], [0, 1])
    """
    count = min(count, of)
    return [int((2 * i + 1) * of / (2 * count)) for i in range(count)]


def choose_slices(cases: Sequence[Case], count: int) -> list[Chosen]:
    """Slices of different cases by :data:`RULE`, from the smallest tumor area to the largest.

    Args:
        cases: Labelled test cases.
        count: How many; fewer if fewer cases have a tumor.

    Returns:
        The slices.

    Raises:
        InputError: If no case has a tumor, or one cannot be read.
    """
    largest = []
    for case in cases:
        _, mask = load_case(case)
        upright = axial(mask)
        areas = np.count_nonzero(tumor_mask(upright.array), axis=(1, 2))
        if areas.any():
            index = int(np.argmax(areas))
            pixel = float(upright.spacing[1] * upright.spacing[2])
            largest.append(Chosen(case, index, float(areas[index]) * pixel))
    if not largest:
        raise InputError("figure", "test cases with a tumor", 0, "there is nothing to show", "give cases with tumors")
    ranked = sorted(largest, key=lambda chosen: (chosen.area_mm2, chosen.case.name))
    return [ranked[rank] for rank in spread(count, len(ranked))]
