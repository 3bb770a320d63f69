"""Measurements against other tools as tables."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.spread import spread
from rmaunet.metrics import markdown_table

__all__ = ["metrics_table", "peers_table"]


def metrics_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Surface figures of rmaunet and others; ``rows`` as written by lab/benchmarks/metrics.py."""
    figures = list(dict.fromkeys(name for row in rows for name in row["values"]))
    body = [
        [
            row["organ"],
            row["tool"],
            spread(row["seconds"]),
            f"{row['ratio']:.1f}",
            *(f"{row['values'][name]:.3f}" if name in row["values"] else "" for name in figures),
        ]
        for row in rows
    ]
    size = " x ".join(str(side) for side in rows[0]["size"])
    head = ["organ", "tool", "CPU s, median (range)", "times rmaunet", *figures]
    words = f"Surface figures (mm; surface dice at 2 mm) of one case of {size} voxels, one thread."
    return f"{words}\n\n{markdown_table([head, *body])}"


def peers_table(found: Mapping[str, Any]) -> str:
    """Whole scans by rmaunet and others; ``found`` as written by lab/benchmarks/peers.py."""
    runs: dict[str, list[Mapping[str, Any]]] = {}
    for run in found["runs"]:
        runs.setdefault(run["tool"], []).append(run)
    outside = {tool: [run["outside"]["cpu"] for run in mine] for tool, mine in runs.items()}
    whole = {
        tool: [run["outside"]["cpu"] + run["network"]["cpu"] for run in mine if "network" in run]
        for tool, mine in runs.items()
    }
    body = []
    for tool, mine in runs.items():
        network = [run["network"]["cpu"] for run in mine if "network" in run]
        first = mine[0]
        body.append(
            [
                tool,
                spread(outside[tool]),
                spread(network, 1) if network else "",
                f"{first['computed_calls']} of {first['calls']}" if network else "",
                _times(outside[tool], outside.get("rmaunet, all slices")),
                f"{max(run['peak_mib'] for run in mine):.0f}",
            ]
        )
    head = [
        "tool",
        "outside the network, CPU s",
        "network, CPU s",
        "calls computed",
        "outside, times rmaunet",
        "peak MiB",
    ]
    size = " x ".join(str(side) for side in found["size"])
    text = (
        f"Whole scans of {size}, .nii.gz to .nii.gz; median (range) of {len(next(iter(runs.values())))} turns. Where not all "
        "calls of a network were computed, its time is that of those computed times the number of calls.\n\n"
        + markdown_table([head, *body])
    )
    ours = [tool for tool in runs if tool.startswith("rmaunet")]
    ratios = [
        [tool, *(_times(whole[tool], whole[one]) for one in ours)] for tool in runs if whole[tool] and tool not in ours
    ]
    if not ours or not ratios:
        return text
    words = "The whole scan in processor time, network and all else, as so many times that of"
    return f"{text}\n{words}\n\n{markdown_table([['tool', *ours], *ratios])}"


def _times(theirs: Sequence[float], ours: Sequence[float] | None) -> str:
    return f"{statistics.median(theirs) / statistics.median(ours):.1f}" if theirs and ours else ""
