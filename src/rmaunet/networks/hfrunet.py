"""HFRU-Net, a reconstruction: U-Net whose skips carry back the detail that pooling lost.

Reference:
    Kushnure, Talbar. HFRU-Net: High-level feature fusion and recalibration UNet for automatic liver and tumor
    segmentation in CT images. Computer Methods and Programs in Biomedicine 213, 106501 (2022).

Only the abstract of that paper was at hand. It names the parts (local feature reconstruction and feature fusion in the
skips, squeeze-and-excitation, multi-scale features), not their wiring. What stands here is our guess and must be named a
reconstruction wherever its numbers are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import (
    ConvBlock,
    DoubleConv,
    SqueezeExcitation,
    Upsample,
    check_divisible,
    check_widths,
    initialise,
)
from rmaunet.networks.channels_last import mean_over

__all__ = ["DeepLabASPP", "FusedSkip", "HFRUNet"]


class _ImagePool(nn.Module):
    """Image-level features, without batch norm: it would see 1 x 1 maps."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.relu(self.conv(mean_over(x, (2, 3))))
        return pooled.expand(-1, -1, x.shape[2], x.shape[3])


class DeepLabASPP(nn.Module):
    """ASPP of DeepLab v3: 1 x 1, 3 x 3 of dilation 6, 12, 18, and image pooling, fused by 1 x 1. (N, C, H, W) to the same.

    Args:
        channels: C; each branch has a quarter of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = max(1, channels // 4)

        def conv(channels_in: int, channels_out: int, kernel: int, rate: int = 1) -> nn.Sequential:
            padding = rate * (kernel // 2)
            return nn.Sequential(
                nn.Conv2d(channels_in, channels_out, kernel, padding=padding, dilation=rate, bias=False),
                nn.BatchNorm2d(channels_out),
                nn.ReLU(inplace=True),
            )

        dilated = [conv(channels, width, 3, rate) for rate in (6, 12, 18)]
        self.branches = nn.ModuleList([conv(channels, width, 1), *dilated, _ImagePool(channels, width)])
        self.fuse = conv(5 * width, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Multi-scale features of ``x``."""
        fused: Tensor = self.fuse(torch.cat([branch(x) for branch in self.branches], dim=1))
        return fused


class FusedSkip(nn.Module):
    """``SE(conv1([e, r]))`` with ``r = conv3(up(deeper))``: a skip and what can be rebuilt of it from below.

    Args:
        channels: C, feature maps of the skip ``e``.
        deeper_channels: Feature maps of ``deeper``, at half the resolution.
    """

    def __init__(self, channels: int, deeper_channels: int) -> None:
        super().__init__()
        self.rebuild = nn.Sequential(Upsample(deeper_channels, channels), ConvBlock(channels, channels))
        self.fuse = ConvBlock(2 * channels, channels, kernel=1)
        self.recalibrate = SqueezeExcitation(channels, hidden=max(1, channels // 16))

    def forward(self, e: Tensor, deeper: Tensor) -> Tensor:
        """Fuse ``e`` (N, C, H, W) with ``deeper`` (N, D, H/2, W/2) to (N, C, H, W)."""
        rebuilt = self.rebuild(deeper)
        result: Tensor = self.recalibrate(self.fuse(torch.cat([e, rebuilt], dim=1)))
        return result


class HFRUNet(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16. A reconstruction.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the five resolutions, full resolution first.

    Raises:
        ValueError: If ``widths`` is not five widths.
    """

    def __init__(
        self, *, in_channels: int = 1, classes: int = 2, widths: Sequence[int] = (64, 128, 256, 512, 1024)
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        w1, w2, w3, w4, w5 = widths
        self.pool = nn.MaxPool2d(2)
        self.encoder1 = DoubleConv(in_channels, w1)
        self.encoder2 = DoubleConv(w1, w2)
        self.encoder3 = DoubleConv(w2, w3)
        self.encoder4 = DoubleConv(w3, w4)
        self.encoder5 = DoubleConv(w4, w5)
        self.aspp = DeepLabASPP(w5)
        self.skip4 = FusedSkip(w4, w4)
        self.skip3 = FusedSkip(w3, w3)
        self.skip2 = FusedSkip(w2, w2)
        self.skip1 = FusedSkip(w1, w1)
        self.up4, self.decoder4 = Upsample(w5, w4), DoubleConv(2 * w4, w4)
        self.up3, self.decoder3 = Upsample(w4, w3), DoubleConv(2 * w3, w3)
        self.up2, self.decoder2 = Upsample(w3, w2), DoubleConv(2 * w2, w2)
        self.up1, self.decoder1 = Upsample(w2, w1), DoubleConv(2 * w1, w1)
        self.head = nn.Conv2d(w1, classes, 1)
        initialise(self, heads=[self.head])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x`` (N, in_channels, H, W).

        Raises:
            ValueError: If a side is not a multiple of 16; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=16)
        e1 = self.encoder1(x)  # w1, 1/1
        pooled1 = self.pool(e1)
        e2 = self.encoder2(pooled1)  # w2, 1/2
        pooled2 = self.pool(e2)
        e3 = self.encoder3(pooled2)  # w3, 1/4
        pooled3 = self.pool(e3)
        e4 = self.encoder4(pooled3)  # w4, 1/8
        pooled4 = self.pool(e4)
        deep = self.aspp(self.encoder5(pooled4))  # w5, 1/16
        deep = self.decoder4(torch.cat([self.skip4(e4, pooled4), self.up4(deep)], dim=1))  # w4, 1/8
        deep = self.decoder3(torch.cat([self.skip3(e3, pooled3), self.up3(deep)], dim=1))  # w3, 1/4
        deep = self.decoder2(torch.cat([self.skip2(e2, pooled2), self.up2(deep)], dim=1))  # w2, 1/2
        deep = self.decoder1(torch.cat([self.skip1(e1, pooled1), self.up1(deep)], dim=1))  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits
