"""Attention U-Net: additive gates let the deeper features choose what passes a skip connection.

Reference:
    Oktay et al. Attention U-Net: Learning Where to Look for the Pancreas. MIDL 2018, arXiv:1804.03999.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import ConvBlock, DoubleConv, check_divisible, check_widths, initialise

__all__ = ["AttentionGate", "AttentionUNet"]


class AttentionGate(nn.Module):
    """``x * sigmoid(norm(psi(relu(norm(Wg g) + norm(Wx x)))))``: one weight per position (Oktay et al., Eqs. 1-2).

    The gating signal ``g`` is taken after up-sampling, so that both have the same grid.

    Args:
        channels: Feature maps of ``g`` and of ``x``.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)

        def project(cin: int, cout: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(cin, cout, 1, bias=False), nn.BatchNorm2d(cout))

        self.gate = project(channels, inner)
        self.skip = project(channels, inner)
        self.psi = project(inner, 1)

    def forward(self, g: Tensor, x: Tensor) -> Tensor:
        """Weight the positions of ``x`` (N, C, H, W) by the gating signal ``g`` of the same shape."""
        agreement = torch.relu(self.gate(g) + self.skip(x))  # N C/2 H W
        return x * torch.sigmoid(self.psi(agreement))  # N C H W


class AttentionUNet(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

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

        def stage(deep: int, skip: int) -> nn.ModuleDict:
            return nn.ModuleDict(
                {
                    "up": nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), ConvBlock(deep, skip)),
                    "gate": AttentionGate(skip),
                    "block": DoubleConv(2 * skip, skip),
                }
            )

        self.pool = nn.MaxPool2d(2)
        self.encoder1 = DoubleConv(in_channels, w1)
        self.encoder2 = DoubleConv(w1, w2)
        self.encoder3 = DoubleConv(w2, w3)
        self.encoder4 = DoubleConv(w3, w4)
        self.encoder5 = DoubleConv(w4, w5)
        self.decoder4 = stage(w5, w4)
        self.decoder3 = stage(w4, w3)
        self.decoder2 = stage(w3, w2)
        self.decoder1 = stage(w2, w1)
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
        deep = _decode(self.decoder4, deep, skip4)  # w4, 1/8
        deep = _decode(self.decoder3, deep, skip3)  # w3, 1/4
        deep = _decode(self.decoder2, deep, skip2)  # w2, 1/2
        deep = _decode(self.decoder1, deep, skip1)  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits


def _decode(stage: nn.ModuleDict, deep: Tensor, skip: Tensor) -> Tensor:
    raised = stage["up"](deep)
    result: Tensor = stage["block"](torch.cat([stage["gate"](raised, skip), raised], dim=1))
    return result
