"""Calibration: do 70 % of the voxels with probability 0.7 belong to the target?

Voxels are counted into bins of equal width as they stream by; nothing of a volume's size is kept.

Reference: Guo et al. 2017, "On calibration of modern neural networks" (expected calibration error); Brier 1950,
"Verification of forecasts expressed in terms of probability".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "Reliability"]

BINS = 20


def _zeros() -> NDArray[np.float64]:
    return np.zeros(BINS)


@dataclass
class Reliability:
    """Counts by bin of probability; bin k holds [k / 20, (k + 1) / 20), the last one 1 too.

    Attributes:
        voxels: How many.
        positives: Voxels that belong to the target in the reference.
        probability: Sum of their probabilities.
        squares: Sum of (probability - truth)^2.

    Example:
        >>> found = Reliability()
        >>> found.add(np.array([0.8, 0.8, 0.8, 0.8, 0.8]), np.array([1, 1, 1, 1, 0], bool))
        >>> round(found.ece, 6), round(found.brier, 6)
        (0.0, 0.16)
    """

    voxels: NDArray[np.float64] = field(default_factory=_zeros)
    positives: NDArray[np.float64] = field(default_factory=_zeros)
    probability: NDArray[np.float64] = field(default_factory=_zeros)
    squares: NDArray[np.float64] = field(default_factory=_zeros)

    def add(self, probabilities: NDArray[np.floating], truth: NDArray[np.bool_]) -> None:
        """Count voxels.

        Args:
            probabilities: In [0, 1], any shape.
            truth: Reference, same shape.

        Raises:
            ValueError: If the shapes differ or a probability is outside [0, 1].
        """
        p, y = np.asarray(probabilities, np.float64).ravel(), np.asarray(truth, bool).ravel()
        if p.shape != y.shape:
            raise ValueError(f"{p.size} probabilities, {y.size} truths: give as many")
        if p.size and not (p.min() >= 0 and p.max() <= 1):  # NaN compares False
            raise ValueError(f"probabilities from {p.min()} to {p.max()}: must lie in [0, 1]")
        at = np.minimum((p * BINS).astype(np.int64), BINS - 1)
        for total, weights in (
            (self.voxels, None), (self.positives, y), (self.probability, p), (self.squares, (p - y) ** 2),
        ):  # fmt: skip
            total += np.bincount(at, weights=weights, minlength=BINS)

    @property
    def brier(self) -> float:
        """Mean of (probability - truth)^2 over all voxels; NaN without voxels."""
        total = float(self.voxels.sum())
        return float(self.squares.sum()) / total if total else math.nan

    @property
    def ece(self) -> float:
        """Expected calibration error: the bins' |share of positives - mean probability|, weighted by their voxels."""
        return self.error_of(slice(None))

    def error_of(self, bins: slice) -> float:
        """The calibration error over some bins only, e.g. ``slice(1, None)`` for probabilities from 0.05 on.

        Args:
            bins: Which.

        Returns:
            In [0, 1]; NaN without voxels there.
        """
        total = float(self.voxels[bins].sum())
        return float(np.abs(self.positives[bins] - self.probability[bins]).sum()) / total if total else math.nan

    def rows(self) -> list[dict[str, Any]]:
        """One row a bin: low, high, voxels, positives, mean_probability, share (the last two NaN if it is empty)."""
        made = []
        for k in range(BINS):
            n = self.voxels[k]
            made.append(
                {
                    "low": k / BINS, "high": (k + 1) / BINS, "voxels": int(n), "positives": int(self.positives[k]),
                    "mean_probability": float(self.probability[k] / n) if n else math.nan,
                    "share": float(self.positives[k] / n) if n else math.nan,
                }
            )  # fmt: skip
        return made
