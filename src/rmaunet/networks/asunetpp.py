"""ASU-Net++: the grid of U-Net++ with two-path units and dilated branches that adapt to the depth.

Reference:
    Gao, Almekkawy. ASU-Net++: A nested U-Net with adaptive feature extractions for liver tumor segmentation.
    Computers in Biology and Medicine 136, 104688 (2021); layers as in the authors' code, without two of its slips
    (batch norm of X(3, 1) applied to X(0, 3) instead; dilation set on 1 x 1 convolutions, where it does nothing).

The tables of the RMAU-Net paper call it ASU-Net.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import ConvBlock, check_divisible, check_widths, initialise
from rmaunet.networks.nested import NestedGrid

__all__ = ["ASUNetPlusPlus"]


class _DilatedBranch(nn.Sequential):
    """3 x 3 with dilation and ReLU, then two 1 x 1 and ReLU."""

    def __init__(self, in_channels: int, rate: int, wide: int, middle: int, out: int, *, norm: bool) -> None:
        super().__init__(
            nn.Conv2d(in_channels, wide, 3, padding=rate, dilation=rate),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, middle, 1),
            nn.Conv2d(middle, out, 1),
            nn.BatchNorm2d(out) if norm else nn.Identity(),
            nn.ReLU(inplace=True),
        )


class _Unit(nn.Module):
    """A linear 1 x 1 path beside two 3 x 3 blocks, and the level's dilated branches, concatenated and normalised.

    Args:
        in_channels: Feature maps in.
        width: Feature maps of each of the two paths; out come twice as many, and those of the branches.
        branches: Dilated branches; none outside the backbone column.
        branch_channels: Feature maps they give together.
    """

    def __init__(
        self, in_channels: int, width: int, branches: Sequence[nn.Module] = (), branch_channels: int = 0
    ) -> None:
        super().__init__()
        self.linear = nn.Conv2d(in_channels, width, 1)
        self.body = nn.Sequential(ConvBlock(in_channels, width), ConvBlock(width, width))
        self.branches = nn.ModuleList(branches)
        self.norm = nn.BatchNorm2d(2 * width + branch_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, 2 width + branches, H, W)."""
        paths = [self.linear(x), self.body(x), *(branch(x) for branch in self.branches)]
        return torch.relu(self.norm(torch.cat(paths, dim=1)))


def _branch_table(w1: int, w2: int, w3: int, w4: int) -> list[list[tuple[int, int, int, int]]]:
    """Rate and the widths of the three convolutions of every branch, for rows 0 to 4 of the backbone."""
    return [
        [],
        [(3, w1, w1, w1)],
        [(3, w2, w2, w2), (6, w2, w2, w2)],
        [(3, w3, w3, w3), (12, w3, w3, w3 // 2), (18, w3, w3, w3 // 2)],
        [(3, w4, w4 // 2, w4 // 4), (6, w4, w4 // 2, w4 // 4), (9, w4, w4 // 2, w4 // 4)],
    ]


class ASUNetPlusPlus(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of each path of a unit at the five resolutions, full resolution first.

    Raises:
        ValueError: If ``widths`` is not five widths, or the deepest is below 4.
    """

    def __init__(
        self, *, in_channels: int = 1, classes: int = 2, widths: Sequence[int] = (32, 64, 128, 256, 512)
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        if widths[3] < 2 or widths[4] < 4:
            raise ValueError(
                f"widths = {tuple(widths)}: the last two must be at least 2 and 4, for the dilated branches"
            )
        column: list[_Unit] = []
        channels = [in_channels]
        for row, (width, table) in enumerate(zip(widths, _branch_table(*widths[1:]), strict=True)):
            branches = [_DilatedBranch(channels[-1], *numbers, norm=row == 1) for numbers in table]
            extra = sum(out for *_, out in table)
            column.append(_Unit(channels[-1], width, branches, extra))
            channels.append(2 * width + extra)
        self.pool = nn.MaxPool2d(2)
        self.x00, self.x10, self.x20, self.x30, self.x40 = column
        self.grid = NestedGrid(
            backbone=channels[1:], widths=widths, node=[2 * width for width in widths[:4]], unit=_Unit
        )
        self.head = nn.Conv2d(2 * widths[0], classes, 1)
        initialise(self, heads=[self.head])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x`` (N, in_channels, H, W).

        Raises:
            ValueError: If a side is not a multiple of 16; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=16)
        x00 = self.x00(x)  # 64, 1/1 (channels of the default widths)
        x10 = self.x10(self.pool(x00))  # 192, 1/2
        x20 = self.x20(self.pool(x10))  # 512, 1/4
        x30 = self.x30(self.pool(x20))  # 1024, 1/8
        x40 = self.x40(self.pool(x30))  # 1408, 1/16
        row0 = self.grid([x00, x10, x20, x30, x40])  # X(0, 1..4), each 64, 1/1
        logits: Tensor = self.head(row0[-1])
        return logits
