"""The training loop, top to bottom: batches in, weights out; resumable bit for bit on a CPU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rmaunet.core.errors import InputError, RmaunetError, UsageError
from rmaunet.core.files import write_json
from rmaunet.core.machine import machine
from rmaunet.core.runs import locked
from rmaunet.core.settings import to_dict
from rmaunet.datasets.store.slice_store import Store
from rmaunet.leaks.fingerprint import read_fingerprints, write_fingerprints
from rmaunet.leaks.store_fingerprints import store_fingerprints
from rmaunet.losses import LOSSES
from rmaunet.predict.weights import FINGERPRINTS, Weights
from rmaunet.predict.weights_licence import joined_licence, licence_of_data
from rmaunet.runtimes.denormals import flushed_denormals
from rmaunet.train.augment.liver_free_cases import add_negatives
from rmaunet.train.batches import Batch, Batches, seen_cases
from rmaunet.train.deep_supervision import mean_loss, training_logits
from rmaunet.train.experiment import Experiment
from rmaunet.train.progress import ORGANS, Overlap, Speaker, overlaps
from rmaunet.train.run_state import RunState, begin
from rmaunet.train.sampling import Sampler
from rmaunet.train.schedule import Plan, make_plan
from rmaunet.train.stop_signals import Stopping
from rmaunet.train.training_device import feeding_threads, usable_device
from rmaunet.train.training_log import Log

__all__ = ["HowToTrain", "TrainingError", "train"]

SAY_EVERY = 20
BAD_STEPS = 10  # non-finite losses in a row before a run gives up


class TrainingError(RmaunetError):
    """The loss is not finite any more (exit code 1)."""


@dataclass(frozen=True)
class HowToTrain:
    """Settings of a training that do not change its result.

    Attributes:
        checkpoint_every: Steps between checkpoints.
        stop_after: Stop with a checkpoint after this many steps in total; None to train to the end.
        device: "cpu", "cuda", "cuda:1" or "mps". A run may continue on another device; results are equal bit for bit only
            on a CPU.
        workers: Threads that make batches; 0 for one, or up to four for a graphics card.
    """

    checkpoint_every: int = 200
    stop_after: int | None = None
    device: str = "cpu"
    workers: int = 0


def train(
    experiment: Experiment,
    store: Store,
    cases: Sequence[str],
    folder: Path,
    *,
    start: Weights | None = None,
    say: Callable[[str], None] = lambda _: None,
    how: HowToTrain | None = None,
) -> Path:
    """Train an experiment, or continue a run.

    Args:
        experiment: What to train.
        store: Slices made with the experiment's window.
        cases: Names of the training cases.
        folder: Folder of the run. If it has a checkpoint, the run is continued.
        start: Initial weights. Ignored if the folder already has a checkpoint.
        say: Called with one line of progress at a time.
        how: Device, threads and checkpoints; None for the defaults.

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
    how = how or HowToTrain()
    _check(experiment, store)
    torch.manual_seed(experiment.seed)
    negatives = add_negatives(store) if experiment.sampling.negative_share else ()
    chosen = [store.case(name) for name in cases]
    sampler = Sampler(chosen, experiment.sampling, seed=experiment.seed, negatives=negatives)
    plan = make_plan(experiment.training, slices=len(sampler), size=experiment.preprocessing.size)
    place = usable_device(how.device)
    batches = Batches(
        store, experiment, plan, sampler, pin=place.type == "cuda", workers=feeding_threads(place, how.workers)
    )
    with flushed_denormals(), locked(folder), Stopping() as stopping:
        state = begin(experiment, place, start)
        state.cases = tuple(dict.fromkeys((*(start.card.trained_on if start else ()), *cases)))
        own = licence_of_data(store.licence)
        state.licence = joined_licence(start.card.licence, own) if start else own
        if state.resume(folder):
            say(f"continuing after step {state.step} of {plan.steps}")
        write_json(folder / "experiment.json", to_dict(experiment))
        manifest = {"cases": list(cases), "steps": plan.steps, "start": _origin(start), "machine": machine()}
        write_json(folder / "manifest.json", manifest)
        _keep_fingerprints(folder, store, cases, start)
        last = min(plan.steps, how.stop_after) if how.stop_after is not None else plan.steps
        for done in _steps(state, plan, batches, folder, last=last, say=say):
            if stopping.asked:
                break
            if done % how.checkpoint_every == 0:
                state.keep(folder)
        state.keep(folder)
        if stopping.asked:
            raise KeyboardInterrupt
        return folder / "weights"


def _steps(
    state: RunState, plan: Plan, batches: Batches, folder: Path, *, last: int, say: Callable[[str], None]
) -> Iterator[int]:
    """Train from the state's step to ``last``, yielding the number of steps done after each."""
    loss_of = LOSSES[state.experiment.loss]()
    place = next(state.network.parameters()).device
    log = Log(
        folder / "log.csv", ("step", "loss", "learning_rate", "size", "batch", *(f"{organ}_dice" for organ in ORGANS))
    )
    log.cut(state.step)
    speaker = Speaker(say, plan.steps)
    bad = 0
    for step, batch in batches.from_step(state.step):
        if step >= last:
            return
        rate = plan.learning_rate(step)
        value, seen = _step(state, loss_of, batch.to(place), rate)
        bad = 0 if math.isfinite(value) else bad + 1
        if bad >= BAD_STEPS:
            what = f"{value} for {bad} steps in a row, last on {seen_cases(batch.refs)}"
            raise TrainingError(folder, f"loss at step {step}", what, "training diverged", "lower the learning rate")
        state.step = step + 1
        # A row a step: a resumed run's log equals that of a run never stopped.
        dice = {f"{organ}_dice": one.dice for organ, one in zip(ORGANS, seen, strict=True)}
        log.add(step=step, loss=value, learning_rate=rate, size=batch.images.shape[-1], batch=len(batch.refs), **dice)
        speaker.heard(value, seen, len(batch.refs))
        if state.step % SAY_EVERY == 0 or state.step == last:
            speaker.speak(state.step, rate)
        yield state.step


def _step(state: RunState, loss_of: nn.Module, batch: Batch, learning_rate: float) -> tuple[float, tuple[Overlap, ...]]:
    """One optimiser step; returns the loss and the batch's overlaps. A loss that is not finite changes nothing."""
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate
    settings = state.experiment.training
    images = batch.images.to(memory_format=torch.channels_last)
    state.network.train()
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=settings.precision == "bfloat16"):
        heads = training_logits(state.network, images)
    loss = mean_loss(loss_of, heads, batch.targets)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    # A graphics card is asked for numbers only now, when it has all this to do already.
    inside = state.experiment.postprocessing.tumor_inside_liver
    seen = overlaps(torch.stack(heads).mean(dim=0), batch.targets, tumor_inside_liver=inside)
    value = float(loss.detach())
    if not math.isfinite(value):
        return value, seen
    if settings.gradient_clip:
        nn.utils.clip_grad_norm_(state.network.parameters(), settings.gradient_clip)
    state.optimiser.step()
    state.update_average()
    return value, seen


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
