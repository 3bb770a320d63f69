"""The paper's hybrid loss and its ablation rows: a weighted sum of a pixel loss and an overlap loss."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["CombinedLoss"]


class CombinedLoss(nn.Module):
    """``sum_k weight_k * mean over channels of term_k`` (Eq. 10).

    Args:
        terms: (weight, loss) pairs; each loss maps logits and target (N, C, H, W) to one value a channel, (C,).
        channel_weights: Weight of each channel in the mean, e.g. of liver and tumor; equal by default.

    Raises:
        ValueError: If there is no term.

    Reference:
        RMAU-Net, Eq. 10 with alpha = 0.5 (focal) and beta = 1 (dice). How the channels are averaged is not stated.
    """

    def __init__(
        self, terms: list[tuple[float, nn.Module]], *, channel_weights: tuple[float, ...] | None = None
    ) -> None:
        super().__init__()
        if not terms:
            raise ValueError("terms = []: at least one loss is needed")
        self.weights = [weight for weight, _ in terms]
        self.losses = nn.ModuleList([loss for _, loss in terms])
        self.channel_weights = channel_weights

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of logits (N, C, H, W) against a target of zeros and ones of the same shape.

        Raises:
            ValueError: If the shapes differ or the number of channel weights is not C.
        """
        if logits.shape != target.shape:
            raise ValueError(f"logits {tuple(logits.shape)} and target {tuple(target.shape)} must have the same shape")
        total = sum(weight * loss(logits, target) for weight, loss in zip(self.weights, self.losses, strict=True))
        if not isinstance(total, Tensor):  # unreachable with the losses of this room; tells the type checker so
            raise TypeError("a loss returned no tensor")
        if self.channel_weights is None:
            return total.mean()
        if len(self.channel_weights) != total.numel():
            raise ValueError(f"channel_weights = {self.channel_weights}: {total.numel()} channels need as many weights")
        weights = total.new_tensor(self.channel_weights)
        return (total * weights).sum() / weights.sum()
