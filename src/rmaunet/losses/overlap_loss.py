"""Losses of overlap: dice (Eq. 9) and, as an addition for tiny lesions, Tversky."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["DiceLoss", "FocalTverskyLoss"]


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


class FocalTverskyLoss(nn.Module):
    """``(1 - T)^exponent``, T = (TP + e) / (TP + a FP + b FN + e): misses can weigh more than false alarms.

    Not part of the paper.

    Args:
        false_positive: a, weight of false alarms.
        false_negative: b, weight of misses.
        exponent: Below 1 presses harder on what is nearly right, above 1 on what is badly wrong.
        epsilon: e, > 0.

    Reference:
        Abraham and Khan 2019; Salehi et al. 2017.
    """

    def __init__(
        self,
        *,
        false_positive: float = 0.3,
        false_negative: float = 0.7,
        exponent: float = 0.75,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.false_positive = false_positive
        self.false_negative = false_negative
        self.exponent = exponent
        self.epsilon = epsilon

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss (C,) in [0, 1] of each channel; arguments as in :class:`DiceLoss`, sums over the batch."""
        logits = logits if logits.dtype.itemsize == 8 else logits.float()
        y = target.to(logits.dtype)
        p = torch.sigmoid(logits)
        hit = (p * y).sum(dim=(0, 2, 3))
        alarm = (p * (1 - y)).sum(dim=(0, 2, 3))
        miss = ((1 - p) * y).sum(dim=(0, 2, 3))
        tversky = (hit + self.epsilon) / (hit + self.false_positive * alarm + self.false_negative * miss + self.epsilon)
        # The clamp keeps the gradient of a fractional power finite where the overlap is perfect.
        return (1 - tversky).clamp_min(1e-7).pow(self.exponent)
