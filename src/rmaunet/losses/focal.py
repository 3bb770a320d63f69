"""Focal loss (Eqs. 7-8), from logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["FocalLoss"]


class FocalLoss(nn.Module):
    """Mean over pixels of ``alpha_t (1 - p_t)^gamma (-log p_t)``.

    The paper gives neither value ("T" stands in Eq. 8 where gamma is meant); the defaults are Lin et al.'s. Note that
    alpha = 0.25 weighs the foreground down.

    Args:
        gamma: Focusing exponent, >= 0.
        alpha: Weight of the foreground in (0, 1), the background's is 1 - alpha; None leaves both at 1.

    Raises:
        ValueError: If a value is out of range.

    Reference:
        RMAU-Net, Eqs. 7-8; Lin et al. 2017.
    """

    def __init__(self, *, gamma: float = 2.0, alpha: float | None = 0.25) -> None:
        super().__init__()
        if gamma < 0:
            raise ValueError(f"gamma = {gamma}: must be at least 0")
        if alpha is not None and not 0 < alpha < 1:
            raise ValueError(f"alpha = {alpha}: must lie between 0 and 1, or be None for no weighting")
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of each channel.

        Args:
            logits: (N, C, H, W), any float type; computed in float32 (float64 stays).
            target: (N, C, H, W), 0 or 1.

        Returns:
            (C,) losses, >= 0.
        """
        logits = logits if logits.dtype.itemsize == 8 else logits.float()
        y = target.to(logits.dtype)
        signed = logits * (2 * y - 1)  # p_t = sigmoid(signed)
        losses = torch.sigmoid(-signed).pow(self.gamma) * -F.logsigmoid(signed)
        if self.alpha is not None:
            losses = losses * (self.alpha * y + (1 - self.alpha) * (1 - y))
        return losses.mean(dim=(0, 2, 3))
