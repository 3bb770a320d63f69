"""Deep supervision: a loss on each head of a network that has several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

__all__ = ["SideOutputs", "mean_loss", "training_logits"]


@runtime_checkable
class SideOutputs(Protocol):
    """A network that can give the logits of its heads one by one; its ``forward`` gives their mean."""

    def side_outputs(self, x: Tensor) -> list[Tensor]:
        """Logits of every head, each (N, classes, H, W)."""
        ...


def training_logits(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What the loss is computed on: the logits of every head, or of the only one.

    Args:
        network: Any network; one with ``side_outputs`` is asked for them.
        images: (N, C, H, W).

    Returns:
        One tensor (N, classes, H, W) a head.
    """
    if isinstance(network, SideOutputs):
        return network.side_outputs(images)
    return [network(images)]


def mean_loss(loss_of: Callable[[Tensor, Tensor], Tensor], heads: Sequence[Tensor], targets: Tensor) -> Tensor:
    """Mean over the heads of each one's loss, in float32.

    Args:
        loss_of: From logits and targets to a scalar.
        heads: Logits (N, classes, H, W), one tensor a head.
        targets: (N, classes, H, W).

    Returns:
        A scalar.

    Reference:
        Zhou et al. 2018, Eq. 2 (U-Net++), whose heads count alike.
    """
    return torch.stack([loss_of(logits.float(), targets) for logits in heads]).mean()
