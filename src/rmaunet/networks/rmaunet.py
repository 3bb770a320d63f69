"""RMAU-Net: U-Net with Res-SE-Blocks and two Multi-scale Attention Blocks.

Reference:
    Jiang, Ou, Liu, Zou, Xie, Xiao, Bai. RMAU-Net: Residual Multi-Scale Attention U-Net for liver and tumor
    segmentation in CT images. Computers in Biology and Medicine 158, 106838 (2023).

The paper leaves several points open; the documentation of the network lists our reading of each. The backbone U-Net and
the single-module ablations of the paper are this class with other arguments:

=====================  ==============================================
backbone U-Net         ``block="plain", mab_at="none"``
U-Net + Res-SE-Block   ``mab_at="none"``
U-Net + MAB            ``block="plain"``
RMAU-Net               the defaults
=====================  ==============================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import (
    LEAKY_SLOPE,
    DoubleConv,
    Norm,
    SqueezeExcitation,
    UpMode,
    Upsample,
    check_divisible,
    check_widths,
    initialise,
    make_norm,
)
from rmaunet.networks.mab import MultiScaleAttentionBlock

__all__ = ["DecoderStage", "RMAUNet", "ResSEBlock", "reduced_channels", "widths_from_base"]

SE_REDUCTION = 6
"""Reduction r of squeeze-and-excitation (Eq. 2)."""


def widths_from_base(base: int) -> tuple[int, int, int, int, int]:
    """Channels of the five resolutions: ``base`` doubled four times.

    Args:
        base: Channels at full resolution; 64 is the paper's backbone, 32 and 16 serve CPUs.

    Returns:
        Five widths, full resolution first.

    Example:
        >>> widths_from_base(16)
        (16, 32, 64, 128, 256)
    """
    return (base, 2 * base, 4 * base, 8 * base, 16 * base)


def reduced_channels(channels: int) -> int:
    """Width of the bottleneck of squeeze-and-excitation: C / 6, rounded down, at least 1.

    The paper's reduction of 6 divides no power of two; how C / 6 becomes whole is not stated.

    Example:
        >>> [reduced_channels(c) for c in (64, 128, 256, 512, 1024)]
        [10, 21, 42, 85, 170]
    """
    return max(1, channels // SE_REDUCTION)


class ResSEBlock(nn.Module):
    """Res-SE-Block: ``y = shortcut(x) + u * s(u)`` with ``u`` from two 3 x 3 convolutions (Eqs. 1-3, Fig. 2).

    Both convolutions are activated and the sum is not (Eq. 3 shows no activation on y); the shortcut is always a 1 x 1
    convolution.

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out.
        norm: Normalisation after each convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm = "batch") -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
        )
        self.se = SqueezeExcitation(out_channels, hidden=reduced_channels(out_channels))
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, bias=False), make_norm(norm, out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, out, H, W)."""
        result: Tensor = self.shortcut(x) + self.se(self.body(x))
        return result


class DecoderStage(nn.ModuleDict):
    """One step up: double the side, join the skip connection, convolve, attend.

    Args:
        deep: Channels of the features from below.
        skip: Channels of the skip connection and of the output.
        unit: Makes a convolution block of (channels in, channels out).
        up: How the side length is doubled.
        attend: Attention at the end.
        norm: Normalisation after each convolution.
    """

    def __init__(
        self, deep: int, skip: int, unit: Callable[[int, int], nn.Module], *, up: UpMode, attend: bool, norm: Norm
    ) -> None:
        raised = deep if up == "bilinear" else skip
        super().__init__(
            {
                "up": Upsample(deep, skip, mode=up, norm=norm),
                "block": unit(skip + raised, skip),
                "mab": MultiScaleAttentionBlock(skip, skip, norm=norm) if attend else nn.Identity(),
            }
        )

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Features (N, skip channels, 2H, 2W) of ``deep`` (N, deep channels, H, W) and ``skip`` (N, skip channels, 2H, 2W)."""
        result: Tensor = self["mab"](self["block"](torch.cat([skip, self["up"](deep)], dim=1)))
        return result


class RMAUNet(nn.Module):
    """The network of Fig. 1: logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels; 2 sigmoid channels (liver with tumor, tumor) by default.
        widths: Channels of the five resolutions, full resolution first.
        block: "res_se" or, for the ablation, U-Net's "plain" double convolution with ReLU.
        mab_at: Where Multi-scale Attention Blocks are: after the bottleneck ("encoder"), after the last decoder block
            ("decoder"), "both" (the paper), after the bottleneck and every decoder block ("all_decoder"), or "none".
        up: How the decoder doubles the side length.
        norm: Normalisation after each convolution.

    Raises:
        ValueError: If ``widths`` does not hold five widths.

    Example:
        >>> network = RMAUNet(widths=widths_from_base(4))
        >>> network(torch.zeros(1, 1, 32, 48)).shape
        torch.Size([1, 2, 32, 48])
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        classes: int = 2,
        widths: Sequence[int] = (64, 128, 256, 512, 1024),
        block: Literal["res_se", "plain"] = "res_se",
        mab_at: Literal["both", "encoder", "decoder", "all_decoder", "none"] = "both",
        up: UpMode = "transpose",
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        unit = partial(DoubleConv if block == "plain" else ResSEBlock, norm=norm)
        every = mab_at == "all_decoder"
        last = every or mab_at in ("both", "decoder")
        w1, w2, w3, w4, w5 = widths
        self.pool = nn.MaxPool2d(2)
        self.encoder1 = unit(in_channels, w1)
        self.encoder2 = unit(w1, w2)
        self.encoder3 = unit(w2, w3)
        self.encoder4 = unit(w3, w4)
        self.encoder5 = unit(w4, w5)
        attend = every or mab_at in ("both", "encoder")
        self.mab_encoder = MultiScaleAttentionBlock(w5, w5, norm=norm) if attend else nn.Identity()
        self.decoder4 = DecoderStage(w5, w4, unit, up=up, attend=every, norm=norm)
        self.decoder3 = DecoderStage(w4, w3, unit, up=up, attend=every, norm=norm)
        self.decoder2 = DecoderStage(w3, w2, unit, up=up, attend=every, norm=norm)
        self.decoder1 = DecoderStage(w2, w1, unit, up=up, attend=last, norm=norm)
        self.head = nn.Conv2d(w1, classes, 1)
        initialise(self, LEAKY_SLOPE, heads=[self.head])  # not stated in the paper

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
        deep = self.mab_encoder(self.encoder5(self.pool(skip4)))  # w5, 1/16
        deep = self.decoder4(deep, skip4)  # w4, 1/8
        deep = self.decoder3(deep, skip3)  # w3, 1/4
        deep = self.decoder2(deep, skip2)  # w2, 1/2
        deep = self.decoder1(deep, skip1)  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits
