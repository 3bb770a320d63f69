"""Dice loss (Eq. 9)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["DiceLoss"]


class DiceLoss(nn.Module):
    """``1 - (2 sum p y + e) / (sum p^2 + sum y^2 + e)`` with p = sigmoid(logit).

    The paper has no e; without it a batch without tumor would be 0/0.

    Args:
        reduction: "batch" sums over all pixels of the batch ("all predicted voxels"); "sample" gives each slice its own
            quotient and averages them.
        epsilon: e, > 0. An empty channel predicted empty has loss 0.

    Reference:
        RMAU-Net, Eq. 9; Milletari et al. 2016.
    """

    def __init__(self, *, reduction: Literal["batch", "sample"] = "batch", epsilon: float = 1e-5) -> None:
        super().__init__()
        if epsilon <= 0:
            raise ValueError(f"epsilon = {epsilon}: must be above 0")
        self.dims = (0, 2, 3) if reduction == "batch" else (2, 3)
        self.epsilon = epsilon

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of each channel.

        Args:
            logits: (N, C, H, W), any float type; computed in float32 (float64 stays): the sums pass float16's maximum.
            target: (N, C, H, W), 0 or 1.

        Returns:
            (C,) losses in [0, 1].
        """
        logits = logits if logits.dtype.itemsize == 8 else logits.float()
        y = target.to(logits.dtype)
        p = torch.sigmoid(logits)
        overlap = (p * y).sum(dim=self.dims)
        size = p.square().sum(dim=self.dims) + y.square().sum(dim=self.dims)
        loss = 1 - (2 * overlap + self.epsilon) / (size + self.epsilon)
        return loss if loss.ndim == 1 else loss.mean(dim=0)
