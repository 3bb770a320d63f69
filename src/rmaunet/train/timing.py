"""What a step costs on this machine: one is timed small, and scaled."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from rmaunet.experiments.experiment import Experiment
from rmaunet.losses import LOSSES
from rmaunet.networks.build import build_network
from rmaunet.predict.denormals import flushed_denormals
from rmaunet.train.heads import mean_loss, training_logits

__all__ = ["StepTime", "time_step"]


@dataclass(frozen=True)
class StepTime:
    """Seconds of a step's parts.

    Attributes:
        gradient: Forward and backward pass; grows with the pixels.
        update: The optimiser; depends on the number of weights only.
        forward: Forward pass in evaluation mode; grows with the pixels.
    """

    gradient: float
    update: float
    forward: float


def time_step(experiment: Experiment, *, size: int, batch: int) -> StepTime:
    """Time one optimiser step and one forward pass after a step of warming up.

    Args:
        experiment: Its network, loss and optimiser's kind are used.
        size: Side of the random slices timed, a multiple of the network's factor.
        batch: Slices.

    Returns:
        The seconds.
    """
    channels = experiment.preprocessing.channels
    network = build_network(experiment.network, in_channels=channels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-6, fused=True)
    loss_of = LOSSES[experiment.loss]()
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, channels, size, size, generator=generator).mul(2).sub(1)
    images = images.to(memory_format=torch.channels_last)
    targets = (torch.rand(batch, 2, size, size, generator=generator) > 0.9).float()

    def step() -> tuple[float, float]:
        optimiser.zero_grad(set_to_none=True)
        began = time.perf_counter()
        mean_loss(loss_of, training_logits(network, images), targets).backward()
        middle = time.perf_counter()
        optimiser.step()
        return middle - began, time.perf_counter() - middle

    with flushed_denormals():
        step()
        gradient, update = step()
        network.eval()
        began = time.perf_counter()
        with torch.inference_mode():
            network(images)
        return StepTime(gradient, update, time.perf_counter() - began)
