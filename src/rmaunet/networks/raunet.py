"""RA-UNet: a U-Net of pre-activated residual units whose skips pass attention residual modules.

Reference:
    Jin, Meng, Sun, Cui, Su. RA-UNet: A Hybrid Deep Attention-Aware Network to Extract Liver and Tumor in CT Scans.
    Frontiers in Bioengineering and Biotechnology 8 (2020); layers as in the authors' code.

This is the 2-D network. The authors cascade a 2-D network for a box around the liver with two 3-D ones; how the RMAU-Net
paper used it is not stated.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import ConvBlock, check_divisible, check_widths, initialise

__all__ = ["AttentionResidualModule", "RAUNet", "ResidualUnit"]


class ResidualUnit(nn.Module):
    """Pre-activated bottleneck: three times norm, ReLU, convolution (1 x 1, 3 x 3, 1 x 1), plus a 1 x 1 shortcut.

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out; the two inner convolutions have a quarter of them.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        inner = max(1, out_channels // 4)

        def conv(cin: int, cout: int, kernel: int) -> nn.Sequential:
            return nn.Sequential(nn.BatchNorm2d(cin), nn.ReLU(), nn.Conv2d(cin, cout, kernel, padding=kernel // 2))

        self.body = nn.Sequential(conv(in_channels, inner, 1), conv(inner, inner, 3), conv(inner, out_channels, 1))
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, out, H, W)."""
        result: Tensor = self.shortcut(x) + self.body(x)
        return result


class AttentionResidualModule(nn.Module):
    """``(1 + mask) * trunk`` with a small hourglass for the mask; (N, C, H, W) in and out.

    Args:
        channels: C.
        depth: Poolings of the hourglass, >= 1.

    Reference:
        Jin et al. 2020, Eq. 1 and Fig. 3; Wang et al. 2017 (residual attention).
    """

    def __init__(self, channels: int, *, depth: int) -> None:
        super().__init__()

        def unit() -> ResidualUnit:
            return ResidualUnit(channels, channels)

        self.before = unit()
        self.trunk = nn.Sequential(unit(), unit())
        self.down = nn.ModuleList([unit() for _ in range(depth)])
        self.side = nn.ModuleList([unit() for _ in range(depth - 1)])
        self.up = nn.ModuleList([unit() for _ in range(depth)])
        self.mask = nn.Sequential(nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1), nn.Sigmoid())
        self.after = unit()
        self.pool = nn.MaxPool2d(2)
        self.raise_ = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        """Weight ``x`` (N, C, H, W) position by position and channel by channel; H and W multiples of 2^depth."""
        x = self.before(x)
        hourglass = self.down[0](self.pool(x))
        skips = []
        for side, down in zip(self.side, self.down[1:], strict=True):
            skips.append(side(hourglass))
            hourglass = down(self.pool(hourglass))
        for up, skip in zip(self.up, reversed(skips), strict=False):
            hourglass = self.raise_(up(hourglass)) + skip
        mask = self.mask(self.raise_(self.up[-1](hourglass)))
        result: Tensor = self.after((1 + mask) * self.trunk(x))
        return result


class RAUNet(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 32.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the stem and of the four deeper resolutions that have skips, deepest last: 4f, 8f, 16f,
            32f, 64f with the authors' f = 4 for the 2-D network. (64, 128, 256, 512, 1024), f = 16, is the
            one to compare with a U-Net of base 64.

    Raises:
        ValueError: If ``widths`` is not five widths.
    """

    def __init__(
        self, *, in_channels: int = 1, classes: int = 2, widths: Sequence[int] = (16, 32, 64, 128, 256)
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        w1, w2, w3, w4, w5 = widths
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.stem = ConvBlock(in_channels, w1)
        self.encoder1 = ResidualUnit(w1, w1)
        self.encoder2 = ResidualUnit(w1, w2)
        self.encoder3 = ResidualUnit(w2, w3)
        self.encoder4 = ResidualUnit(w3, w4)
        self.bottom = nn.Sequential(ResidualUnit(w4, w5), ResidualUnit(w5, w5))
        self.attention4 = AttentionResidualModule(w4, depth=1)
        self.attention3 = AttentionResidualModule(w3, depth=2)
        self.attention2 = AttentionResidualModule(w2, depth=3)
        self.attention1 = AttentionResidualModule(w1, depth=4)
        self.decoder4 = ResidualUnit(w5 + w4, w4)
        self.decoder3 = ResidualUnit(w4 + w3, w3)
        self.decoder2 = ResidualUnit(w3 + w2, w2)
        self.decoder1 = ResidualUnit(w2 + w1, w1)
        self.last = ConvBlock(2 * w1, w1)
        self.head = nn.Conv2d(w1, classes, 3, padding=1)
        initialise(self, heads=[self.head])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x`` (N, in_channels, H, W).

        Raises:
            ValueError: If a side is not a multiple of 32; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=32)
        stem = self.stem(x)  # w1, 1/1
        skip1 = self.encoder1(self.pool(stem))  # w1, 1/2
        skip2 = self.encoder2(self.pool(skip1))  # w2, 1/4
        skip3 = self.encoder3(self.pool(skip2))  # w3, 1/8
        skip4 = self.encoder4(self.pool(skip3))  # w4, 1/16
        deep = self.bottom(self.pool(skip4))  # w5, 1/32
        deep = self.decoder4(torch.cat([self.up(deep), self.attention4(skip4)], dim=1))  # w4, 1/16
        deep = self.decoder3(torch.cat([self.up(deep), self.attention3(skip3)], dim=1))  # w3, 1/8
        deep = self.decoder2(torch.cat([self.up(deep), self.attention2(skip2)], dim=1))  # w2, 1/4
        deep = self.decoder1(torch.cat([self.up(deep), self.attention1(skip1)], dim=1))  # w1, 1/2
        logits: Tensor = self.head(self.last(torch.cat([self.up(deep), stem], dim=1)))  # 1/1
        return logits
