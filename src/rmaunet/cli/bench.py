"""``rmaunet bench``: what this machine makes of the network."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

__all__ = ["Agreement", "main"]


@dataclass(frozen=True)
class Agreement:
    """Masks of every runtime and precision usable here against PyTorch's in float32, on labelled scans.

    Writes agreement.csv and manifest.json. Example:
      rmaunet bench agreement --data LiTS-test/ --cases volume-0 volume-1 -o results/agreement/mine
    """

    data: Annotated[Path, tyro.conf.arg(aliases=["-d"])]
    """Labelled data set: LiTS, 3D-IRCADb, MSD or imagesTr/labelsTr."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the table."""
    cases: tuple[str, ...] = ()
    """Names of the cases; all by default."""
    weights: Annotated[str, tyro.conf.arg(aliases=["-w"])] = "fast"
    """Name of shipped weights, or their folder."""
    ways: tuple[str, ...] = ()
    """Such as "openvino-bfloat16" or "openvino-float32-search" (not every slice); by default all that can be used here."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    return _agreement(tyro.cli(Agreement, args=argv[1:], prog="rmaunet bench agreement"))


WAYS = (
    "openvino-float32",
    "onnxruntime-float32",
    "openvino-bfloat16",
    "torch-bfloat16",
    "openvino-float32-search",
)


def _agreement(args: Agreement) -> int:
    from rmaunet.bench.agreement import Way, compare_ways, verdicts
    from rmaunet.data.detect import find_cases
    from rmaunet.errors import InputError, UsageError
    from rmaunet.files import write_csv, write_json
    from rmaunet.predict import load_weights
    from rmaunet.runs import machine

    for text in args.ways:
        if text not in WAYS:
            raise UsageError("bench agreement", "--ways", text, "unknown", f"choose from {', '.join(WAYS)}")
    ways = []
    for text in args.ways or WAYS:
        runtime, precision, *rest = text.split("-")
        ways.append(Way(runtime, precision, all_slices=not rest))
    _, cases = find_cases(args.data)
    cases = [case for case in cases if case.label is not None and (not args.cases or case.name in args.cases)]
    if not cases or len(cases) < len(args.cases):
        known = {case.name for case in cases}
        missing = ", ".join(name for name in args.cases if name not in known)
        raise InputError(args.data, "cases", missing or 0, "no such labelled case", "see --cases")
    weights = load_weights(args.weights)
    rows: list[dict[str, Any]] = []
    for row in compare_ways(cases, weights, ways, say=_say):
        rows.append(row)
        write_csv(args.output / "agreement.csv", rows)
    content = {"weights": {"name": weights.card.name, "sha256": weights.card.sha256}, "libraries": _versions()}
    write_json(args.output / "manifest.json", {**content, "machine": machine()})
    for line in verdicts(rows):
        print(
            f"{line['way']:<28} liver {line['liver_dice']:.6f} tumor {line['tumor_dice']:.6f} largest change of a case's Dice "
            f"{line['largest_change']:.6f} slices {line['slices_computed']:.2f}"
            + (" accepted" if line["accepted"] else " NOT accepted")
        )
    return 0


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in ("torch", "openvino", "onnxruntime", "numpy", "opencv-python-headless"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
