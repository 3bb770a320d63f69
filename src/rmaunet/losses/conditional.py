"""The tumor's loss inside the liver only; not in the paper."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from rmaunet.losses.combined_loss import CombinedLoss

__all__ = ["ConditionalLoss"]


class ConditionalLoss(nn.Module):
    """Mean of the liver's loss over all pixels and the tumor's over the pixels in and near the liver.

    A tumor covers about one pixel in two hundred of a slice but one in fifteen of a liver. The second channel thus learns
    the probability of tumor given liver, and says nothing useful elsewhere: the mask must take tumor inside the liver only
    (``Postprocessing.tumor_inside_liver``).

    Args:
        base: Applied to each organ alone, one channel at a time.
        margin: Pixels beyond the reference's liver that count as near it, so that the liver's own rim may be predicted a
            little wide.
    """

    def __init__(self, base: CombinedLoss, *, margin: int = 4) -> None:
        super().__init__()
        if margin < 0:
            raise ValueError(f"margin = {margin}: must be at least 0")
        self.base = base
        self.margin = margin

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (N, 2, H, W), liver (with tumor) and tumor, against a target of zeros and ones.

        Raises:
            ValueError: If there are not two channels, or the shapes differ.
        """
        if logits.shape != target.shape or logits.shape[1] != 2:
            raise ValueError(f"logits {tuple(logits.shape)}, target {tuple(target.shape)}: give (N, 2, H, W) for both")
        side = 2 * self.margin + 1
        near = F.max_pool2d(target[:, 0].to(logits.dtype), side, stride=1, padding=self.margin) > 0
        liver: Tensor = self.base(logits[:, :1], target[:, :1])
        if not near.any():
            return liver / 2
        tumor: Tensor = self.base(logits[:, 1][near].view(1, 1, 1, -1), target[:, 1][near].view(1, 1, 1, -1))
        return (liver + tumor) / 2
