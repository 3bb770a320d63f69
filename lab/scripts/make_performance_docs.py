"""Write the tables and plots of lab/logs/agreement.md, lab/logs/performance.md and docs/results/performance.md.

The sources are lab/results/agreement and lab/results/bench. With `--check` nothing is written; the exit code is 1 if a page is
outdated.
"""

import csv
import json
import re
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.agreement import verdicts
from bench.plots import memory_plot, network_plot, stages_plot
from bench.tables import tables
from rmaunet.metrics import markdown_table

ROOT = Path(__file__).parents[2]
LOGS, SUMMARY = ROOT / "lab" / "logs", ROOT / "docs" / "results" / "performance.md"
SCAN, PEERS, MEMORY = "zen4-scan", "zen4-peers", "zen4-memory"
"""Records behind the page for users."""
CALIBRATED = {"p": "phantoms", "e": "phantoms and the example CT"}


def agreement() -> str:
    """A table for each folder; where `NAME-foldK` are of the networks of several folds, one of all their scans, too."""
    lines = []
    folds: dict[str, list[dict[str, str]]] = {}
    for folder in sorted(path.parent for path in (ROOT / "lab" / "results" / "agreement").glob("*/agreement.csv")):
        with (folder / "agreement.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        manifest = json.loads((folder / "manifest.json").read_text())
        machine, libraries = manifest["machine"], manifest["libraries"]
        cases = ", ".join(dict.fromkeys(row["case"] for row in rows))
        lines += [
            f"`{folder.name}`: weights `{manifest['weights']['name']}` (sha256 {manifest['weights']['sha256'][:12]}) "
            f"on LiTS {cases}; "
            f"{machine['processor']}, {machine['cores']} cores; "
            + ", ".join(f"{name} {version}" for name, version in libraries.items())
            + "."
            + (f" Calibration of int8: {CALIBRATED[mark]}." if (mark := manifest.get("calibration", "")[-1:]) else ""),
            "",
            agreement_table(rows),
        ]
        if "-fold" in folder.name:
            folds.setdefault(folder.name.rpartition("-fold")[0], []).extend(rows)
    for name, rows in folds.items():
        lines += [f"`{name}`, the scans of its folds together:", "", agreement_table(rows)]
    return "\n".join(lines).rstrip("\n")


def agreement_table(rows: list[dict[str, str]]) -> str:
    head = ["runtime", "cases", "liver Dice, pooled", "tumor Dice, pooled", "largest change of a case"]
    head += ["voxels that differ", "slices computed", "liver slices lost", "verdict"]
    body = [
        [
            line["way"],
            str(line["cases"]),
            f"{line['liver_dice']:.6f}",
            f"{line['tumor_dice']:.6f}",
            f"{line['largest_change']:.6f}",
            str(line["voxels_different"]),
            f"{line['slices_computed']:.0%}",
            str(line["liver_slices_lost"]),
            "accepted" if line["accepted"] else "not accepted",
        ]
        for line in verdicts(rows)
    ]
    return markdown_table([head, *body])


def records() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "lab" / "results" / "bench").glob("*.json"))
    }


def pictures() -> dict[str, tuple[str, Callable[[], Figure]]]:
    """Name of each file, what it shows, and what draws it."""
    found = records()
    memory = [row for record in found.values() for row in record.get("memory", [])]
    drawn: dict[str, tuple[str, Callable[[], Figure]]] = {}
    if memory:
        drawn["bench-memory.png"] = "Peak memory against length", partial(memory_plot, memory)
    for stem, record in found.items():
        for part, title, draw in (
            ("network", "Milliseconds a slice by runtime and width", network_plot),
            ("volume", "Stages of a whole scan", stages_plot),
        ):
            if record.get(part) and not record.get("busy"):
                drawn[f"bench-{stem}-{part}.png"] = f"{title}, {stem}", partial(draw, record[part])
    return drawn


def measurements() -> str:
    shown = "\n".join(f"![{title}](images/{name})" for name, (title, _) in pictures().items())
    return "\n\n".join([shown, *(f"### {stem}\n\n{tables(record)}" for stem, record in records().items())])


def summary() -> str:
    """Table of whole scans, and processor time of other tools."""
    found = records()
    scans = [*found[MEMORY]["memory"], *(row for row in found[SCAN]["volume"] if row["options"])]
    head = ["scan", "slices computed", "time", "peak memory"]
    body = [
        [
            f"512 x 512 x {row['slices']}{', ' + row['options'] if row['options'] else ''}",
            str(row["computed"]),
            f"{row['wall']:.0f} s",
            f"{row['peak_bytes'] / 2**30:.2f} GiB",
        ]
        for row in scans
    ]
    processor: dict[str, list[float]] = {}
    for run in found[PEERS]["peers"]["runs"]:
        if "network" in run:
            processor.setdefault(run["tool"], []).append(run["outside"]["cpu"] + run["network"]["cpu"])
    median = {tool: statistics.median(values) for tool, values in processor.items()}
    others = [[tool, f"{seconds:.0f} s"] for tool, seconds in median.items() if "bfloat16" not in tool]
    machine = found[SCAN]["machine"]
    return "\n".join(
        [
            f"{machine['processor']}, {machine['cores']} cores, OpenVINO in float32, weights `fast`, .nii.gz files:",
            "",
            markdown_table([head, *body]),
            f"Processor time for {' x '.join(map(str, found[PEERS]['peers']['size']))} voxels; "
            "base 64 and the other tools have untrained weights:",
            "",
            markdown_table([["tool", "CPU time"], *others]).rstrip("\n"),
        ]
    )


def made(page: Path, content: str) -> str:
    return re.sub(
        r"(<!-- tables:begin[^\n]*-->\n).*?(<!-- tables:end -->)",
        lambda match: f"{match[1]}\n{content}\n\n{match[2]}",
        page.read_text(),
        flags=re.DOTALL,
    )


def main() -> int:
    images = LOGS / "images"
    if "--check" not in sys.argv:
        for left in images.glob("bench-*.png"):
            left.unlink()
        for name, (_, draw) in pictures().items():
            draw().savefig(images / name, metadata={"Software": None})
    old = {path.name for path in images.glob("bench-*.png")} != set(pictures())
    pages = ((LOGS / "agreement.md", agreement()), (LOGS / "performance.md", measurements()), (SUMMARY, summary()))
    for page, content in pages:
        text = made(page, content)
        old += text != page.read_text()
        if "--check" not in sys.argv:
            page.write_text(text)
    return min(1, old) if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
