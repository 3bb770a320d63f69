"""Binary cross-entropy per channel (Eq. 6), a row of the paper's loss ablation."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["CrossEntropyLoss"]


class CrossEntropyLoss(nn.Module):
    """Mean over pixels of ``-log p`` where y is 1 and ``-log(1 - p)`` where y is 0, with p = sigmoid(logit).

    Reference:
        RMAU-Net, Eq. 6.
    """

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Loss of each channel.

        Args:
            logits: (N, C, H, W), any float type; computed in float32 (float64 stays).
            target: (N, C, H, W), 0 or 1.

        Returns:
            (C,) losses, >= 0.
        """
        logits = logits if logits.dtype.itemsize == 8 else logits.float()
        return F.binary_cross_entropy_with_logits(logits, target.to(logits.dtype), reduction="none").mean(dim=(0, 2, 3))
