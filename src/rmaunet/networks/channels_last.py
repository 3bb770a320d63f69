"""Means and maxima of maps, for training on a CPU; elsewhere and for export they are PyTorch's plain operations.

On a CPU maps are channels-last. PyTorch's gradient of a mean is in plain order whatever the maps' was, and everything before
it in the backward pass then converts between the two; its gradient of a maximum counts in 64-bit integers. Together more than
a tenth of RMAU-Net's step.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["mean_over", "peak_of_maps", "peak_over_channels"]


def mean_over(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Mean over some dimensions of ``x`` (N, C, H, W), which stay with length 1."""
    if not _trains_on_cpu(x):
        return x.mean(dim=dims, keepdim=True)
    mean: Tensor = _Mean.apply(x, dims)
    return mean


def peak_of_maps(x: Tensor) -> Tensor:
    """Largest value of each map: (N, C, H, W) to (N, C, 1, 1). In training on a CPU its gradient goes to one of equals."""
    return torch.nn.functional.adaptive_max_pool2d(x, 1) if _trains_on_cpu(x) else x.amax(dim=(2, 3), keepdim=True)


def peak_over_channels(x: Tensor) -> Tensor:
    """Largest value of each position: (N, C, H, W) to (N, 1, H, W); equals share the gradient."""
    if not _trains_on_cpu(x):
        return x.amax(dim=1, keepdim=True)
    peak: Tensor = _Peak.apply(x)
    return peak


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


class _Peak(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        peak = x.amax(dim=1, keepdim=True)
        ctx.save_for_backward(x, peak)
        return peak

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        x, peak = ctx.saved_tensors
        hit = (x == peak).to(x.dtype)
        shared: Tensor = hit.mul_(gradients[0] / hit.sum(dim=1, keepdim=True))
        return shared


def _trains_on_cpu(x: Tensor) -> bool:
    """Whether a gradient will be asked for. A network that is exported or compiled has the plain operations."""
    return x.requires_grad and x.device.type == "cpu" and not torch.compiler.is_compiling()
