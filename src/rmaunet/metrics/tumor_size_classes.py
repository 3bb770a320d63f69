"""Results by the size of the tumor: one mean over all cases hides that small tumors are the hard ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rmaunet.metrics.case_summary import Summary, summarize

__all__ = ["TUMOR_ML", "Stratum", "stratify"]

TUMOR_ML = (0.0, 1.0, 5.0, 20.0, math.inf)
"""Bounds of the classes of a case's tumor volume: 1 ml is a ball of 12 mm, 5 ml of 21 mm, 20 ml of 34 mm."""


@dataclass(frozen=True)
class Stratum:
    """The cases whose tumor volume lies in one class.

    Attributes:
        low_ml: Above this volume.
        high_ml: Up to and with this volume.
        cases: Their names.
        summary: Of the metric over them.
    """

    low_ml: float
    high_ml: float
    cases: tuple[str, ...]
    summary: Summary

    @property
    def words(self) -> str:
        """The class as tables print it."""
        return f"{self.low_ml:g} to {self.high_ml:g} ml" if math.isfinite(self.high_ml) else f"> {self.low_ml:g} ml"


def stratify(
    values: Mapping[str, float],
    tumor_ml: Mapping[str, float],
    *,
    metric: str = "tumor_dice",
    bounds: tuple[float, ...] = TUMOR_ML,
) -> list[Stratum]:
    """Split cases by the reference's tumor volume.

    Args:
        values: Case to the metric's value.
        tumor_ml: Case to tumor volume in the reference, ml; a case at 0 or not named is in no class.
        metric: What the values are.
        bounds: Rising volumes in ml.

    Returns:
        One stratum a class, empty ones too.

    Example:
        >>> strata = stratify({"a": 0.2, "b": 0.8, "c": 0.9}, {"a": 0.5, "b": 30.0, "c": 20.0})
        >>> [(s.words, s.cases) for s in strata if s.cases]
        [('0 to 1 ml', ('a',)), ('5 to 20 ml', ('c',)), ('> 20 ml', ('b',))]
    """
    found = []
    for low, high in itertools.pairwise(bounds):
        names = tuple(name for name in values if low < tumor_ml.get(name, 0.0) <= high)
        found.append(Stratum(low, high, names, summarize(metric, [values[name] for name in names])))
    return found
