"""RMAU-Net: U-Net with Res-SE-Blocks and two Multi-scale Attention Blocks.

Reference:
    Jiang, Ou, Liu, Zou, Xie, Xiao, Bai. RMAU-Net: Residual Multi-Scale Attention U-Net for liver and tumor
    segmentation in CT images. Computers in Biology and Medicine 158, 106838 (2023).

The paper's text leaves much open (its figures do not give everything either). Each such point is a constructor argument
whose default is the best-supported reading; ``docs/network.md`` lists them. The backbone U-Net and the single-module
ablations of the paper are this class with other arguments:

=====================  ==============================================
backbone U-Net         ``block="plain", mab_at="none"``
U-Net + Res-SE-Block   ``mab_at="none"``
U-Net + MAB            ``block="plain"``
RMAU-Net               the defaults
=====================  ==============================================
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import (
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
from rmaunet.networks.mab import AsppPreset, MultiScaleAttentionBlock

__all__ = ["RMAUNet", "ResSEBlock", "reduced_channels", "widths_from_base"]

Rounding = Literal["floor", "round", "ceil"]


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


def reduced_channels(channels: int, reduction: int, rounding: Rounding = "floor") -> int:
    """Width of a squeeze-and-excitation bottleneck, C/r made whole.

    Args:
        channels: C, >= 1.
        reduction: r, >= 1; the paper's is 6, which divides no power of two.
        rounding: How C/r becomes whole. Not stated in the paper; floor is what integer division gives.

    Returns:
        At least 1.

    Example:
        >>> [reduced_channels(c, 6) for c in (64, 128, 256, 512, 1024)]
        [10, 21, 42, 85, 170]
    """
    exact = channels / reduction
    whole = round(exact) if rounding == "round" else math.ceil(exact) if rounding == "ceil" else math.floor(exact)
    return max(1, whole)


class ResSEBlock(nn.Module):
    """Res-SE-Block: ``y = shortcut(x) + u * s(u)`` with ``u`` from two 3 x 3 convolutions (Eqs. 1-3, Fig. 2).

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out.
        se_reduction: r of Eq. 2; the paper's is 6.
        se_rounding: How ``out_channels / r`` becomes whole.
        se_bias: Biases in the two fully connected layers; Eq. 2 has none.
        negative_slope: Of the Leaky ReLU. Not stated; 0.01 is PyTorch's default.
        norm: Normalisation after each convolution.
        res_order: "pre" activates both convolutions and leaves the sum alone (Eq. 3 shows no activation on y);
            "post" is ResNet's order: no activation on the second convolution, Leaky ReLU on the sum.
        shortcut: "always" has the 1 x 1 convolution; "when_needed" leaves it out where the widths agree.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        se_reduction: int = 6,
        se_rounding: Rounding = "floor",
        se_bias: bool = False,
        negative_slope: float = 0.01,
        norm: Norm = "batch",
        res_order: Literal["pre", "post"] = "pre",
        shortcut: Literal["always", "when_needed"] = "always",
    ) -> None:
        super().__init__()
        post = res_order == "post"
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.LeakyReLU(negative_slope, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.Identity() if post else nn.LeakyReLU(negative_slope, inplace=True),
        )
        self.se = SqueezeExcitation(
            out_channels, hidden=reduced_channels(out_channels, se_reduction, se_rounding), bias=se_bias
        )
        self.shortcut = (
            nn.Identity()
            if shortcut == "when_needed" and in_channels == out_channels
            else nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), make_norm(norm, out_channels))
        )
        self.activation = nn.LeakyReLU(negative_slope, inplace=True) if post else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, out, H, W)."""
        result: Tensor = self.activation(self.shortcut(x) + self.se(self.body(x)))
        return result


class RMAUNet(nn.Module):
    """The network of Fig. 1: logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels; 2 sigmoid channels (liver with tumor, tumor) by default.
        widths: Channels of the five resolutions, full resolution first.
        block: "res_se" or, for the ablation, U-Net's "plain" double convolution with ReLU.
        mab_at: Where Multi-scale Attention Blocks sit: after the "encoder" (bottleneck), after the last "decoder"
            block, "both" (the paper), after the bottleneck and every decoder block ("all_decoder"), or "none".
        bottleneck: "block" or "mab": the MAB replaces the bottleneck's block (one public port's reading).
        aspp: Dilated branches of the MAB, see :class:`~rmaunet.networks.mab.MultiScaleAttentionBlock`.
        aspp_width: Channels of each ASPP branch as a divisor of C (4 means C/4).
        ca_reduction: Reduction of the channel attention's MLP.
        sa_kernel: Side of the spatial attention's convolution, 3 or 7 (Eq. 5 has 7).
        mab_residual: Add the MAB's input to its output.
        up: How the decoder doubles the side length.
        se_reduction: See :class:`ResSEBlock`.
        se_rounding: See :class:`ResSEBlock`.
        se_bias: See :class:`ResSEBlock`.
        negative_slope: Of every Leaky ReLU.
        norm: Normalisation after each convolution.
        res_order: See :class:`ResSEBlock`.
        shortcut: See :class:`ResSEBlock`.

    Raises:
        ValueError: If ``widths`` is not five widths.

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
        bottleneck: Literal["block", "mab"] = "block",
        aspp: AsppPreset = "rates_1248",
        aspp_width: int = 4,
        ca_reduction: int = 16,
        sa_kernel: int = 7,
        mab_residual: bool = False,
        up: UpMode = "transpose",
        se_reduction: int = 6,
        se_rounding: Rounding = "floor",
        se_bias: bool = False,
        negative_slope: float = 0.01,
        norm: Norm = "batch",
        res_order: Literal["pre", "post"] = "pre",
        shortcut: Literal["always", "when_needed"] = "always",
    ) -> None:
        super().__init__()
        check_widths(widths, 5)

        def unit(cin: int, cout: int) -> nn.Module:
            if block == "plain":
                return DoubleConv(cin, cout, norm=norm)
            return ResSEBlock(
                cin,
                cout,
                se_reduction=se_reduction,
                se_rounding=se_rounding,
                se_bias=se_bias,
                negative_slope=negative_slope,
                norm=norm,
                res_order=res_order,
                shortcut=shortcut,
            )

        def mab(cin: int, cout: int) -> MultiScaleAttentionBlock:
            return MultiScaleAttentionBlock(
                cin,
                cout,
                aspp=aspp,
                aspp_width=aspp_width,
                ca_reduction=ca_reduction,
                sa_kernel=sa_kernel,
                residual=mab_residual,
                negative_slope=negative_slope,
                norm=norm,
            )

        w1, w2, w3, w4, w5 = widths
        self.pool = nn.MaxPool2d(2)
        self.encoder1 = unit(in_channels, w1)
        self.encoder2 = unit(w1, w2)
        self.encoder3 = unit(w2, w3)
        self.encoder4 = unit(w3, w4)
        self.encoder5 = mab(w4, w5) if bottleneck == "mab" else unit(w4, w5)
        encoder_mab = mab_at in ("both", "encoder", "all_decoder") and bottleneck == "block"
        self.mab_encoder = mab(w5, w5) if encoder_mab else nn.Identity()

        def stage(deep: int, skip: int, *, attend: bool) -> nn.ModuleDict:
            raised = deep if up == "bilinear" else skip
            return nn.ModuleDict(
                {
                    "up": Upsample(deep, skip, mode=up, norm=norm),
                    "block": unit(skip + raised, skip),
                    "mab": mab(skip, skip) if attend else nn.Identity(),
                }
            )

        every = mab_at == "all_decoder"
        self.decoder4 = stage(w5, w4, attend=every)
        self.decoder3 = stage(w4, w3, attend=every)
        self.decoder2 = stage(w3, w2, attend=every)
        self.decoder1 = stage(w2, w1, attend=every or mab_at in ("both", "decoder"))
        self.head = nn.Conv2d(w1, classes, 1)
        initialise(self, negative_slope, heads=[self.head])  # not stated in the paper

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
        deep = _decode(self.decoder4, deep, skip4)  # w4, 1/8
        deep = _decode(self.decoder3, deep, skip3)  # w3, 1/4
        deep = _decode(self.decoder2, deep, skip2)  # w2, 1/2
        deep = _decode(self.decoder1, deep, skip1)  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits


def _decode(stage: nn.ModuleDict, deep: Tensor, skip: Tensor) -> Tensor:
    raised = stage["up"](deep)
    result: Tensor = stage["mab"](stage["block"](torch.cat([skip, raised], dim=1)))
    return result
