"""Measurements as tables, the same on the screen and in lab/logs/performance.md."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bench.peers import metrics_table, peers_table
from bench.spread import spread
from rmaunet.metrics import markdown_table

__all__ = ["tables"]

GIB = 2**30
AGAINST = ("eager float32", "torch float32")
"""References for a network's time: unmodified PyTorch, and the runtime "torch"."""
PRECISION_CHANGE = 0.002
"""Most by which training in bfloat16 may change the mean Dice."""


def tables(found: Mapping[str, Any]) -> str:
    """Markdown tables of what one run of ``python -m bench`` found; parts that were not measured are left out.

    Args:
        found: As written by ``python -m bench -o``.

    Returns:
        Text.
    """
    machine = found["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in found["libraries"].items())
    parts = [
        f"{machine['processor']}, {machine['cores']} cores, {found['threads']} threads; {machine['system']}; "
        f"rmaunet {machine['rmaunet']} ({machine['commit'] or 'no commit'}); {libraries}."
        + (f" {found['note']}" if found.get("note") else "")
    ]
    busy = found.get("busy", False)
    if found.get("network"):
        parts.append(_network_cpu(found["network"]) if busy else _network(found["network"], found["peak_gflops"]))
    sections: dict[str, Callable[[Any], str]] = {
        "layers": _layers,
        "startup": _startup,
        "volume": _volume_cpu if busy else _volume,
        "memory": _memory,
        "training": _training,
        "feeding": partial(_feeding, training=found.get("training", ())),
        "metrics": metrics_table,
        "peers": peers_table,
        "allocator": _allocator,
        "mixed_precision": _mixed_precision,
    }
    parts += [table(found[name]) for name, table in sections.items() if found.get(name)]
    return "\n\n".join(part.rstrip("\n") for part in parts)


def _network(rows: Sequence[Mapping[str, Any]], peak: Mapping[str, float]) -> str:
    times = {(row["base"], row["batch"], row["way"]): row["ms"] for row in rows}
    body = []
    for row in rows:
        against = [times.get((row["base"], row["batch"], way)) for way in AGAINST]
        limit = peak.get(row["way"].split()[-1])
        body.append(
            [
                str(row["base"]),
                str(row["batch"]),
                row["way"],
                f"{row['ms']:.1f} ({row['lowest']:.1f} to {row['highest']:.1f})",
                f"{row['cpu_ms']:.1f}" if "cpu_ms" in row else "",
                *(f"{ms / row['ms']:.2f}" if ms else "" for ms in against),
                f"{row['gflops'] / limit:.0%}" if limit else "",
            ]
        )
    best = ", ".join(f"{name} {value:.0f} GFLOP/s" for name, value in peak.items())
    head = [
        "base",
        "batch",
        "runtime",
        "ms a slice, median (range)",
        "CPU ms, median",
        *(f"times faster than {way}" for way in AGAINST),
        "share of the peak",
    ]
    return f"Network, 256 x 256. Best 3 x 3 convolution of this machine: {best}.\n\n{markdown_table([head, *body])}"


def _layers(rows: Sequence[Mapping[str, Any]]) -> str:
    total, operations = (sum(row[name] for row in rows) for name in ("ms", "operations"))
    head = ["layers", "ms a slice", "share of the time", "share of the arithmetic", "share of the peak"]
    body = [
        [
            row["kind"],
            f"{row['ms']:.2f}",
            f"{row['ms'] / total:.0%}",
            f"{row['operations'] / operations:.0%}",
            f"{row['share_of_peak']:.0%}" if row["operations"] else "",
        ]
        for row in rows
    ]
    first = rows[0]
    words = f"Where the time goes: base {first['base']}, {first['batch']} slices a call, openvino {first['precision']}"
    return f"{words}, {total:.1f} ms a slice.\n\n{markdown_table([head, *body])}"


def _volume(rows: Sequence[Mapping[str, Any]]) -> str:
    stages = list(dict.fromkeys(name for row in rows for name in row["seconds"]))
    body = [
        [
            row["options"] or "search (default)",
            row["runtime"],
            f"{row['computed']}/{row['slices']}",
            f"{row['wall']:.1f}",
            f"{row['cpu']:.1f}",
            f"{row['start']:.1f}",
            *(f"{row['seconds'].get(name, 0):.2f}" for name in stages),
            f"{row['outside_network'] / row['seconds']['network']:.0%}",
        ]
        for row in rows
    ]
    head = ["slices", "runtime", "computed", "wall s", "CPU s", "start s", *(f"{name} s" for name in stages)]
    table = markdown_table([[*head, "outside / network"], *body])
    return f"Whole scan, 512 x 512 x {rows[0]['slices']} .nii.gz.\n\n{table}{_saved(rows)}"


def _volume_cpu(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [
        [
            row["options"] or "search (default)",
            row["runtime"],
            f"{row['computed']}/{row['slices']}",
            f"{row['cpu']:.1f}",
        ]
        for row in rows
    ]
    table = markdown_table([["slices", "runtime", "computed", "CPU s"], *body])
    return f"Whole scan, 512 x 512 x {rows[0]['slices']} .nii.gz, by processor time.\n\n{table}{_saved(rows)}"


def _saved(rows: Sequence[Mapping[str, Any]]) -> str:
    """Time saved by the search over slices, and processor time per slice and for the rest.

    The two scans differ in the slices computed only, so that their processor time tells both apart on a busy machine too.
    """
    by_options = {row["options"]: row for row in rows}
    every, some = by_options.get("--all-slices"), by_options.get("")
    if every is None or some is None or every["computed"] == some["computed"]:
        return ""
    a_slice = (every["cpu"] - some["cpu"]) / (every["computed"] - some["computed"])
    rest = every["cpu"] - a_slice * every["computed"]
    return (
        f"\nThe search takes {some['wall'] / every['wall']:.2f} of the wall time and "
        f"{some['cpu'] / every['cpu']:.2f} of the processor time of all slices. By processor time a slice costs "
        f"{a_slice * 1e3:.0f} ms, and all else, starting included, {rest:.1f} s: "
        f"{rest / (a_slice * every['computed']):.0%} of the network's on all slices."
    )


def _network_cpu(rows: Sequence[Mapping[str, Any]]) -> str:
    body = []
    for row in rows:
        first = next(one for one in rows if (one["base"], one["batch"]) == (row["base"], row["batch"]))
        body.append(
            [
                str(row["base"]),
                str(row["batch"]),
                row["way"],
                f"{row['cpu_ms']:.1f}",
                f"{first['cpu_ms'] / row['cpu_ms']:.2f}",
            ]
        )
    head = ["base", "batch", "runtime", "CPU ms a slice, median", f"times less than {rows[0]['way']}"]
    return "Network, 256 x 256, by the processor time of all its threads.\n\n" + markdown_table([head, *body])


def _startup(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [[row["network"], str(len(row["wall"])), spread(row["wall"]), spread(row["cpu"])] for row in rows]
    head = ["network", "starts", "wall s, median (range)", "CPU s, median (range)"]
    return "From the start of `rmaunet segment` to its first slices computed.\n\n" + markdown_table([head, *body])


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [
        [
            str(row["slices"]),
            f"{row['peak_bytes'] / GIB:.2f}",
            f"{row['predicted_bytes'] / GIB:.2f}",
            f"{row['computed']}",
            row["runtime"],
        ]
        for row in rows
    ]
    head = ["slices of 512 x 512", "peak GiB, measured", "predicted", "slices computed", "runtime"]
    return "Peak of the whole process's resident memory.\n\n" + markdown_table([head, *body])


def _training(rows: Sequence[Mapping[str, Any]]) -> str:
    first = {row["base"]: row["slices_a_second"] for row in reversed(rows) if row["way"] == "eager float32"}
    body = [
        [
            str(row["base"]),
            row["way"],
            f"{row['slices_a_second']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})",
            f"{row['slices_a_second'] / first[row['base']]:.2f}",
        ]
        for row in rows
    ]
    head = ["base", "step", "slices/s, median (range)", "times eager float32"]
    return "Training step, 256 x 256.\n\n" + markdown_table([head, *body])


def _feeding(rows: Sequence[Mapping[str, Any]], training: Sequence[Mapping[str, Any]]) -> str:
    """Beside the processor time of the quickest step: the most that making a batch can weigh."""
    quickest = {row["base"]: 0.0 for row in training}
    for row in training:
        quickest[row["base"]] = max(quickest[row["base"]], row["slices_a_second"] / row.get("threads", 1))
    body = [
        [
            row["augmentation"],
            f"{row['ms']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f})",
            *(f"{row['ms'] / (row['ms'] + 1e3 / speed):.1%}" for speed in quickest.values()),
        ]
        for row in rows
    ]
    head = ["augmentation", "CPU ms a slice, median (range)", *(f"share of a step, base {base}" for base in quickest)]
    return "Making a batch: read from the store, augmented, 256 x 256.\n\n" + markdown_table([head, *body])


def _allocator(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [
        [
            row["task"],
            str(row["base"]),
            str(row["batch"]),
            row["freed_memory"],
            spread(row["seconds"]),
            f"{row['system']:.2f}",
            f"{row['faults']:.0f}",
            f"{row['peak_mib']:.0f}" if "peak_mib" in row else "",
            ", ".join(f"{ratio:.2f}" for ratio in row["ratios"]) if row["freed_memory"] == "kept" else "",
        ]
        for row in rows
    ]
    head = ["task", "base", "batch", "freed memory", "CPU s a step, median (range)", "of it system s", "page faults"]
    return "Freed memory handed back (glibc's habit) or kept.\n\n" + markdown_table(
        [[*head, "peak MiB", "usual / kept, each pair"], *body]
    )


def _mixed_precision(rows: Sequence[Mapping[str, Any]]) -> str:
    body = [
        [
            _trained_for(row),
            str(row["seed"]),
            row["precision"],
            *(f"{row[organ]:.4f}" for organ in ("liver", "tumor")),
            f"{row['cpu_seconds']:.0f}",
        ]
        for row in rows
    ]
    head = ["steps", "seed", "trained in", "liver Dice", "tumor Dice", "CPU s"]
    lines = ["Trained in either precision on phantoms, judged in float32 on others.", "", markdown_table([head, *body])]
    for steps in dict.fromkeys(_trained_for(row) for row in rows):
        for organ in ("liver", "tumor"):
            dice = {(row["seed"], row["precision"]): row[organ] for row in rows if _trained_for(row) == steps}
            seeds = sorted({seed for seed, _ in dice})
            changes = [dice[seed, "bfloat16"] - dice[seed, "float32"] for seed in seeds]
            mean = statistics.mean(changes)
            verdict = "within" if abs(mean) <= PRECISION_CHANGE else "beyond"
            of_seeds = max(dice[seed, "float32"] for seed in seeds) - min(dice[seed, "float32"] for seed in seeds)
            lines.append(
                f"- {steps} steps, {organ}: bfloat16 minus float32 {mean:+.4f} "
                f"({', '.join(f'{one:+.4f}' for one in changes)}), {verdict} {PRECISION_CHANGE}; "
                f"seeds of float32 differ by up to {of_seeds:.4f}"
            )
    return "\n".join(lines)


def _trained_for(row: Mapping[str, Any]) -> str:
    """Steps; and after how many in float32 that the trainings have in common, where they do."""
    return f"{row['steps']}" + (f" after {row['after']}" if row.get("after") else "")
