"""U-Net++: U-Nets of every depth in one grid, joined by dense skip pathways.

Reference:
    Zhou, Siddiquee, Tajbakhsh, Liang. UNet++: A Nested U-Net Architecture for Medical Image Segmentation. DLMIA 2018.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import DoubleConv, check_divisible, check_widths, initialise
from rmaunet.networks.nested import NestedGrid

__all__ = ["UNetPlusPlus"]


class UNetPlusPlus(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the five resolutions, full resolution first; 32 to 512 are the authors'. Which ones
            the RMAU-Net paper compared with is not stated.
        deep_supervision: A head on each of X(0, 1..4) instead of on X(0, 4) alone. The logits are then the mean of
            the four heads; :meth:`side_outputs` gives them one by one, for a loss on each.

    Raises:
        ValueError: If ``widths`` is not five widths.
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        classes: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256, 512),
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        w0, w1, w2, w3, w4 = widths
        self.pool = nn.MaxPool2d(2)
        self.x00 = DoubleConv(in_channels, w0)
        self.x10 = DoubleConv(w0, w1)
        self.x20 = DoubleConv(w1, w2)
        self.x30 = DoubleConv(w2, w3)
        self.x40 = DoubleConv(w3, w4)
        self.grid = NestedGrid(backbone=widths, widths=widths, node=widths, unit=DoubleConv)
        self.heads = nn.ModuleList([nn.Conv2d(w0, classes, 1) for _ in range(4 if deep_supervision else 1)])
        initialise(self, heads=self.heads)

    def side_outputs(self, x: Tensor) -> list[Tensor]:
        """Logits of every head, shallowest U-Net first, each (N, classes, H, W); one without deep supervision.

        Raises:
            ValueError: If a side is not a multiple of 16; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=16)
        x00 = self.x00(x)  # w0, 1/1
        x10 = self.x10(self.pool(x00))  # w1, 1/2
        x20 = self.x20(self.pool(x10))  # w2, 1/4
        x30 = self.x30(self.pool(x20))  # w3, 1/8
        x40 = self.x40(self.pool(x30))  # w4, 1/16
        row0 = self.grid([x00, x10, x20, x30, x40])  # X(0, 1..4), each w0, 1/1
        return [head(node) for head, node in zip(self.heads, row0[-len(self.heads) :], strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x``; with deep supervision the mean of the heads."""
        return torch.stack(self.side_outputs(x)).mean(dim=0)
