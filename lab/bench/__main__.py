"""``python -m bench``: speed, memory and agreement of the runtimes on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from rmaunet.cli.parse import parse

if TYPE_CHECKING:
    from bench.agreement import Way

__all__ = ["Agreement", "Bench", "main"]


@dataclass(frozen=True)
class Agreement:
    """Masks of every runtime and precision usable here against PyTorch's in float32, on labelled scans.

    Writes agreement.csv and manifest.json. Example:
      python -m bench agreement --data LiTS-test/ --cases volume-0 volume-1 -o results/agreement/mine
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


@dataclass(frozen=True)
class Bench:
    """Measure this machine: the network by runtime and width, start-up, a whole scan by stage, memory by length, training.

    Prints tables and, with -o, writes them as JSON. `python -m bench agreement --help`: do other runtimes give the same masks?
    Close other programs first; the tables show the lowest and the highest beside the median.

    Examples:
      python -m bench
      python -m bench --parts memory --lengths 100 300 1000 1500
    """

    parts: tuple[Literal["network", "startup", "volume", "memory", "training"], ...] = (
        "network",
        "startup",
        "volume",
        "memory",
        "training",
    )
    """Parts to measure."""
    widths: tuple[int, ...] = (16, 32, 64)
    """Base channels of the network."""
    batches: tuple[int, ...] = (1, 4, 16)
    """Slices a call."""
    ways: tuple[str, ...] = ()
    """Runtimes and precisions, for example "openvino-bfloat16"; by default all that can be used here."""
    lengths: tuple[int, ...] = (100, 300, 1000, 1500)
    """Slices of the scans whose memory is measured."""
    depth: int = 300
    """Slices of the scan measured by stage."""
    threads: int = 0
    """For the network; 0 takes one a core."""
    repeats: int = 5
    """Turns of each runtime; starts."""
    busy: bool = False
    """Say that other work runs beside this: tables keep to the network's processor time, and no pictures are drawn."""
    note: str = ""
    """Kept in the JSON file: what else ran, for instance."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """JSON file for the results."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    if argv[:1] == ["agreement"]:
        return _agreement(parse(Agreement, argv[1:], "python -m bench agreement"))
    return _bench(parse(Bench, argv, "python -m bench"))


def _bench(args: Bench) -> int:
    import tempfile

    from bench.network import network_rows
    from bench.record import new_record
    from bench.startup import startup_rows
    from bench.tables import tables
    from bench.training import feeding_rows, training_rows
    from bench.volume import segment_row, write_scan
    from rmaunet.core.files import write_json
    from rmaunet.core.machine import network_threads
    from rmaunet.datasets.phantoms.phantom import phantom
    from rmaunet.io import write_volume

    threads = network_threads(args.threads)
    found = new_record(threads=threads, note=args.note) | {"busy": args.busy}
    if "network" in args.parts:
        before = {} if args.busy else _peaks(threads)
        ways = _ways(args.ways or tuple(text for text in WAYS if text != WAYS[-1]), "bench")
        found["network"] = network_rows(
            widths=args.widths, batches=args.batches, ways=ways, threads=threads, repeats=args.repeats, say=_say
        )
        if before:  # twice, so that what else ran for a moment does not lower them
            after = _peaks(threads)
            found["peak_gflops"] = {name: max(gflops, after[name]) for name, gflops in before.items()}
    with tempfile.TemporaryDirectory() as folder:
        if "startup" in args.parts:
            scan = Path(folder) / "small.nii.gz"
            write_volume(phantom("abdomen", seed=1).ct, scan)
            found["startup"] = startup_rows(scan, "--threads", str(threads), repeats=args.repeats)
        if "volume" in args.parts:
            scan = write_scan(Path(folder), args.depth)
            found["volume"] = [segment_row(scan, *words, threads=threads) for words in (("--all-slices",), ())]
        if "memory" in args.parts:
            found["memory"] = []
            for depth in args.lengths:
                scan = write_scan(Path(folder), depth)
                found["memory"].append(segment_row(scan, threads=threads))
                scan.unlink()
                _say(f"{depth} slices: {found['memory'][-1]['peak_bytes'] / 2**30:.2f} GiB")
    if "training" in args.parts:
        found["training"] = [
            row | {"base": base}
            for base in args.widths[:2]
            for row in training_rows(base=base, batch=8, threads=threads)
        ]
        found["feeding"] = feeding_rows(batch=8)
    print(tables(found))
    if args.output is not None:
        write_json(args.output, found)
    return 0


WAYS = (
    "torch-float32",
    "openvino-float32",
    "onnxruntime-float32",
    "openvino-bfloat16",
    "torch-bfloat16",
    "openvino-float32-search",
)


def _peaks(threads: int) -> dict[str, float]:
    from bench.network import convolution_peak

    return {name: convolution_peak(name, threads=threads) for name in ("float32", "bfloat16")}


def _ways(texts: Sequence[str], command: str) -> list[Way]:
    from bench.agreement import Way
    from rmaunet.core.errors import UsageError

    ways = []
    for text in texts:
        if text not in WAYS:
            raise UsageError(command, "--ways", text, "unknown", f"choose from {', '.join(WAYS)}")
        runtime, precision, *rest = text.split("-")
        ways.append(Way(runtime, precision, all_slices=not rest))
    return ways


def _agreement(args: Agreement) -> int:
    from bench.agreement import compare_ways, verdicts
    from bench.record import versions
    from rmaunet.core.errors import InputError
    from rmaunet.core.files import write_csv, write_json
    from rmaunet.core.machine import machine
    from rmaunet.datasets.detect_layout import find_cases
    from rmaunet.predict import load_weights

    ways = _ways(args.ways or WAYS[1:], "bench agreement")
    _, cases = find_cases(args.data)
    cases = [case for case in cases if case.label is not None and (not args.cases or case.name in args.cases)]
    if not cases or len(cases) < len(args.cases):
        known = {case.name for case in cases}
        missing = ", ".join(name for name in args.cases if name not in known)
        raise InputError(args.data, "cases", missing or 0, "no such labelled case", "see --cases")
    weights = load_weights(args.weights)
    content: dict[str, Any] = {
        "weights": {"name": weights.card.name, "sha256": weights.card.sha256},
        "libraries": versions(),
    }
    write_json(args.output / "manifest.json", {**content, "machine": machine()})
    rows: list[dict[str, Any]] = []
    for row in compare_ways(cases, weights, ways, say=_say):
        rows.append(row)
        write_csv(args.output / "agreement.csv", rows)
    for line in verdicts(rows):
        print(
            f"{line['way']:<28} liver {line['liver_dice']:.6f} tumor {line['tumor_dice']:.6f} largest change of a case's Dice "
            f"{line['largest_change']:.6f} slices {line['slices_computed']:.2f}"
            + (" accepted" if line["accepted"] else " NOT accepted")
        )
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
