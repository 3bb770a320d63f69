"""Multi-scale Attention Block: ASPP, then channel attention, then spatial attention.

Reference:
    RMAU-Net (Jiang et al. 2023), section 3.3, Eqs. 4-5, Figs. 3-5; Woo et al. 2018 (CBAM); Chen et al. 2017 (ASPP).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import Norm, make_norm
from rmaunet.networks.channels_last import mean_over, peak_of_maps, peak_over_channels

__all__ = ["ASPP", "AsppPreset", "ChannelAttention", "MultiScaleAttentionBlock", "SpatialAttention"]

AsppPreset = Literal["rates_1248", "deeplabv3", "deeplabv2"]


class ChannelAttention(nn.Module):
    """``Mc(F) = sigmoid(MLP(mean F) + MLP(max F))``, multiplied onto F (Eq. 4).

    Args:
        channels: C.
        reduction: The shared MLP is C -> max(1, C/reduction) -> C without biases.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Weight the channels of ``x`` (N, C, H, W); same shape out."""
        mean = self.mlp(mean_over(x, (2, 3)))
        peak = self.mlp(peak_of_maps(x))
        return x * torch.sigmoid(mean + peak)


class SpatialAttention(nn.Module):
    """``Ms(F) = sigmoid(conv_k([mean over C; max over C]))``, multiplied onto F (Eq. 5).

    The paper prints Ms in R^(C x 1 x 1); the formula gives 1 x H x W, which is what stands here.

    Args:
        kernel: Side of the convolution, odd; the paper's is 7.
    """

    def __init__(self, *, kernel: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weight the positions of ``x`` (N, C, H, W); same shape out."""
        summary = torch.cat([mean_over(x, (1,)), peak_over_channels(x)], dim=1)  # N 2 H W
        return x * torch.sigmoid(self.conv(summary))


class _ImagePool(nn.Module):
    """DeepLab v3's image-level branch, without batch norm: it would see 1 x 1 maps."""

    def __init__(self, cin: int, cout: int, negative_slope: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, 1)
        self.activation = nn.LeakyReLU(negative_slope)

    def forward(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.activation(self.conv(mean_over(x, (2, 3))))
        return pooled.expand(-1, -1, x.shape[2], x.shape[3])


class ASPP(nn.Module):
    """Parallel dilated convolutions over the same features: (N, in, H, W) -> (N, out, H, W).

    Args:
        in_channels: Feature maps in.
        out_channels: C, feature maps out.
        preset: "rates_1248" (default): four 3 x 3 of dilation 1, 2, 4, 8, concatenated, fused by 1 x 1. The paper gives
            no rates; two public ports agree on these. "deeplabv3": 1 x 1; 3 x 3 of 6, 12, 18; image pooling; fused.
            "deeplabv2": 3 x 3 of 6, 12, 18, 24 of full width, summed.
        width: Each branch has C / width channels.
        negative_slope: Of the Leaky ReLU.
        norm: Normalisation after each convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        preset: AsppPreset = "rates_1248",
        width: int = 4,
        negative_slope: float = 0.01,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        self.summed = preset == "deeplabv2"
        branch = out_channels if self.summed else max(1, out_channels // width)

        def conv(cin: int, cout: int, kernel: int, rate: int = 1) -> nn.Sequential:
            return nn.Sequential(
                nn.Conv2d(cin, cout, kernel, padding=rate * (kernel // 2), dilation=rate, bias=False),
                make_norm(norm, cout),
                nn.LeakyReLU(negative_slope, inplace=True),
            )

        rates = {"rates_1248": (1, 2, 4, 8), "deeplabv3": (6, 12, 18), "deeplabv2": (6, 12, 18, 24)}[preset]
        branches: list[nn.Module] = [conv(in_channels, branch, 3, rate) for rate in rates]
        if preset == "deeplabv3":
            branches = [conv(in_channels, branch, 1), *branches, _ImagePool(in_channels, branch, negative_slope)]
        self.branches = nn.ModuleList(branches)
        self.fuse = nn.Identity() if self.summed else conv(branch * len(branches), out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Multi-scale features of ``x``."""
        features = [branch(x) for branch in self.branches]
        joined = torch.stack(features).sum(dim=0) if self.summed else torch.cat(features, dim=1)
        fused: Tensor = self.fuse(joined)
        return fused


class MultiScaleAttentionBlock(nn.Module):
    """MAB: ASPP, channel attention, spatial attention, one after the other (Fig. 3).

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out.
        aspp: See :class:`ASPP`.
        aspp_width: See :class:`ASPP`.
        ca_reduction: See :class:`ChannelAttention`.
        sa_kernel: See :class:`SpatialAttention`.
        residual: Add the input to the output; needs equal widths.
        negative_slope: Of the Leaky ReLU.
        norm: Normalisation after each convolution.

    Raises:
        ValueError: If ``residual`` is asked for with unequal widths.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        aspp: AsppPreset = "rates_1248",
        aspp_width: int = 4,
        ca_reduction: int = 16,
        sa_kernel: int = 7,
        residual: bool = False,
        negative_slope: float = 0.01,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        if residual and in_channels != out_channels:
            raise ValueError(f"a residual MAB needs equal widths, got {in_channels} in and {out_channels} out")
        self.residual = residual
        self.aspp = ASPP(
            in_channels, out_channels, preset=aspp, width=aspp_width, negative_slope=negative_slope, norm=norm
        )
        self.channel = ChannelAttention(out_channels, reduction=ca_reduction)
        self.spatial = SpatialAttention(kernel=sa_kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``x`` (N, in, H, W) to (N, out, H, W)."""
        attended: Tensor = self.spatial(self.channel(self.aspp(x)))
        return x + attended if self.residual else attended
