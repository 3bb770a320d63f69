"""Losses: logits and target (N, C, H, W) in, a scalar out. ``LOSSES`` maps an experiment's loss name to its maker."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from rmaunet.losses.combined_loss import CombinedLoss
from rmaunet.losses.cross_entropy import CrossEntropyLoss
from rmaunet.losses.dice_loss import DiceLoss
from rmaunet.losses.focal import FocalLoss

__all__ = ["LOSSES", "CombinedLoss", "CrossEntropyLoss", "DiceLoss", "FocalLoss"]

# Weights of "ce_dice" are not given in the paper; they are those of its own loss.
LOSSES: dict[str, Callable[[], nn.Module]] = {
    "focal_dice": lambda: CombinedLoss([(0.5, FocalLoss()), (1.0, DiceLoss())]),
    "ce": lambda: CombinedLoss([(1.0, CrossEntropyLoss())]),
    "ce_dice": lambda: CombinedLoss([(0.5, CrossEntropyLoss()), (1.0, DiceLoss())]),
}
