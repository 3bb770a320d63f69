"""What a training step costs on this machine: several small ones are timed, to be scaled."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from rmaunet.losses import LOSSES
from rmaunet.networks.build import build_network
from rmaunet.runtimes.denormals import flushed_denormals
from rmaunet.train.deep_supervision import mean_loss, training_logits
from rmaunet.train.experiment import Experiment

__all__ = ["StepTime", "time_step"]

STEPS = 7
LONGEST_S = 5.0


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


def time_step(experiment: Experiment, *, size: int, batch: int, device: str = "cpu") -> StepTime:
    """Time optimizer steps and forward passes after a warm-up, and take the medians.

    Args:
        experiment: Its network, loss and the kind of its optimizer are used.
        size: Side of the random slices timed, a multiple of the network's factor.
        batch: Slices.
        device: Where: "cpu", "cuda", "cuda:1", "mps".

    Returns:
        The seconds. :data:`STEPS` steps are timed, fewer where they take longer than :data:`LONGEST_S`, at least three.
    """
    place = torch.device(device)
    channels = experiment.preprocessing.channels
    network = build_network(experiment.network, in_channels=channels).to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-6, fused=place.type != "mps")
    loss_of = LOSSES[experiment.loss]()
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(batch, channels, size, size, generator=generator).mul(2).sub(1)
    images = images.to(place, memory_format=torch.channels_last)
    targets = (torch.rand(batch, 2, size, size, generator=generator) > 0.9).float().to(place)

    def step() -> tuple[float, ...]:
        optimizer.zero_grad(set_to_none=True)
        began = _now(place)
        mean_loss(loss_of, training_logits(network, images), targets).backward()
        middle = _now(place)
        optimizer.step()
        return middle - began, _now(place) - middle

    def forward() -> tuple[float, ...]:
        began = _now(place)
        with torch.inference_mode():
            network(images)
        return (_now(place) - began,)

    with flushed_denormals():
        gradient, update = _median(step)
        network.eval()
        return StepTime(gradient, update, _median(forward)[0])


def _median(measure: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """Medians of what is measured several times, after a warm-up that counts for nothing."""
    measure()
    rows: list[tuple[float, ...]] = []
    began = time.perf_counter()
    while len(rows) < 3 or (len(rows) < STEPS and time.perf_counter() - began < LONGEST_S):
        rows.append(measure())
    return tuple(statistics.median(column) for column in zip(*rows, strict=True))


def _now(place: torch.device) -> float:
    """The time once the device has done what it was given."""
    if place.type == "cuda":
        torch.cuda.synchronize(place)
    elif place.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter()
