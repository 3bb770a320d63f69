"""What a table will cost: steps, hours and disk, before anything is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmaunet.core.errors import RmaunetError
from rmaunet.datasets import ircadb, lits
from rmaunet.datasets.case import Case
from rmaunet.datasets.store.slice_store import Store
from rmaunet.io.nifti.nifti_header import parse_header
from rmaunet.networks.build import build_network
from rmaunet.networks.size import network_size
from rmaunet.paper.reproduce.plan import Plan, Run
from rmaunet.paper.reproduce.table_training import STORE_SIZE, finished, store_folder
from rmaunet.train.experiment import Experiment
from rmaunet.train.schedule import make_plan as lay_out

__all__ = ["TIMED", "RunCost", "Timer", "estimate"]

Timer = Callable[[Experiment], tuple[float, float]]
"""From an experiment to the seconds of one training step and of predicting one slice."""

TIMED = (128, 1)
"""Side and number of the slices a step is timed on before it is scaled to the experiment's."""

IRCADB_SLICES = 2823 / 20
LITS_SLICES = (58_638 - 2823) / 111
"""Mean slices of a scan where its header cannot be read: LiTS's other than 28-47, which are 3D-IRCADb's."""

LIVER_SHARE = {"lits": 0.3061, "ircadb": 0.7346}
"""Share of slices with liver: of LiTS's volumes other than 28-47, and of 3D-IRCADb's patients."""

MASK_BYTES_PER_VOXEL = 0.01  # a compressed mask; a store and a checkpoint are exact


@dataclass(frozen=True)
class RunCost:
    """One training and its test.

    Attributes:
        run: Which.
        done: Whether it is trained already.
        parameters: Weights of its network.
        epoch_slices: Slices in an epoch.
        exact: Whether they were counted (a store is there) or estimated from headers and LiTS's shares.
        steps: Optimiser steps.
        epochs: The protocol's epochs; where it counts steps, the passes over those slices that they make.
        step_seconds: One step; NaN without timing.
        train_hours: All steps; 0 if done.
        test_hours: Prediction of the test cases.
        run_bytes: Checkpoints, weights and masks.
    """

    run: Run
    done: bool
    parameters: int
    epoch_slices: int
    exact: bool
    steps: int
    epochs: float
    step_seconds: float
    train_hours: float
    test_hours: float
    run_bytes: int


def estimate(plan: Plan, out: Path, timer: Timer | None) -> tuple[list[RunCost], dict[str, int]]:
    """Estimate every run of a table, and the stores.

    Args:
        plan: The table.
        out: Folder of stores and runs.
        timer: Times a step of an experiment; called once a network. None leaves hours undefined (NaN).

    Returns:
        Costs of the runs, and bytes of each store that is needed.
    """
    known: dict[str, _Network] = {}
    slices = {case.name: _slices(case) for cases in plan.data.values() for case in cases}
    costs = []
    for run in plan.runs:
        key = run.experiment.name
        if key not in known:
            seconds = timer(run.experiment) if timer else (math.nan, math.nan)
            known[key] = _Network(_parameters(run.experiment), *seconds)
        costs.append(_cost(run, out, slices, known[key]))
    needed = {store_folder(out, cost.run): cost.run.data for cost in costs if not cost.done}
    stores = {folder.name: _store_bytes(plan.data[data], slices) for folder, data in needed.items()}
    return costs, stores


@dataclass(frozen=True)
class _Network:
    parameters: int
    step_seconds: float
    slice_seconds: float


def _parameters(experiment: Experiment) -> int:
    channels, side = experiment.preprocessing.channels, experiment.preprocessing.size
    shape = (1, channels, side, side)
    return network_size(lambda: build_network(experiment.network, in_channels=channels), shape).parameters


def _cost(run: Run, out: Path, slices: Mapping[str, float], network: _Network) -> RunCost:
    experiment = run.experiment
    epoch, exact = _epoch_slices(run, out, slices)
    training = experiment.training
    steps = lay_out(training, slices=epoch, size=experiment.preprocessing.size).steps
    done = finished(run)
    tested = sum(slices[case.name] for case in run.test)
    # Weights and Adam's two averages, twice (the checkpoint before is kept), and the released half precision.
    checkpoints = network.parameters * (4 * 3 * 2 + 2)
    return RunCost(
        run=run,
        done=done,
        parameters=network.parameters,
        epoch_slices=epoch,
        exact=exact,
        steps=steps,
        epochs=steps * training.batch / epoch if training.steps else float(training.epochs),
        step_seconds=network.step_seconds,
        train_hours=0.0 if done else steps * network.step_seconds / 3600,
        test_hours=tested * network.slice_seconds / 3600,
        run_bytes=checkpoints + round(tested * 512 * 512 * MASK_BYTES_PER_VOXEL),
    )


def _epoch_slices(run: Run, out: Path, slices: Mapping[str, float]) -> tuple[int, bool]:
    """Slices in an epoch, and whether they were counted."""
    every = run.experiment.sampling.slices == "all"
    try:
        store = Store(store_folder(out, run))
        cases = [store.case(name) for name in run.train]
        return max(1, sum(case.shape[0] if every else sum(n > 0 for n in case.liver) for case in cases)), True
    except RmaunetError:
        guessed = sum(slices[name] * (1.0 if every else _liver_share(name)) for name in run.train)
        return max(1, round(guessed)), False


def _is_ircadb(name: str) -> bool:
    return lits.number(name) in lits.IRCADB_VOLUMES or ircadb.patient_number(name) is not None


def _liver_share(name: str) -> float:
    return LIVER_SHARE["ircadb" if _is_ircadb(name) else "lits"]


def _slices(case: Case) -> float:
    """Slices by the NIfTI header; the data set's mean where there is none to read."""
    mean = IRCADB_SLICES if _is_ircadb(case.name) else LITS_SLICES
    if case.mask == "ircadb":
        return mean
    try:
        return float(parse_header(case.image)[1].shape[2])
    except RmaunetError:
        return mean


def _store_bytes(cases: Sequence[Case], slices: Mapping[str, float]) -> int:
    return round(2 * STORE_SIZE**2 * sum(slices[case.name] for case in cases))


def cost_line(cost: RunCost) -> dict[str, Any]:
    """A cost as plain JSON values."""
    experiment = cost.run.experiment
    return {
        "experiment": experiment.name,
        "network": experiment.network.name,
        "base": experiment.network.base,
        "loss": experiment.loss,
        "seed": experiment.seed,
        "fold": cost.run.fold,
        "trained": cost.done,
        "parameters": cost.parameters,
        "epochs": round(cost.epochs, 1),
        "batch": experiment.training.batch,
        "learning_rate": experiment.training.learning_rate,
        "train_cases": len(cost.run.train),
        "test_cases": len(cost.run.test),
        "leaked_cases": len(cost.run.leaked),
        "slices_per_epoch": cost.epoch_slices,
        "slices_counted": cost.exact,
        "steps": cost.steps,
        "seconds_per_step": cost.step_seconds,
        "train_hours": cost.train_hours,
        "test_hours": cost.test_hours,
        "bytes": cost.run_bytes,
    }
