"""The reliability plot: what share of the voxels given a probability are what was promised."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rmaunet.core.colors import LIVER_RGB, TUMOR_RGB, hexadecimal
from rmaunet.core.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "read_reliability", "reliability_figure"]

COLORS = {"liver": LIVER_RGB, "tumor": TUMOR_RGB}
LEAST_VOXELS = 50
"""A bin of fewer voxels in a case says nothing and is not drawn for that case."""


@dataclass(frozen=True)
class Curve:
    """Bins of one target in one population of voxels, cases by rows.

    Attributes:
        target: "liver" or "tumor".
        population: Which voxels, e.g. "box".
        voxels: (cases, bins).
        positives: Likewise.
        probability: Likewise, sums of probabilities.
    """

    target: str
    population: str
    voxels: NDArray[np.float64]
    positives: NDArray[np.float64]
    probability: NDArray[np.float64]

    @property
    def pooled_error(self) -> float:
        """Expected calibration error over the voxels of all cases together."""
        gaps = np.abs(self.positives.sum(axis=0) - self.probability.sum(axis=0))
        return float(gaps.sum() / self.voxels.sum())

    @property
    def case_errors(self) -> NDArray[np.float64]:
        """Expected calibration error of each case."""
        return np.asarray(np.abs(self.positives - self.probability).sum(axis=1) / self.voxels.sum(axis=1))


def read_reliability(path: Path) -> list[Curve]:
    """Read the bins that ``lab/benchmarks/calibration.py`` writes.

    Args:
        path: Its reliability.csv.

    Returns:
        One curve per target and population, in the file's order.

    Raises:
        InputError: If it cannot be read or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        keys = list(dict.fromkeys((row["target"], row["population"]) for row in rows))
        return [_curve(key, [row for row in rows if (row["target"], row["population"]) == key]) for key in keys]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError) as error:
        raise InputError(path, "table", None, f"cannot be read ({error})", "give a reliability.csv") from error


def _curve(key: tuple[str, str], rows: Sequence[Mapping[str, str]]) -> Curve:
    cases = list(dict.fromkeys(row["case"] for row in rows))
    bins = len(rows) // len(cases)
    voxels, positives = (
        np.array([float(row[name]) for row in rows]).reshape(len(cases), bins) for name in ("voxels", "positives")
    )
    means = np.array([float(row["mean_probability"] or 0) for row in rows]).reshape(len(cases), bins)
    return Curve(*key, voxels, positives, means * voxels)


def reliability_figure(curves: Sequence[Curve]) -> Figure:
    """One panel per curve: all voxels (thick), each case (thin), and the number of voxels per bin.

    Args:
        curves: From :func:`read_reliability`.

    Returns:
        The figure. On the diagonal a probability is what it says; below it, it promises too much.
    """
    figure = Figure(figsize=(3.5 * len(curves), 4.4), layout="constrained")
    axes = figure.subplots(2, len(curves), squeeze=False, height_ratios=(4, 1), sharex=True)
    for curve, (above, below) in zip(curves, axes.T, strict=True):
        color = hexadecimal(COLORS[curve.target])
        above.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="dashed")
        for voxels, positives, probability in zip(curve.voxels, curve.positives, curve.probability, strict=True):
            _line(above, voxels, positives, probability, color="0.65", linewidth=0.7)
        pooled = [part.sum(axis=0) for part in (curve.voxels, curve.positives, curve.probability)]
        _line(above, *pooled, color=color, linewidth=2.2, marker="o", markersize=4, markeredgecolor="black")
        where = "box of the liver" if curve.population == "box" else "inside the liver"
        above.set_title(f"{curve.target}, {where} (n = {len(curve.voxels)})", fontsize=10)
        words = f"ECE {curve.pooled_error:.3f} pooled\n{np.mean(curve.case_errors):.3f} mean of cases"
        above.text(0.04, 0.96, words, transform=above.transAxes, va="top", fontsize=8.5)
        above.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        above.grid(alpha=0.3)
        bins = len(pooled[0])
        below.bar((np.arange(bins) + 0.5) / bins, np.maximum(pooled[0], 0.5), width=0.9 / bins, color=color)
        below.set(yscale="log", xlabel="predicted probability")
    axes[0][0].set_ylabel("share in the reference")
    axes[1][0].set_ylabel("voxels")
    return figure


def _line(
    ax: Axes,
    voxels: NDArray[np.float64],
    positives: NDArray[np.float64],
    probability: NDArray[np.float64],
    **style: float | str,
) -> None:
    keep = voxels >= LEAST_VOXELS
    ax.plot(probability[keep] / voxels[keep], positives[keep] / voxels[keep], **style)  # type: ignore[arg-type]
