"""The training loop, top to bottom: batches in, weights out; resumable bit for bit on a CPU."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rmaunet.data.fingerprint import read_fingerprints, write_fingerprints
from rmaunet.data.sampling import Sampler
from rmaunet.data.store import Store
from rmaunet.data.store_fingerprints import store_fingerprints
from rmaunet.errors import InputError, ModelError, RmaunetError, UsageError
from rmaunet.experiments.experiment import Experiment
from rmaunet.files import write_json
from rmaunet.losses import LOSSES
from rmaunet.networks.build import build_network
from rmaunet.predict.denormals import flushed_denormals
from rmaunet.predict.weights import FINGERPRINTS, ModelCard, Weights, save_weights
from rmaunet.runs import locked, machine
from rmaunet.settings import from_dict, to_dict
from rmaunet.train.batches import Batch, Batches, seen_cases
from rmaunet.train.checkpoint import load_checkpoint, save_checkpoint
from rmaunet.train.device import usable_device
from rmaunet.train.ema import Average
from rmaunet.train.heads import mean_loss, training_logits
from rmaunet.train.log import Log
from rmaunet.train.plan import Plan, make_plan

__all__ = ["TrainingError", "train"]

SAY_EVERY = 20
BAD_STEPS = 10  # non-finite losses in a row before a run gives up


class TrainingError(RmaunetError):
    """The loss is not finite any more (exit code 1)."""


@dataclass
class _State:
    """What a checkpoint holds, alive."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: Average | None
    cases: tuple[str, ...] = ()
    step: int = 0

    def pack(self, experiment: Experiment) -> dict[str, Any]:
        return {
            "step": self.step,
            "experiment": to_dict(experiment),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.network.state_dict() if self.average else None,
        }

    def unpack(self, stored: dict[str, Any]) -> None:
        self.step = int(stored["step"])
        self.network.load_state_dict(stored["network"])
        self.optimiser.load_state_dict(stored["optimiser"])
        if self.average:
            self.average.network.load_state_dict(stored["average"])


def train(
    experiment: Experiment,
    store: Store,
    cases: Sequence[str],
    folder: Path,
    *,
    start: Weights | None = None,
    checkpoint_every: int = 200,
    say: Callable[[str], None] = lambda _: None,
    validate: Callable[[nn.Module, int], None] | None = None,
    validate_every: int = 0,
    stop_after: int | None = None,
    device: str = "cpu",
) -> Path:
    """Train an experiment, or go on where it stopped.

    Args:
        experiment: What to train.
        store: Slices made with the experiment's window.
        cases: Names of the training cases.
        folder: The run's folder; a checkpoint there is continued.
        start: Weights to begin with instead of fresh ones; a checkpoint goes before them.
        checkpoint_every: Steps between checkpoints.
        say: Told the progress, a line at a time.
        validate: Called with the network to be released (the average, if there is one) and the steps done.
        validate_every: Steps between calls; 0 never.
        stop_after: Stop with a checkpoint once this many steps are done in all.
        device: "cpu", "cuda", "cuda:1", "mps"; a run may go on on another one, bit for bit only on a CPU.

    Returns:
        The folder of the weights, ``folder / "weights"``; they are written at the end and with every checkpoint.

    Raises:
        InputError: If the store does not fit the experiment, or the folder holds another experiment.
        ModelError: If ``start`` is of another network.
        OutputError: If the folder is in use or the disk is full.
        TrainingError: If the loss stays non-finite, naming step and cases.
        UsageError: If the device cannot be used here.
        KeyboardInterrupt: On Ctrl-C or SIGTERM, after a checkpoint.
    """
    _check(experiment, store)
    torch.manual_seed(experiment.seed)
    sampler = Sampler([store.case(name) for name in cases], experiment.sampling, seed=experiment.seed)
    plan = make_plan(experiment.training, slices=len(sampler), size=experiment.preprocessing.size)
    place = usable_device(device)
    batches = Batches(store, experiment, plan, sampler, pin=place.type == "cuda")
    with flushed_denormals(), locked(folder), _Stopping() as stopping:
        state = _start(experiment, place, start)
        state.cases = tuple(dict.fromkeys((*(start.card.trained_on if start else ()), *cases)))
        stored = load_checkpoint(folder)
        if stored is not None:
            _same_experiment(stored["experiment"], experiment, folder)
            state.unpack(stored)
            say(f"continuing after step {state.step} of {plan.steps}")
        log = Log(folder / "log.csv", ("step", "loss", "learning_rate", "size", "batch"))
        log.cut(state.step)
        write_json(folder / "experiment.json", to_dict(experiment))
        manifest = {"cases": list(cases), "steps": plan.steps, "start": _origin(start), "machine": machine()}
        write_json(folder / "manifest.json", manifest)
        _keep_fingerprints(folder, store, cases, start)
        _run(state, experiment, plan, batches, folder, log, stopping, say, checkpoint_every, validate, validate_every,
             stop_after)  # fmt: skip
        return folder / "weights"


def _check(experiment: Experiment, store: Store) -> None:
    if experiment.loss not in LOSSES:
        known = ", ".join(LOSSES)
        raise UsageError(experiment.name, "loss", experiment.loss, "unknown", f"choose from {known}")
    if store.preprocessing.window_hu != experiment.preprocessing.window_hu:
        raise InputError(
            store.root,
            "window_hu",
            store.preprocessing.window_hu,
            f"the experiment's is {experiment.preprocessing.window_hu}",
            "prepare the store with that window",
        )


