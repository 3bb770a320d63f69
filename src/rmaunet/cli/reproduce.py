"""``rmaunet reproduce TABLE``: one of the paper's tables or figures, from the data as downloaded."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.runtimes.devices import check_device

if TYPE_CHECKING:
    from rmaunet.paper.reproduce.request import Request
    from rmaunet.train.experiment import Experiment

__all__ = ["Reproduce", "main"]


@dataclass(frozen=True)
class Reproduce:
    """Make a table or figure of the paper: train what is missing, predict, evaluate, write CSV, Markdown and LaTeX.

    The paper's numbers stand beside ours as "as reported", never in their place. The same command again goes on where it
    stopped and does nothing that is done. Tables: table1, table2, table5 (or table4, ablation), table6 (or loss), table7
    to table13; figures: figure6, figure7, figure8.

    Examples:
      rmaunet reproduce table7 --data LiTS/ -o repro --dry-run
      rmaunet reproduce table7 --data LiTS/ -o repro
      rmaunet reproduce table8 --data LiTS/ 3Dircadb1/ -o repro --protocol lits_clean
      rmaunet reproduce table7 --data LiTS/ -o small --scale small --seeds 2 --threads 2
    """

    table: tyro.conf.Positional[str]
    """Which table or figure."""
    data: Annotated[tuple[Path, ...], tyro.conf.arg(aliases=["-d"])]
    """Folders of the data sets it needs: LiTS, 3D-IRCADb, or both."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of stores, runs, tables and figures; one for each scale and window."""
    scale: Literal["paper", "small"] = "paper"
    """The paper's training (base 64, 256 x 256, 250 epochs), or one for two cores (128 x 128, 800 steps)."""
    window: tuple[float, float] | None = None
    """Lowest and highest HU instead of the paper's -200 200, for data that come windowed."""
    seeds: int = 1
    """Trainings of each row, with seeds 0, 1, ..."""
    folds: int | None = None
    """Folds by patient; by default the table's own: five for Tables 11 to 13, none for the others."""
    protocol: Literal["lits_paper", "lits_clean"] = "lits_paper"
    """Training volumes of LiTS: 27-130 (the paper), or those without 28-47, which are 3D-IRCADb's patients."""
    deep_supervision: bool = False
    """Train U-Net++ with a loss on each of its four heads."""
    paper_slices: bool = False
    """Score only slices on which the reference has liver, as the paper seems to have done; this flatters."""
    train: bool = True
    """Train what is missing; --no-train makes the table of what is trained already."""
    surface: bool = True
    """Measure distances between surfaces."""
    overlap: bool = False
    """Look for test scans in the training set by content; known ones (LiTS 28-47 in 3D-IRCADb) are marked without it."""
    patients: Path | None = None
    """JSON map of cases to patients: test volumes that are repeat scans are averaged before rows are compared."""
    device: str = "cpu"
    """Where networks are trained and tested: cpu, cuda, cuda:N or mps."""
    threads: int = 0
    """Threads for the networks; 0 takes one a core."""
    dry_run: bool = False
    """Print the plan with hours and disk, do nothing."""
    timing: bool = True
    """In a dry run, time some steps of each network on the device (some seconds each)."""
    json: bool = False
    """Print JSON: the plan of a dry run, or the manifests."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Reproduce, argv, "rmaunet reproduce")
    check_folder("reproduce", args.output, argv)
    check_device("reproduce", args.device, auto=False)
    refuse_inputs([], args.data, folder=args.output)
    import torch

    from rmaunet.datasets.splits import read_patients
    from rmaunet.paper.reproduce.request import FIGURES, Request

    if args.threads:
        torch.set_num_threads(args.threads)
    request = Request(
        roots=args.data,
        out=args.output,
        scale=args.scale,
        window_hu=args.window,
        seeds=args.seeds,
        folds=args.folds,
        protocol=args.protocol,
        deep_supervision=args.deep_supervision,
        paper_slices=args.paper_slices,
        train=args.train,
        patients=read_patients(args.patients) if args.patients else None,
        surface=args.surface,
        overlap=args.overlap,
        device=args.device,
    )
    if args.dry_run:
        return _dry_run(args, request)
    from rmaunet.train.allocator import keep_freed_memory

    keep_freed_memory()
    if args.table in FIGURES:
        from rmaunet.paper.reproduce.slice_figures import reproduce_figure

        for path in reproduce_figure(args.table, request, _say):
            print(path)
        return 0
    return _tables(args, request)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _tables(args: Reproduce, request: Request) -> int:
    import json

    from rmaunet.core.files import read_json
    from rmaunet.paper.reproduce.build_table import reproduce

    made = reproduce(args.table, request, _say)
    if args.json:
        print(json.dumps([read_json(one.files[-1]) for one in made], indent=2))
        return 0
    for one in made:
        print(next(path for path in one.files if path.suffix == ".md").read_text(encoding="utf-8"), end="")
        print(f"files in {one.files[-1].parent}", file=sys.stderr)
    return 0


def _dry_run(args: Reproduce, request: Request) -> int:
    import json

    from rmaunet.paper.reproduce.build_table import plans
    from rmaunet.paper.reproduce.estimate import estimate
    from rmaunet.paper.reproduce.plan_text import plan_json, plan_text
    from rmaunet.paper.reproduce.request import FIGURES

    found = []
    for plan in plans(FIGURES.get(args.table, args.table), request):
        costs, stores = estimate(plan, request.out, partial(_timer, args.device) if args.timing else None)
        found.append((plan, costs, stores))
    if args.json:
        content: list[dict[str, Any]] = [plan_json(*one) for one in found]
        print(json.dumps(content, indent=2))
    else:
        print("\n".join(plan_text(*one) for one in found), end="")
    return 0


def _timer(device: str, experiment: Experiment) -> tuple[float, float]:
    """Seconds of one training step and of predicting one slice, scaled by pixels from a small one."""
    from rmaunet.paper.reproduce.estimate import TIMED
    from rmaunet.train.step_timing import time_step

    _say(f"timing steps of {experiment.network.name}, base {experiment.network.base}")
    side, slices = TIMED
    timed = time_step(experiment, size=side, batch=slices, device=device)
    ratio = (experiment.preprocessing.size / side) ** 2 / slices
    return timed.gradient * ratio * experiment.training.batch + timed.update, timed.forward * ratio
