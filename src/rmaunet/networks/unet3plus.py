"""UNet 3+: every decoder stage sees all five scales.

Reference:
    Huang et al. UNet 3+: A Full-Scale Connected UNet for Medical Image Segmentation. ICASSP 2020, arXiv:2004.08790.
    Without its classification-guided module, which decides per image whether the organ is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rmaunet.networks.blocks import ConvBlock, DoubleConv, check_divisible, check_widths, initialise

__all__ = ["UNet3Plus"]


class _FullScale(nn.Module):
    """One decoder stage: five inputs brought to one scale, 3 x 3 to equal widths, concatenated, 3 x 3."""

    def __init__(self, inputs: Sequence[int], width: int) -> None:
        super().__init__()
        self.project = nn.ModuleList([ConvBlock(channels, width) for channels in inputs])
        self.fuse = ConvBlock(width * len(inputs), width * len(inputs))

    def forward(self, features: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
        """Fuse ``features`` of any scale to (N, 5 width, *size)."""
        scaled = [project(_to_size(x, size)) for project, x in zip(self.project, features, strict=True)]
        result: Tensor = self.fuse(torch.cat(scaled, dim=1))
        return result


def _to_size(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Max-pool down or bilinear up to ``size``; the ratio is a power of two."""
    if x.shape[2] > size[0]:
        return F.max_pool2d(x, x.shape[2] // size[0])
    return x if x.shape[2] == size[0] else F.interpolate(x, size=size, mode="bilinear", align_corners=False)


class UNet3Plus(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the five resolutions of the encoder, full resolution first. Every decoder stage has five
            times the first.
        deep_supervision: A head on each decoder stage and on the bottom, raised to full resolution. The logits are then
            the mean of the five; :meth:`side_outputs` gives them one by one, for a loss on each.

    Raises:
        ValueError: If ``widths`` is not five widths.
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        classes: int = 2,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        w1, w2, w3, w4, w5 = widths
        wide = 5 * w1
        self.pool = nn.MaxPool2d(2)
        self.encoder1 = DoubleConv(in_channels, w1)
        self.encoder2 = DoubleConv(w1, w2)
        self.encoder3 = DoubleConv(w2, w3)
        self.encoder4 = DoubleConv(w3, w4)
        self.encoder5 = DoubleConv(w4, w5)
        self.decoder4 = _FullScale((w1, w2, w3, w4, w5), w1)
        self.decoder3 = _FullScale((w1, w2, w3, wide, w5), w1)
        self.decoder2 = _FullScale((w1, w2, wide, wide, w5), w1)
        self.decoder1 = _FullScale((w1, wide, wide, wide, w5), w1)
        sources = (wide, wide, wide, wide, w5) if deep_supervision else (wide,)
        self.heads = nn.ModuleList([nn.Conv2d(channels, classes, 3, padding=1) for channels in sources])
        initialise(self, heads=self.heads)

    def side_outputs(self, x: Tensor) -> list[Tensor]:
        """Logits of every head at full resolution, the finest first; one without deep supervision.

        Raises:
            ValueError: If a side is not a multiple of 16; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=16)
        e1 = self.encoder1(x)  # w1, 1/1
        e2 = self.encoder2(self.pool(e1))  # w2, 1/2
        e3 = self.encoder3(self.pool(e2))  # w3, 1/4
        e4 = self.encoder4(self.pool(e3))  # w4, 1/8
        d5 = self.encoder5(self.pool(e4))  # w5, 1/16
        d4 = self.decoder4([e1, e2, e3, e4, d5], e4.shape[2:])  # 5 w1, 1/8
        d3 = self.decoder3([e1, e2, e3, d4, d5], e3.shape[2:])  # 5 w1, 1/4
        d2 = self.decoder2([e1, e2, d3, d4, d5], e2.shape[2:])  # 5 w1, 1/2
        d1 = self.decoder1([e1, d2, d3, d4, d5], e1.shape[2:])  # 5 w1, 1/1
        stages = [d1, d2, d3, d4, d5][: len(self.heads)]
        size = (x.shape[2], x.shape[3])
        return [_to_size(head(stage), size) for head, stage in zip(self.heads, stages, strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x``; with deep supervision the mean of the heads."""
        return torch.stack(self.side_outputs(x)).mean(dim=0)
