"""``rmaunet data check ROOT``: what is odd about a data set, and a repaired copy of it."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from rmaunet.cli.label_option import values_of
from rmaunet.cli.layout_option import LayoutOrAuto
from rmaunet.cli.output_option import check_folder
from rmaunet.cli.parse import parse

if TYPE_CHECKING:
    from rmaunet.datasets.check.check_dataset import CaseReport, SetReport

__all__ = ["Check", "main"]


@dataclass(frozen=True)
class Check:
    """Check every case of a data set: files, geometry, labels, HU, orientation, duplicates.

    Errors are what `rmaunet prepare` would refuse, and the same image twice; the exit code is then 3.
    Nothing in ROOT is changed.

    Example: rmaunet data check LiTS/ --fix LiTS-repaired/
    """

    root: tyro.conf.Positional[Path]
    """Folder of the data set."""
    layout: LayoutOrAuto = "auto"
    """LiTS (volume-N, segmentation-N), 3D-IRCADb-01, MSD Task03, imagesTr/labelsTr (folder); auto recognizes them."""
    fix: Path | None = None
    """Write a repaired copy into this folder, with audit.csv naming every change; exit code 3 if a case had to be left out."""
    label: tuple[str, ...] = ()
    """What the masks' values mean, e.g. 5=liver 7=tumor; values not named are background. By default as the data set says."""
    json: bool = False
    """Print the report as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Check, argv, "rmaunet data check")
    import json

    from rmaunet.datasets.check.check_dataset import check_set
    from rmaunet.datasets.check.repair_dataset import repair_set

    labels = values_of("data check", args.label)
    if args.fix is not None:
        check_folder("data check", args.fix, argv, option="--fix")
    with _quiet():  # what the readers notice stands in the report
        report = check_set(args.root, args.layout, labels=labels, progress=_progress)
        content: dict[str, Any] = report.to_dict()
        errors = report.count("error")
        if not args.json:
            _print(report)
        if args.fix is not None:
            changes, refused = repair_set(args.root, args.fix, args.layout, labels=labels, progress=_progress)
            errors = len(refused)
            content["fix"] = {
                "changes": [vars(change) for change in changes],
                "refused": {name: str(error) for name, error in refused},
            }
    for name, problem in report.everything():
        if problem.severity == "error":
            line = problem.text if problem.text.startswith(name) else f"{name}: {problem.text}"
            print(f"error: {line}", file=sys.stderr)
    if args.json:
        print(json.dumps(content, indent=2))
    elif args.fix is not None:
        repaired = len({change["case"] for change in content["fix"]["changes"]} - set(content["fix"]["refused"]))
        print(f"\n{repaired} cases in {args.fix}, {errors} refused; every change is in audit.csv")
        for name, text in content["fix"]["refused"].items():
            print(f"  refused {name}: {text}")
    return 3 if errors else 0


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("rmaunet")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _progress(done: int, of: int, name: str) -> None:
    if name:
        print(f"[{done + 1}/{of}] {name}", file=sys.stderr, flush=True)


def _print(report: SetReport) -> None:
    rows: list[tuple[str, ...]] = [
        ("case", "slices", "matrix", "spacing mm", "axes", "HU", "liver ml", "tumor ml", "HU in liver", "findings")
    ]
    rows += [_row(case) for case in report.cases]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for severity in ("error", "warning"):
        lines = [problem.text for _, problem in report.everything() if problem.severity == severity]
        if lines:
            print(f"\n{severity}s:")
        for line in lines:
            print(f"  {line}")
    counts = f"{report.count('error')} errors, {report.count('warning')} warnings, {report.count('note')} notes"
    print(f"\n{len(report.cases)} cases in layout {report.layout}: {counts}")


def _row(case: CaseReport) -> tuple[str, ...]:
    found = ", ".join(dict.fromkeys(f"{p.severity[0].upper()} {p.code}" for p in case.problems)) or "ok"
    if not case.facts:
        return (case.name, *[""] * 8, found)
    f = case.facts
    depth, rows, columns = f["shape"]
    return (
        case.name,
        str(depth),
        f"{rows} x {columns}",
        " x ".join(f"{value:.3g}" for value in f["spacing_mm"]),
        f["orientation"],
        f"{f['hu_range'][0]:g}..{f['hu_range'][1]:g}",
        *(f"{f[key]:.1f}" if key in f else "" for key in ("liver_ml", "tumor_ml", "liver_hu")),
        found,
    )
