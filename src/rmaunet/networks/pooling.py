"""Means and maxima over maps, whose gradients keep the memory order of what they came from.

PyTorch's gradient of a mean is in plain order whatever the maps' was. On a CPU, where maps are channels-last, everything before
it in the backward pass then converts from one order to the other: a seventh of RMAU-Net's step.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["mean_over", "peak_of_maps"]


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.count = math.prod(x.shape[dim] for dim in dims)
        return x.mean(dim=dims, keepdim=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.empty_like(x).copy_(gradients[0] / ctx.count), None


def mean_over(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Mean over some dimensions, which stay with length 1.

    Args:
        x: (N, C, H, W).
        dims: Of it.

    Returns:
        The means.
    """
    if not _trains_on_cpu(x):
        return x.mean(dim=dims, keepdim=True)
    mean: Tensor = _Mean.apply(x, dims)
    return mean


def peak_of_maps(x: Tensor) -> Tensor:
    """Largest value of each map: (N, C, H, W) to (N, C, 1, 1). In training on a CPU its gradient goes to one of equals."""
    return torch.nn.functional.adaptive_max_pool2d(x, 1) if _trains_on_cpu(x) else x.amax(dim=(2, 3), keepdim=True)


def _trains_on_cpu(x: Tensor) -> bool:
    """Whether a gradient will be asked for; a network that is exported has the plain operations."""
    return x.requires_grad and x.device.type == "cpu"
