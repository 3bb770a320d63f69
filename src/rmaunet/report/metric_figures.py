"""Figures for papers from evaluate's cases.csv: box plots, agreement of volumes, Dice by size."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rmaunet.core.errors import InputError, UsageError
from rmaunet.metrics.bland_altman import bland_altman
from rmaunet.report.colors import LIVER_RGB, TUMOR_RGB, hexadecimal

__all__ = ["Cases", "agreement_figure", "box_figure", "read_cases", "size_figure"]

Cases = Mapping[str, NDArray[np.float64]]
"""Column of a cases.csv to its numbers, one a case, NaN where the cell is empty."""

LEAST_BOX = 5
"""Fewer cases than this have no quartiles worth a box: only their median is drawn."""
ACRONYMS = ("voe", "rvd", "assd", "rmsd", "msd", "hd95")
ORGANS = {"liver": LIVER_RGB, "tumor": TUMOR_RGB}
SIZES_ML = (0.0, 1.0, 5.0, 20.0, math.inf)
"""Bounds of the classes of tumor volume a case: below 1 ml is a ball of 12 mm, 5 ml of 21 mm, 20 ml of 34 mm."""


def read_cases(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read the numbers of a cases.csv.

    Args:
        path: The table ``rmaunet evaluate`` writes, a row a case.

    Returns:
        Column to values; columns of words are left out.

    Raises:
        InputError: If it cannot be read or holds no case.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, "table", None, f"cannot be read ({error})", "give evaluate's cases.csv") from error
    if not rows or "liver_dice" not in rows[0]:
        raise InputError(path, "columns", None, "hold no cases of an evaluation", "give evaluate's cases.csv")
    found = {}
    for name in rows[0]:
        try:
            found[name] = np.array([float(row[name] or "nan") for row in rows])
        except (TypeError, ValueError):
            continue  # a name, a convention, True and False
    return found


def box_figure(series: Mapping[str, Cases], metric: str = "dice") -> Figure:
    """Box plots of a metric per case, liver and tumor side by side, one box a method.

    The box spans the quartiles, the line is the median, whiskers reach the farthest case within 1.5 times the box;
    every case is a dot. Undefined cases are left out and counted below (n).

    Args:
        series: Method's name to its cases.
        metric: A column without its organ, e.g. "dice", "voe", "hd95_pooled_mm".

    Returns:
        The figure.

    Raises:
        UsageError: If there is no method.
        InputError: If a table lacks the metric.
    """
    if not series:
        raise UsageError("figures", "tables", None, "are none", "give at least one cases.csv")
    figure = Figure(figsize=(1.8 + 1.5 * len(series) * len(ORGANS), 3.6), layout="constrained")
    axes = figure.subplots(1, len(ORGANS), squeeze=False)[0]
    for ax, (organ, rgb) in zip(axes, ORGANS.items(), strict=True):
        values = [_column(name, cases, f"{organ}_{metric}") for name, cases in series.items()]
        values = [v[np.isfinite(v)] for v in values]
        ax.boxplot(values, widths=0.5, showfliers=False, medianprops={"color": "black", "linewidth": 1.6})
        for place, found in enumerate(values, start=1):
            ax.plot(
                place + _spread(found), found, "o", ms=3.5, color=hexadecimal(rgb), mec="black", mew=0.3, clip_on=False
            )
        labels = [f"{name}\n(n = {len(v)})" for name, v in zip(series, values, strict=True)]
        ax.set_xticks(range(1, len(values) + 1), labels, parse_math=False)
        ax.set_title(organ)
        ax.set_ylabel(f"{_words(metric)}, per case")
        ax.grid(axis="y", alpha=0.3)
        if metric in ("dice", "jaccard", "surface_dice"):
            ax.set_ylim(top=1.0)
    return figure


def _words(metric: str) -> str:
    """A column's name as an axis says it.

    Example:
        >>> _words("hd95_pooled_mm"), _words("dice"), _words("rvd_lits")
        ('HD95 pooled (mm)', 'Dice', 'RVD LiTS')
    """
    known = {"mm": "(mm)", "dice": "Dice", "lits": "LiTS"} | {name: name.upper() for name in ACRONYMS}
    return " ".join(known.get(word, word) for word in metric.split("_"))


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fixed sideways places, so that equal values stay apart and the picture is the same each time."""
    steps = np.arange(len(values)) * 0.618034 % 1.0
    return np.asarray((steps - 0.5) * 0.36)


