"""``rmaunet data overlap A [B]``: the same patient in two data sets, or among the training cases of weights."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from rmaunet.cli.layout_option import LayoutOrAuto
from rmaunet.cli.output_option import refuse_inputs
from rmaunet.cli.parse import parse

if TYPE_CHECKING:
    from rmaunet.leaks.fingerprint import Fingerprint
    from rmaunet.leaks.match_scans import Overlap

__all__ = ["Overlaps", "main"]


@dataclass(frozen=True)
class Overlaps:
    """Find the same patient twice by content: through flips, other spacing, resizing, windowing and cut slices.

    A alone is compared with itself. "same scan" is an alarm, "same patient?" is worth a look. The exit code is 0 whatever is
    found, and 3 if a scan could not be read.

    Example: rmaunet data overlap LiTS/ 3Dircadb1/
    """

    one: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="A")]
    """Data set, folder of CTs, or a file of fingerprints."""
    other: Annotated[tyro.conf.Positional[Path | None], tyro.conf.arg(metavar="B")] = None
    """Another one."""
    weights: str | None = None
    """Compare A with the training cases of these weights (shipped name or folder) instead."""
    layout: LayoutOrAuto = "auto"
    """Layout of A and B; auto recognizes it."""
    save: Path | None = None
    """Write A's fingerprints into this file; it can stand for A later."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Write the pairs found as CSV."""
    json: bool = False
    """Print as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Overlaps, argv, "rmaunet data overlap")
    import json

    from rmaunet.core.errors import UsageError
    from rmaunet.core.files import write_csv
    from rmaunet.leaks.fingerprint import write_fingerprints
    from rmaunet.leaks.match_scans import find_overlaps

    if args.other is not None and args.weights is not None:
        raise UsageError("data overlap", "--weights", args.weights, "and B are both given", "give one of them")
    outputs = [path for path in (args.save, args.output) if path is not None]
    refuse_inputs(outputs, (args.one, args.other))
    failures: list[str] = []
    ones = _prints(args.one, args.layout, failures)
    if args.save is not None:
        write_fingerprints(args.save, ones)
    if args.weights is not None:
        others: list[Fingerprint] | None = _of_weights(args.weights)
    else:
        others = _prints(args.other, args.layout, failures) if args.other is not None else None
    found = find_overlaps(ones, others, progress=_progress)
    print(file=sys.stderr)
    rows = [_row(overlap) for overlap in found]
    if args.output is not None:
        write_csv(args.output, rows, ("verdict", "score", "one", "other", "mirrored", "slices"))
    if args.json:
        against = len(others) if others is not None else None
        print(json.dumps({"scans": len(ones), "against": against, "pairs": rows, "failed": failures}, indent=2))
    else:
        _print(rows, len(ones), others)
    for text in failures:
        print(f"error: {text}", file=sys.stderr)
    return 3 if failures else 0


def _prints(root: Path, layout: str, failures: list[str]) -> list[Fingerprint]:
    """Fingerprints of a data set, or those in a file."""
    from rmaunet.core.errors import InputError
    from rmaunet.datasets.check.check_dataset import list_images
    from rmaunet.datasets.load_case import load_image
    from rmaunet.leaks.fingerprint import fingerprint, read_fingerprints

    if root.is_file():
        return read_fingerprints(root)
    prints = []
    cases = list_images(root, layout)
    for done, case in enumerate(cases):
        print(f"\rreading {root.name} {done + 1}/{len(cases)}  ", end="", file=sys.stderr, flush=True)
        try:
            prints.append(fingerprint(load_image(case).volume, case.name))
        except InputError as error:
            failures.append(str(error))
    print(file=sys.stderr)
    return prints


def _of_weights(name: str) -> list[Fingerprint]:
    from rmaunet.core.errors import ModelError
    from rmaunet.leaks.fingerprint import read_fingerprints
    from rmaunet.predict import fingerprint_file

    path = fingerprint_file(name)
    if path is None:
        raise ModelError(name, "fingerprints.json", None, "these weights have none", "give their training data as B")
    return read_fingerprints(path)


def _progress(done: int, of: int) -> None:
    if done % 50 == 0 or done == of:
        print(f"\rcomparing {done}/{of} pairs  ", end="", file=sys.stderr, flush=True)


def _row(overlap: Overlap) -> dict[str, Any]:
    alignment = overlap.alignment
    return {
        "verdict": overlap.verdict,
        "score": round(alignment.score, 3),
        "one": overlap.one,
        "other": overlap.other,
        "mirrored": " ".join(alignment.mirrored),
        "slices": alignment.slices,
    }


def _print(rows: list[dict[str, Any]], count: int, others: list[Fingerprint] | None) -> None:
    if rows:
        cells = [["verdict", "score", "A", "B" if others is not None else "A", "mirrored"]]
        cells += [[r["verdict"], f"{r['score']:.3f}", r["one"], r["other"], r["mirrored"]] for r in rows]
        widths = [max(len(row[i]) for row in cells) for i in range(5)]
        for row in cells:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        print()
    same = sum(row["verdict"] == "same scan" for row in rows)
    against = f"{len(others)} others" if others is not None else "each other"
    print(
        f"{count} scans against {against}: {same} pairs of the same scan, {len(rows) - same} perhaps of the same patient"
    )
