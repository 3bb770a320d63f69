"""``rmaunet train``: an experiment and a store become weights."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.settings import from_dict, nearest, read_json

if TYPE_CHECKING:
    from rmaunet.train.experiment import Experiment

__all__ = ["Train", "main"]


@dataclass(frozen=True)
class Train:
    """Train a network on a store; the same command again goes on where the run stopped.

    Example: rmaunet train --data stores/lits --split lits_paper -o runs/paper
    """

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder of the run: checkpoints, log.csv, experiment.json, weights/."""
    data: Annotated[Path | None, tyro.conf.arg(aliases=["-d"])] = None
    """Store made by `rmaunet prepare` (not needed with --dry-run)."""
    experiment: Annotated[str, tyro.conf.arg(aliases=["-e"])] = "paper"
    """Name of an experiment; `rmaunet train --list` names them."""
    config: Path | None = None
    """An experiment.json to use instead, as stored in a run's folder."""
    start: str | None = None
    """Weights to begin with instead of fresh ones: a name or a folder; the network must be the same."""
    split: str = "all"
    """Which cases of the store: all, lits_paper (27-130), lits_clean (without 28-47), or a split's JSON file."""
    steps: int | None = None
    """Optimiser steps instead of the experiment's."""
    seed: int | None = None
    """Seed instead of the experiment's."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""
    threads: int = 0
    """Threads for the network; 0 takes one a core."""
    workers: int = 0
    """Threads that make batches; 0 takes one, or up to four for a graphics card."""
    device: str = "cpu"
    """cpu, cuda, cuda:N or mps."""
    dry_run: bool = False
    """Check and print the experiment and the plan, train nothing."""
    list: bool = False
    """Print the experiments' names and end."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    if "--list" in argv:
        return _list()
    args = parse(Train, argv, "rmaunet train")
    from rmaunet.core.settings import to_dict
    from rmaunet.runtimes.devices import check_device

    check_folder("train", args.output, argv)
    check_device("train", args.device, auto=False)
    experiment = _experiment(args)
    parameters = _parameters(args, experiment)
    if args.dry_run:
        print(json.dumps({"experiment": to_dict(experiment), "parameters": parameters}, indent=2))
        return 0
    _refuse_inputs(args, to_dict(experiment))
    if args.data is None:
        raise UsageError("train", "--data", None, "is missing", "give a store made by `rmaunet prepare`")
    print(_train(args, args.data, experiment))
    return 0


def _list() -> int:
    from rmaunet.paper.experiments import EXPERIMENTS

    for name, known in EXPERIMENTS.items():
        print(f"{name:<16} {known.network.name} base {known.network.base}, loss {known.loss}")
    return 0


def _parameters(args: Train, experiment: Experiment) -> int:
    """Number of parameters of the network. Raises UsageError or InputError if it cannot be built."""
    import torch

    from rmaunet.networks.build import build_network

    try:
        with torch.device("meta"):  # shapes alone: a network too large for this machine is not made to count it
            network = build_network(experiment.network, in_channels=experiment.preprocessing.channels)
    except (ValueError, TypeError, RuntimeError) as error:
        kind = UsageError if args.config is None else InputError
        text = " ".join(str(error).split())[:300]
        raise kind(args.config or experiment.name, "network", None, text, "correct it") from error
    return sum(p.numel() for p in network.parameters())


def _train(args: Train, data: Path, experiment: Experiment) -> Path:
    import torch

    from rmaunet.datasets.splits import split_cases
    from rmaunet.datasets.store.slice_store import Store
    from rmaunet.predict import load_weights
    from rmaunet.train import HowToTrain, train
    from rmaunet.train.allocator import keep_freed_memory

    keep_freed_memory()
    if args.threads:
        torch.set_num_threads(args.threads)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    store = Store(data, check=True)
    cases, _ = split_cases(args.split, [case.name for case in store.cases])
    start = load_weights(args.start) if args.start else None
    how = HowToTrain(args.checkpoint_every, device=args.device, workers=args.workers)
    return train(experiment, store, cases, args.output, start=start, say=say, how=how)


def _refuse_inputs(args: Train, experiment: dict[str, Any]) -> None:
    """Refuse a run's folder in which the configuration, the start weights or the split would be written over."""
    from rmaunet.predict.weights import weights_files

    kept = args.output / "experiment.json"
    inputs = [args.config, Path(args.split)]
    if args.config is not None and kept.exists() and args.config.samefile(kept):
        same = json.loads(args.config.read_text(encoding="utf-8")) == json.loads(json.dumps(experiment))
        inputs = inputs[1:] if same else inputs  # the run's own file, written again as it is
    written = [
        kept,
        *(args.output / name for name in ("manifest.json", "log.csv", "checkpoint.pt", "fingerprints.json")),
    ]
    written += [args.output / "weights" / name for name in ("card.json", "model.safetensors", "fingerprints.json")]
    refuse_inputs(written, (*inputs, *(weights_files(args.start) if args.start else ())))


def _experiment(args: Train) -> Experiment:
    """The experiment by name or file, with the steps and the seed of the command line."""
    experiment = _stored(args.config) if args.config is not None else _named(args.experiment)
    for option, value, least in (("--steps", args.steps, 1), ("--seed", args.seed, 0)):
        if value is not None and value < least:
            raise UsageError("train", option, value, f"must be at least {least}", "give a positive number")
    if args.steps is not None:
        experiment = replace(experiment, training=replace(experiment.training, steps=args.steps))
    return experiment if args.seed is None else replace(experiment, seed=args.seed)


def _named(name: str) -> Experiment:
    from rmaunet.paper.experiments import EXPERIMENTS

    if name not in EXPERIMENTS:
        raise UsageError("train", "--experiment", name, "unknown", nearest(name, EXPERIMENTS))
    return EXPERIMENTS[name]


def _stored(path: Path) -> Experiment:
    from rmaunet.losses import LOSSES
    from rmaunet.train.experiment import Experiment

    experiment = from_dict(Experiment, read_json(path), subject=str(path))
    if experiment.loss not in LOSSES:
        raise InputError(path, "loss", experiment.loss, "unknown", nearest(experiment.loss, LOSSES))
    return experiment
