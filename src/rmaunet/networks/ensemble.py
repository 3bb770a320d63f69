"""Several networks of one design as one network: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["Ensemble"]

_SMALLEST = 1e-6  # keeps the logit finite where all members are certain


class Ensemble(nn.Module):
    """Logit of the mean probability of the members; not in the paper.

    Because the result is a logit again, whatever takes a network takes an ensemble: predictor, export, further training.

    Args:
        members: Networks of the same input and output; at least one.

    Raises:
        ValueError: If there is no member.

    Example:
        >>> one, two = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 1)
        >>> x = torch.zeros(1, 1, 4, 4)
        >>> mean = (one(x).sigmoid() + two(x).sigmoid()) / 2
        >>> torch.allclose(Ensemble([one, two])(x).sigmoid(), mean)
        True
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        if not members:
            raise ValueError("members: an ensemble needs at least one network")
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x`` (N, C, H, W)."""
        mean = torch.stack([torch.sigmoid(member(x).float()) for member in self.members]).mean(dim=0)
        mean = mean.clamp(_SMALLEST, 1 - _SMALLEST)
        return torch.log(mean) - torch.log(1 - mean)  # torch.logit has no counterpart in other runtimes
