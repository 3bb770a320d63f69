"""Measurements as pictures for lab/logs/performance.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

__all__ = ["memory_plot", "network_plot", "stages_plot"]

GIB = 2**30
Row = Mapping[str, Any]


def _figure(width: float = 6.0, height: float = 3.2) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def memory_plot(rows: Sequence[Row]) -> Figure:
    """Peak memory against the length of the scan, measured and predicted.

    Args:
        rows: "memory" of one or several runs of ``python -m bench``.
    """
    figure, axes = _figure()
    ordered = sorted(rows, key=lambda row: int(row["slices"]))
    slices = [row["slices"] for row in ordered]
    for key, name, style in (("predicted_bytes", "predicted", "o--"), ("peak_bytes", "measured", "o-")):
        axes.plot(slices, [row[key] / GIB for row in ordered], style, label=name)
    axes.set(xlabel="slices of 512 x 512", ylabel="peak memory, GiB", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)
    return figure


def network_plot(rows: Sequence[Row]) -> Figure:
    """Milliseconds per slice of each runtime, one panel per width, at the smallest batch; lines from lowest to highest.

    Args:
        rows: "network" of one run of ``python -m bench``.
    """
    batch = min(row["batch"] for row in rows)
    mine = [row for row in rows if row["batch"] == batch]
    widths = sorted({row["base"] for row in mine})
    ways = list(dict.fromkeys(row["way"] for row in mine))
    figure = Figure(figsize=(1.5 + 2.6 * len(widths), 0.8 + 0.3 * len(ways)), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(widths), sharey=True, squeeze=False)[0]
    for axes, base in zip(panels, widths, strict=True):
        bars = [row for row in mine if row["base"] == base]
        reach = [[row["ms"] - row["lowest"] for row in bars], [row["highest"] - row["ms"] for row in bars]]
        axes.barh(
            [ways.index(row["way"]) for row in bars], [row["ms"] for row in bars], xerr=reach, error_kw={"lw": 0.8}
        )
        axes.set(title=f"base {base}", xlabel=f"ms a slice, batch {batch}", xlim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_yticks(range(len(ways)), ways)
    panels[0].invert_yaxis()
    return figure


def stages_plot(rows: Sequence[Row]) -> Figure:
    """Wall time of each stage of a whole scan; stages overlap, so that bars are longer than what passed.

    Args:
        rows: "volume" of one run of ``python -m bench``.
    """
    figure, axes = _figure(height=0.9 + 0.55 * len(rows))
    names = [row["options"] or "search" for row in rows]
    before = [0.0] * len(rows)
    for stage in dict.fromkeys(name for row in rows for name in row["seconds"]):
        seconds = [row["seconds"].get(stage, 0.0) for row in rows]
        axes.barh(names, seconds, left=before, label=stage)
        before = [left + more for left, more in zip(before, seconds, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("s")
    axes.legend(frameon=False, fontsize="small", ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
