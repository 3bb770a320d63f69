"""What a step costs on this machine: one is timed small, and scaled."""

from __future__ import annotations

import time

import torch

from rmaunet.experiments.experiment import Experiment
from rmaunet.losses import LOSSES
from rmaunet.networks.build import build_network
from rmaunet.predict.denormals import flushed_denormals
from rmaunet.train.heads import mean_loss, training_logits

__all__ = ["time_step"]


def time_step(experiment: Experiment, *, size: int, batch: int) -> tuple[float, float]:
    """Time one optimiser step and one forward pass after a step of warming up.

    Args:
        experiment: Its network, loss and optimiser's kind are used.
        size: Side of the random slices timed, a multiple of the network's factor.
        batch: Slices.

    Returns:
        Seconds of the step, and of the forward pass of the same slices in evaluation mode.
    """
    channels = experiment.preprocessing.channels
    network = build_network(experiment.network, in_channels=channels).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-6, fused=True)
    loss_of = LOSSES[experiment.loss]()
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, channels, size, size, generator=generator).mul(2).sub(1)
    images = images.to(memory_format=torch.channels_last)
    targets = (torch.rand(batch, 2, size, size, generator=generator) > 0.9).float()

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        mean_loss(loss_of, training_logits(network, images), targets).backward()
        optimiser.step()

    with flushed_denormals():
        step()
        began = time.perf_counter()
        step()
        trained = time.perf_counter()
        network.eval()
        with torch.inference_mode():
            network(images)
        return trained - began, time.perf_counter() - trained
