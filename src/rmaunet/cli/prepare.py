"""``rmaunet prepare DATASET ROOT -o STORE``: a data set becomes a slice store for training."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from rmaunet.cli.label_option import values_of
from rmaunet.cli.layout_option import Layout
from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse

__all__ = ["Prepare", "main"]


@dataclass(frozen=True)
class Prepare:
    """Read a labelled data set, check it, window and resize its slices, and write a store that training reads.

    Example: rmaunet prepare lits LiTS/ -o stores/lits
    """

    dataset: tyro.conf.Positional[Layout]
    """Layout of ROOT: LiTS (volume-N, segmentation-N), 3D-IRCADb-01, MSD Task03, or imagesTr/labelsTr."""
    root: tyro.conf.Positional[Path]
    """Folder of the data set."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the store; an older store there is replaced."""
    window: tuple[float, float] = (-200.0, 200.0)
    """Lowest and highest HU kept; the paper's is -200 200."""
    size: int = 256
    """Side of the stored slices in pixels."""
    grid: Literal["matrix", "spacing", "centre_crop"] = "matrix"
    """How a slice comes to that size: the whole matrix resized (our reading of the paper), or see docs/concepts/network.md."""
    spacing_mm: float = 1.5
    """Pixel side for --grid spacing."""
    patients: Path | None = None
    """JSON map of cases to patients, {"volume-0": "A", "volume-1": "A"}, where a patient has several scans."""
    licence: str | None = None
    """Name and licence of the data; cards of networks trained on it repeat it. None to use what is known of the layout."""
    label: tuple[str, ...] = ()
    """What the masks' values mean, e.g. 5=liver 7=tumor; values not named are background. By default as the data set says."""
    json: bool = False
    """Print the summary as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Prepare, argv, "rmaunet prepare")
    check_folder("prepare", args.output, argv)
    labels = values_of("prepare", args.label)
    import json

    from rmaunet.core.errors import UsageError
    from rmaunet.datasets import DATASETS
    from rmaunet.datasets.splits import read_patients
    from rmaunet.datasets.store.build_store import prepare_store
    from rmaunet.datasets.store.slice_store import Store
    from rmaunet.preprocess import Preprocessing

    try:
        settings = Preprocessing(window_hu=args.window, size=args.size, grid=args.grid, spacing_mm=args.spacing_mm)
    except ValueError as error:
        name, _, rest = str(error).partition(" = ")
        value, _, problem = rest.partition(": ")
        raise UsageError("prepare", f"--{name}", value, problem, "see `rmaunet prepare --help`") from error
    patients = read_patients(args.patients) if args.patients else {}
    found = [case for case in DATASETS[args.dataset](args.root) if case.label is not None]
    if labels is not None:
        found = [replace(case, labels=labels) for case in found]
    written = [args.output / name for name in ("index.json", "images.u8", "labels.u8")]
    files = [path for case in found for path in (case.image, case.label)]
    refuse_inputs(written, (*files, args.root, args.patients), folder=args.output)
    cases = [replace(case, patient=patients.get(case.name, case.patient)) for case in found]

    def progress(done: int, of: int, name: str) -> None:
        if name:
            print(f"[{done + 1}/{of}] {name}", file=sys.stderr, flush=True)

    licence = DATASETS[args.dataset].licence_of(args.root) if args.licence is None else args.licence
    failures = prepare_store(cases, args.output, settings, licence=licence, progress=progress)
    for _, failure in failures:
        print(f"error: {failure}", file=sys.stderr)
    store = Store(args.output)
    summary = {
        "store": str(args.output),
        "cases": len(store.cases),
        "slices": sum(case.shape[0] for case in store.cases),
        "liver_slices": sum(sum(n > 0 for n in case.liver) for case in store.cases),
        "tumor_slices": sum(sum(n > 0 for n in case.tumor) for case in store.cases),
        "licence": store.licence,
        "failed": [name for name, _ in failures],
    }
    if args.json:
        print(json.dumps(summary, indent=2))
    else:
        print(
            f"{summary['cases']} cases, {summary['slices']} slices ({summary['liver_slices']} with liver, "
            f"{summary['tumor_slices']} with tumor) in {args.output}"
        )
    return 3 if failures else 0