def _same_experiment(stored: dict[str, Any], experiment: Experiment, folder: Path) -> None:
    """A run may be lengthened or shortened; nothing else about it may change. A setting it does not know has its default."""
    stored = to_dict(from_dict(Experiment, stored, subject=str(folder / "checkpoint.pt")))
    mine = to_dict(experiment)
    for part in (stored["training"], mine["training"]):
        part["steps"] = part["epochs"] = 0
    stored["name"] = mine["name"]
    for key in mine:
        if mine[key] != stored.get(key):
            raise InputError(folder, "experiment.json", key, "differs from the run started here", "use a new folder")


def _keep_fingerprints(folder: Path, store: Store, cases: Sequence[str], start: Weights | None) -> None:
    """Fingerprints of everything the weights will have seen, what they started from included."""
    earlier = start.folder / FINGERPRINTS if start and start.folder else None
    prints = read_fingerprints(earlier) if earlier and earlier.is_file() else []
    write_fingerprints(folder / "weights" / FINGERPRINTS, [*prints, *store_fingerprints(store, cases)])


def _origin(start: Weights | None) -> dict[str, Any] | None:
    """What a manifest says of the weights a run began with; their patients count as seen by the new ones."""
    if start is None:
        return None
    return {"name": start.card.name, "sha256": start.card.sha256, "trained_on": list(start.card.trained_on)}


def _start(experiment: Experiment, place: torch.device, start: Weights | None) -> _State:
    settings = experiment.training
    network = build_network(experiment.network, in_channels=experiment.preprocessing.channels)
    if start is not None:
        mine = (experiment.network, experiment.preprocessing.channels)
        if (start.card.network, start.card.preprocessing.channels) != mine:
            what = f"{start.card.network.name} base {start.card.network.base}, {start.card.preprocessing.channels} channels"
            raise ModelError(start.card.name, "network", what, "is not the experiment's", "start from weights that are")
        network.load_state_dict(dict(start.state))
    network = network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    make = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    optimiser = make(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
    average = Average(network, decay=settings.ema_decay) if settings.ema_decay else None
    return _State(network, optimiser, average)


def _run(
    state: _State,
    experiment: Experiment,
    plan: Plan,
    batches: Batches,
    folder: Path,
    log: Log,
    stopping: _Stopping,
    say: Callable[[str], None],
    checkpoint_every: int,
    validate: Callable[[nn.Module, int], None] | None,
    validate_every: int,
    stop_after: int | None,
) -> None:
    loss_of = LOSSES[experiment.loss]()
    last = min(plan.steps, stop_after) if stop_after is not None else plan.steps
    place = next(state.network.parameters()).device
    bad, summed, counted, began, slices = 0, 0.0, 0, time.perf_counter(), 0

    def keep() -> None:
        save_checkpoint(folder, state.pack(experiment))
        _release(state, experiment, folder)

    for step, batch in batches.from_step(state.step):
        if step >= last or stopping.asked:
            break
        value = _step(state, experiment, plan, loss_of, step, batch.to(place))
        bad = 0 if math.isfinite(value) else bad + 1
        if bad >= BAD_STEPS:
            what = f"{value} for {bad} steps in a row, last on {seen_cases(batch.refs)}"
            raise TrainingError(folder, f"loss at step {step}", what, "training diverged", "lower the learning rate")
        state.step = step + 1
        rate = plan.learning_rate(step)
        # A row a step: a resumed run's log equals that of a run never stopped.
        log.add(step=step, loss=value, learning_rate=rate, size=batch.images.shape[-1], batch=len(batch.refs))
        summed, counted, slices = summed + value, counted + 1, slices + len(batch.refs)
        if state.step % SAY_EVERY == 0 or state.step == last:
            speed = slices / (time.perf_counter() - began)
            say(f"step {state.step}/{plan.steps} loss {summed / counted:.4f} lr {rate:.2e} {speed:.1f} slices/s")
            summed, counted, began, slices = 0.0, 0, time.perf_counter(), 0
        if state.step % checkpoint_every == 0:
            keep()
        if validate and validate_every and state.step % validate_every == 0:
            validate(state.average.network if state.average else state.network, state.step)
    keep()
    if stopping.asked:
        raise KeyboardInterrupt


def _step(state: _State, experiment: Experiment, plan: Plan, loss_of: nn.Module, step: int, batch: Batch) -> float:
    """One optimiser step; returns the loss. A loss that is not finite changes nothing."""
    for group in state.optimiser.param_groups:
        group["lr"] = plan.learning_rate(step)
    images = batch.images.to(memory_format=torch.channels_last)
    state.network.train()
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=experiment.training.precision == "bfloat16"):
        heads = training_logits(state.network, images)
    loss = mean_loss(loss_of, heads, batch.targets)
    value = float(loss.detach())
    if not math.isfinite(value):
        return value
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if experiment.training.gradient_clip:
        nn.utils.clip_grad_norm_(state.network.parameters(), experiment.training.gradient_clip)
    state.optimiser.step()
    if state.average:
        state.average.update(state.network, step)
    return value


def _release(state: _State, experiment: Experiment, folder: Path) -> None:
    network = state.average.network if state.average else state.network
    card = ModelCard(
        name=experiment.name,
        network=experiment.network,
        preprocessing=experiment.preprocessing,
        postprocessing=experiment.postprocessing,
        trained_on=state.cases,
        experiment=to_dict(replace(experiment)),
        training={"steps": state.step, **machine()},
    )
    save_weights(folder / "weights", network, card)


class _Stopping:
    """Turns Ctrl-C and SIGTERM into a flag for the length of a run (main thread only)."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Stopping:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, *_: object) -> None:
        self.asked = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
