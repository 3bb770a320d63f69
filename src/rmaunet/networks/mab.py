"""Multi-scale Attention Block: ASPP, then channel attention, then spatial attention.

Reference:
    RMAU-Net (Jiang et al. 2023), section 3.3, Eqs. 4-5, Figs. 3-5; Woo et al. 2018 (CBAM); Chen et al. 2017 (ASPP).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import LEAKY_SLOPE, Norm, make_norm
from rmaunet.networks.channels_last import mean_over, peak_of_maps, peak_over_channels

__all__ = ["ASPP", "ChannelAttention", "MultiScaleAttentionBlock", "SpatialAttention"]

DILATIONS = (1, 2, 4, 8)
"""Dilation of each ASPP branch. The paper gives none; two public ports agree on these."""
CHANNEL_REDUCTION = 16
"""Reduction of the channel attention's layers, as in CBAM."""
SPATIAL_KERNEL = 7
"""Side of the spatial attention's convolution (Eq. 5)."""


class ChannelAttention(nn.Module):
    """``Mc(F) = sigmoid(MLP(mean F) + MLP(max F))``, multiplied onto F (Eq. 4).

    The shared MLP is C -> max(1, C / 16) -> C without biases.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(1, channels // CHANNEL_REDUCTION)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of ``x`` (N, C, H, W); same shape out."""
        mean = self.mlp(mean_over(x, (2, 3)))
        peak = self.mlp(peak_of_maps(x))
        return x * torch.sigmoid(mean + peak)


class SpatialAttention(nn.Module):
    """``Ms(F) = sigmoid(conv_7x7([mean over C; max over C]))``, multiplied onto F (Eq. 5).

    The paper prints Ms in R^(C x 1 x 1); the formula gives 1 x H x W, which is implemented here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, SPATIAL_KERNEL, padding=SPATIAL_KERNEL // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the positions of ``x`` (N, C, H, W); same shape out."""
        summary = torch.cat([mean_over(x, (1,)), peak_over_channels(x)], dim=1)  # N 2 H W
        return x * torch.sigmoid(self.conv(summary))


class ASPP(nn.Module):
    """Parallel dilated 3 x 3 convolutions over the same features: (N, in, H, W) -> (N, out, H, W).

    Each branch has a quarter of the output channels; they are concatenated and fused by a 1 x 1 convolution. Every
    convolution is followed by normalisation and Leaky ReLU.

    Args:
        in_channels: Feature maps in.
        out_channels: C, feature maps out.
        norm: Normalisation after each convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm = "batch") -> None:
        super().__init__()
        width = max(1, out_channels // len(DILATIONS))

        def conv(cin: int, cout: int, kernel: int, rate: int = 1) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(cin, cout, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False),
                make_norm(norm, cout),
                nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            )

        self.branches = nn.ModuleList(conv(in_channels, width, 3, rate) for rate in DILATIONS)
        self.fuse = conv(width * len(DILATIONS), out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Multi-scale features of ``x``."""
        fused: Tensor = self.fuse(torch.cat([branch(x) for branch in self.branches], dim=1))
        return fused


class MultiScaleAttentionBlock(nn.Module):
    """MAB: ASPP, channel attention, spatial attention, one after the other (Fig. 3).

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out.
        norm: Normalisation after each convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, *, norm: Norm = "batch") -> None:
        super().__init__()
        self.aspp = ASPP(in_channels, out_channels, norm=norm)
        self.channel = ChannelAttention(out_channels)
        self.spatial = SpatialAttention()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, out, H, W)."""
        attended: Tensor = self.spatial(self.channel(self.aspp(x)))
        return attended
