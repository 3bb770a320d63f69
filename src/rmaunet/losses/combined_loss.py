"""The paper's hybrid loss and its ablation rows: a weighted sum of a pixel loss and an overlap loss."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["CombinedLoss"]


class CombinedLoss(nn.Module):
    """``sum_k weight_k * mean over channels of term_k`` (Eq. 10).

    Args:
        terms: (weight, loss) pairs; each loss maps logits and target (N, C, H, W) to one value a channel, (C,).

    Raises:
        ValueError: If there is no term.

    Reference:
        RMAU-Net, Eq. 10 with alpha = 0.5 (focal) and beta = 1 (dice). How the channels are averaged is not stated.
    """

    def __init__(self, terms: list[tuple[float, nn.Module]]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("terms = []: at least one loss is needed")
        self.weights = [weight for weight, _ in terms]
        self.losses = nn.ModuleList([loss for _, loss in terms])

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (N, C, H, W) against a target of zeros and ones of the same shape.

        Raises:
            ValueError: If the shapes differ.
        """
        if logits.shape != target.shape:
            raise ValueError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape")
        total = sum(weight * loss(logits, target) for weight, loss in zip(self.weights, self.losses, strict=True))
        if not isinstance(total, Tensor):  # unreachable with the losses of this room; tells the type checker so
            raise TypeError("a loss returned no tensor")
        return total.mean()
