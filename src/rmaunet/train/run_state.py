"""What a run consists of besides its data: network, optimiser, average, step; begun, kept, continued, released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from rmaunet.core.errors import InputError, ModelError
from rmaunet.core.machine import machine
from rmaunet.core.settings import from_dict, to_dict
from rmaunet.networks.build import build_network
from rmaunet.predict.weights import ModelCard, Weights, save_weights
from rmaunet.predict.weights_licence import UNSTATED_LICENCE
from rmaunet.train.checkpoint import load_checkpoint, save_checkpoint
from rmaunet.train.experiment import Experiment

__all__ = ["RunState", "begin"]

Tensors = tuple[Tensor, ...] | list[Tensor]


@dataclass
class RunState:
    """A run, alive.

    Attributes:
        experiment: What is trained.
        network: Being trained.
        optimiser: Of its weights.
        average: Of its weights, or None.
        cases: Names of all cases the weights will have seen.
        licence: Licence of the weights, from that of the data.
        step: Steps done.
        origin: What the card of the weights that the run began with says of their training; empty for fresh ones.
    """

    experiment: Experiment
    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: AveragedModel | None
    cases: tuple[str, ...] = ()
    licence: str = UNSTATED_LICENCE
    step: int = 0
    origin: Mapping[str, Any] = field(default_factory=dict)

    def update_average(self) -> None:
        """Move the average toward the network, after an optimizer step."""
        if self.average:
            self.average.n_averaged.fill_(self.step + 1)  # steps without an update count as well
            self.average.update_parameters(self.network)

    def resume(self, folder: Path) -> bool:
        """Go on from the folder's checkpoint; False if there is none.

        Raises:
            InputError: If the checkpoint is of another experiment, or cannot be read.
        """
        stored = load_checkpoint(folder)
        if stored is None:
            return False
        _same_experiment(stored["experiment"], self.experiment, folder)
        self.step = int(stored["step"])
        self.network.load_state_dict(stored["network"])
        self.optimiser.load_state_dict(stored["optimiser"])
        if self.average:
            self.average.module.load_state_dict(stored["average"])
        return True

    def keep(self, folder: Path) -> None:
        """Write the checkpoint, and the weights as they could be released.

        Raises:
            OutputError: If the disk is full; what was kept before stays.
        """
        state = {
            "step": self.step,
            "experiment": to_dict(self.experiment),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.module.state_dict() if self.average else None,
        }
        save_checkpoint(folder, state)
        card = ModelCard(
            name=self.experiment.name,
            network=self.experiment.network,
            preprocessing=self.experiment.preprocessing,
            postprocessing=self.experiment.postprocessing,
            trained_on=self.cases,
            licence=self.licence,
            experiment=to_dict(self.experiment),
            training={"steps": self.step, **machine(), **self._further()},
        )
        save_weights(folder / "weights", self.average.module if self.average else self.network, card)

    def _further(self) -> dict[str, Any]:
        place = next(self.network.parameters()).device
        card = {"device": torch.cuda.get_device_name(place)} if place.type == "cuda" else {}
        return card | ({"start": dict(self.origin)} if self.origin else {})


def begin(experiment: Experiment, place: torch.device, start: Weights | None) -> RunState:
    """A run at step 0.

    Args:
        experiment: What to train; its seed must have been set.
        place: Device of the network.
        start: Weights to begin with instead of fresh ones.

    Returns:
        The run.

    Raises:
        ModelError: If ``start`` is of another network.
    """
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
    average = _running_average(network, settings.ema_decay) if settings.ema_decay else None
    origin = start.card.training if start else {}
    return RunState(experiment, network, optimiser, average, origin=origin)


def _running_average(network: nn.Module, decay: float) -> AveragedModel:
    """Exponential moving average of parameters and buffers; not in the paper.

    Args:
        network: The network to follow.
        decay: Share kept in each step after warm-up; early steps keep less, (1 + step) / (10 + step).
    """

    def move(mine: Tensors, theirs: Tensors, count: Tensor | int) -> None:
        if not mine[0].is_floating_point():
            torch._foreach_copy_(mine, theirs)
            return
        step = int(count) - 1
        keep = min(decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(mine, theirs, 1 - keep)

    average = AveragedModel(network, multi_avg_fn=move, use_buffers=True)
    return average.eval().requires_grad_(False)


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
