"""SAA-Net, a reconstruction: U-Net whose encoder weighs scales and axes.

Reference:
    Zhang, Lu, Hua, Li, Wang. SAA-Net: U-shaped network with Scale-Axis-Attention for liver tumor segmentation.
    Biomedical Signal Processing and Control 73, 103460 (2022).

Only the abstract of that paper was at hand. It fixes the ideas (adaptive weights over multi-scale convolutions; attention
along the axes; both joined "with a style of adaptive global pooling"), not the layers. What stands here is our guess at
them and must be named a reconstruction wherever its numbers are shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import ConvBlock, DoubleConv, Upsample, check_divisible, check_widths, initialise

__all__ = ["SAANet", "ScaleAxisAttention"]


class ScaleAxisAttention(nn.Module):
    """``sum_k s_k U_k * sigmoid(a_h) * sigmoid(a_w) + x``; (N, C, H, W) in and out.

    ``U_k`` are 3 x 3 blocks of dilation 1, 2, 3. ``a_h`` and ``a_w`` are one-dimensional convolutions of the features'
    means along a row and along a column. Pooled with ``softmax(a_h) softmax(a_w)``, the features give the scale weights
    ``s_k``, which sum to 1 over k.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, channels // 8)
        self.scales = nn.ModuleList([ConvBlock(channels, channels, dilation=rate) for rate in (1, 2, 3)])
        self.rows = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.columns = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.ModuleList([nn.Linear(hidden, channels) for _ in self.scales])

    def forward(self, x: Tensor) -> Tensor:
        """Weigh scales and positions of ``x`` (N, C, H, W)."""
        scales = torch.stack([scale(x) for scale in self.scales])  # 3 N C H W
        features = scales.sum(dim=0)  # N C H W
        a_h = self.rows(features.mean(dim=3)).unsqueeze(3)  # N C H 1
        a_w = self.columns(features.mean(dim=2)).unsqueeze(2)  # N C 1 W
        pooled = (features * a_h.softmax(dim=2) * a_w.softmax(dim=3)).sum(dim=(2, 3))  # N C
        z = torch.relu(self.reduce(pooled))
        weights = torch.stack([expand(z) for expand in self.expand]).softmax(dim=0)  # 3 N C
        mixed = (scales * weights[..., None, None]).sum(dim=0)
        return mixed * torch.sigmoid(a_h) * torch.sigmoid(a_w) + x


class SAANet(nn.Module):
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

        def encoder(cin: int, cout: int) -> nn.Sequential:
            return nn.Sequential(ConvBlock(cin, cout), ScaleAxisAttention(cout))

        self.pool = nn.MaxPool2d(2)
        self.encoder1 = encoder(in_channels, w1)
        self.encoder2 = encoder(w1, w2)
        self.encoder3 = encoder(w2, w3)
        self.encoder4 = encoder(w3, w4)
        self.encoder5 = encoder(w4, w5)
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
        skip1 = self.encoder1(x)  # w1, 1/1
        skip2 = self.encoder2(self.pool(skip1))  # w2, 1/2
        skip3 = self.encoder3(self.pool(skip2))  # w3, 1/4
        skip4 = self.encoder4(self.pool(skip3))  # w4, 1/8
        deep = self.encoder5(self.pool(skip4))  # w5, 1/16
        deep = self.decoder4(torch.cat([skip4, self.up4(deep)], dim=1))  # w4, 1/8
        deep = self.decoder3(torch.cat([skip3, self.up3(deep)], dim=1))  # w3, 1/4
        deep = self.decoder2(torch.cat([skip2, self.up2(deep)], dim=1))  # w2, 1/2
        deep = self.decoder1(torch.cat([skip1, self.up1(deep)], dim=1))  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits
