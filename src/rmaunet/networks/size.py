"""What a network costs: parameters and multiply-accumulates, counted without allocating or computing anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["NetworkSize", "network_size"]


@dataclass(frozen=True)
class NetworkSize:
    """Size and cost of one forward pass."""

    parameters: int
    """Trainable numbers."""
    macs: int
    """Multiply-accumulates of the convolutions and matrix products; a FLOP count is twice this."""

    @property
    def parameters_millions(self) -> float:
        """Parameters / 10^6."""
        return self.parameters / 1e6

    @property
    def gmacs(self) -> float:
        """Multiply-accumulates / 10^9."""
        return self.macs / 1e9


def network_size(build: Callable[[], nn.Module], shape: Sequence[int]) -> NetworkSize:
    """Count on PyTorch's meta device: a gigabyte of weights costs nothing here.

    Args:
        build: Makes the network; called once.
        shape: Of the input batch, (N, C, H, W) or (N, C, D, H, W).

    Returns:
        Parameters and multiply-accumulates of one forward pass in evaluation mode.

    Example:
        >>> network_size(lambda: nn.Conv2d(1, 8, 3, padding=1, bias=False), (1, 1, 16, 16))
        NetworkSize(parameters=72, macs=18432)
    """
    with torch.device("meta"):
        network = build().eval()
        batch = torch.zeros(*shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(batch)
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    return NetworkSize(parameters=parameters, macs=counter.get_total_flops() // 2)