def agreement_figure(cases: Cases) -> Figure:
    """Bland-Altman plots of the volumes of liver and tumor: prediction minus reference over their mean.

    Args:
        cases: With liver_reference_ml, liver_prediction_ml and so for tumor.

    Returns:
        The figure; lines show bias and 95 % limits of agreement.

    Raises:
        InputError: If a column is missing.
    """
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for ax, (organ, rgb) in zip(figure.subplots(1, 2), ORGANS.items(), strict=True):
        one, other = (_column("cases.csv", cases, f"{organ}_{side}_ml") for side in ("reference", "prediction"))
        keep = np.isfinite(one + other)
        one, other = one[keep], other[keep]
        ax.plot((one + other) / 2, other - one, "o", ms=4, color=hexadecimal(rgb), mec="black", mew=0.4)
        found = bland_altman(one.tolist(), other.tolist())
        lines = (
            (found.bias, "-", "bias"),
            (found.lower_limit, "--", "−1.96 SD"),
            (found.upper_limit, "--", "+1.96 SD"),
        )
        for value, style, word in lines:
            if math.isfinite(value):
                ax.axhline(value, color="black", linestyle=style, linewidth=1)
                away = 1 if value >= 0 else -1  # from the line of no difference
                ax.annotate(
                    f"{word}: {value:+.1f} ml".replace("-", "−"), (1, value), xycoords=("axes fraction", "data"),
                    xytext=(-2, 2 * away), textcoords="offset points", ha="right",
                    va="bottom" if away > 0 else "top", fontsize=8,
                )  # fmt: skip
        ax.axhline(0, color="gray", linewidth=0.6)
        ax.set_title(f"{organ} (n = {len(one)})")
        ax.set_xlabel("mean of both volumes (ml)")
        ax.set_ylabel("prediction − reference (ml)")
        ax.grid(alpha=0.3)
        ax.margins(y=0.15)
    return figure


def size_figure(series: Mapping[str, Cases]) -> Figure:
    """Tumor dice per case by the reference's tumor volume: box plots in four classes of volume, one box a method.

    Args:
        series: Method's name to its cases.

    Returns:
        The figure; cases without tumor in the reference are left out. A class of fewer than five cases has no box, only
        its median.

    Raises:
        UsageError: If there is no method.
        InputError: If a column is missing.
    """
    if not series:
        raise UsageError("figures", "tables", None, "are none", "give at least one cases.csv")
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    ax = figure.subplots()
    classes = list(itertools.pairwise(SIZES_ML))
    counts = [0] * len(classes)
    width = 0.7 / len(series)
    handles = []
    for number, (name, cases) in enumerate(series.items()):
        dice, volume = _column(name, cases, "tumor_dice"), _column(name, cases, "tumor_reference_ml")
        inside = [dice[(volume > low) & (volume <= high) & np.isfinite(dice)] for low, high in classes]
        counts = [max(n, len(v)) for n, v in zip(counts, inside, strict=True)]
        places = [i + (number - (len(series) - 1) / 2) * width for i in range(len(classes))]
        shade = 0.92 - 0.4 * number / max(1, len(series) - 1) if len(series) > 1 else 0.75
        ax.boxplot(
            [found if len(found) >= LEAST_BOX else [] for found in inside], positions=places, widths=width * 0.85,
            showfliers=False, patch_artist=True, manage_ticks=False,
            boxprops={"facecolor": str(shade)}, medianprops={"color": "black", "linewidth": 1.6},
        )  # fmt: skip
        for place, found in zip(places, inside, strict=True):
            if 0 < len(found) < LEAST_BOX:
                ax.hlines(np.median(found), place - width * 0.42, place + width * 0.42, color="black", linewidth=1.6)
            ax.plot(
                place + _spread(found) * width, found, "o", ms=3.5, color=hexadecimal(TUMOR_RGB), mec="black", mew=0.3
            )
        handles.append(Line2D([], [], marker="s", linestyle="none", color=str(shade), mec="black", ms=9, label=name))
    names = [f"{low:g} to {high:g} ml" if math.isfinite(high) else f"over {low:g} ml" for low, high in classes]
    ax.set_xticks(range(len(classes)), [f"{name}\n(n = {n})" for name, n in zip(names, counts, strict=True)])
    ax.set_xlabel("tumor volume of the case in the reference")
    ax.set_ylabel("tumor Dice, per case")
    ax.set_xlim(-0.6, len(classes) - 0.4)
    ax.set_ylim(-0.02, 1.02)
    ax.grid(axis="y", alpha=0.3)
    if len(series) > 1:
        for text in figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=8).get_texts():
            text.set_parse_math(False)
    return figure


def _column(name: str, cases: Cases, column: str) -> NDArray[np.float64]:
    if column not in cases:
        raise InputError(name, "columns", column, "is missing", "evaluate again with the options that measure it")
    return cases[column]
