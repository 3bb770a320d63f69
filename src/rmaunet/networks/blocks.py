"""Building blocks that more than one network uses.

Shapes are ``(N, C, H, W)`` throughout.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from rmaunet.networks.channels_last import mean_over

__all__ = [
    "LEAKY_SLOPE",
    "ConvBlock",
    "DoubleConv",
    "Norm",
    "SqueezeExcitation",
    "UpMode",
    "Upsample",
    "check_divisible",
    "check_widths",
    "initialise",
    "make_norm",
]

Norm = Literal["batch", "instance", "group"]
UpMode = Literal["transpose", "bilinear", "bilinear_conv"]

HEAD_PRIOR = 0.1
LEAKY_SLOPE = 0.01
"""Slope of RMAU-Net's Leaky ReLU; PyTorch's default, not stated in the paper."""


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """Normalisation layer over ``channels`` feature maps.

    Args:
        kind: "batch", "instance" (with affine parameters) or "group" (groups of at most 16 channels).
        channels: Number of feature maps, >= 1.

    Returns:
        The layer.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "instance":
        return InstanceNorm(channels)
    groups = max(1, channels // 16)
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels)


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm with affine parameters, as fast on a CPU as batch norm; (N, C, H, W) to the same.

    PyTorch's own goes through a contiguous copy and takes half as long again for the whole network's step. One slice's batch
    norm is the same arithmetic in a kernel that keeps channels-last memory.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each map of each slice to mean 0 and variance 1, then scale and shift."""
        if not self.training or x.device.type != "cpu":
            return super().forward(x)
        slices = [
            nn.functional.batch_norm(one, None, None, self.weight, self.bias, training=True, eps=self.eps)
            for one in x.split(1)
        ]
        return torch.cat(slices)


def check_divisible(*sides: int, factor: int) -> None:
    """Refuse slices or volumes that do not halve evenly, naming the size to pad to.

    Args:
        sides: Rows and columns of a slice, or slices, rows and columns of a volume.
        factor: What all must be multiples of, 16 for four poolings.

    Raises:
        ValueError: If a side is zero or not a multiple of ``factor``.

    Example:
        >>> check_divisible(250, 256, factor=16)
        Traceback (most recent call last):
        ValueError: slice of 250 x 256 pixels: all sides must be multiples of 16; pad to 256 x 256
    """
    if any(side % factor or side == 0 for side in sides):
        padded = (max(1, -(-side // factor)) * factor for side in sides)
        kind, dots = ("slice", "pixels") if len(sides) == 2 else ("volume", "voxels")
        raise ValueError(
            f"{kind} of {' x '.join(map(str, sides))} {dots}: all sides must be multiples of {factor}; "
            f"pad to {' x '.join(map(str, padded))}"
        )


def check_widths(widths: Sequence[int], count: int) -> None:
    """Refuse a list of widths of the wrong length.

    Args:
        widths: Channels per resolution, full resolution first.
        count: How many the network has.

    Raises:
        ValueError: If there are not ``count`` widths, or one is below 1.
    """
    if len(widths) != count or min(widths) < 1:
        raise ValueError(f"widths = {tuple(widths)}: {count} widths are needed, one per resolution, each at least 1")


def initialise(network: nn.Module, negative_slope: float = 0.0, *, heads: Iterable[nn.Module]) -> None:
    """Kaiming normal weights (fan out) and zero biases for every convolution, in place; heads that begin at the prior.

    Args:
        network: The whole network.
        negative_slope: Of its (Leaky) ReLUs.
        heads: The last layers, which give logits. With fan out, logits of few classes would start at a standard deviation of
            about 4, where sigmoids are saturated: the dice term then has no gradient, and the tumor's channel can die. With
            fan in they start within about 1 of a probability of 0.1, a common share of foreground. Much smaller weights
            would only have to grow first: an optimiser of Adam's kind moves each by its learning rate a step.

    Reference:
        He et al. 2015; Lin et al. 2017, section 4.1, for the prior (theirs is 0.01).
    """
    if all(parameter.is_meta for parameter in network.parameters()):
        return  # there are no values; and asked for random ones, PyTorch's meta device imports its compiler, for a second
    convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    for module in network.modules():
        if isinstance(module, convolutions):
            nn.init.kaiming_normal_(module.weight, a=negative_slope, mode="fan_out", nonlinearity="leaky_relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for head in heads:
        if not isinstance(head, convolutions) or head.bias is None:
            raise TypeError(f"{type(head).__name__}: a head must be a convolution with a bias")
        nn.init.kaiming_normal_(head.weight, mode="fan_in", nonlinearity="linear")
        nn.init.constant_(head.bias, math.log(HEAD_PRIOR / (1 - HEAD_PRIOR)))


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, ReLU; ``(N, in, H, W) -> (N, out, H, W)``.

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out.
        kernel: Side of the convolution, odd.
        dilation: Distance between its taps.
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 3, dilation: int = 1) -> None:
        padding = dilation * (kernel // 2)
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class DoubleConv(nn.Sequential):
    """U-Net's unit: twice a 3 x 3 convolution, normalisation and activation; ``(N, in, H, W) -> (N, out, H, W)``.

    Reference:
        Ronneberger et al. 2015 (with padding, and batch norm as every later port has it).
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, norm: Norm = "batch", negative_slope: float = 0.0
    ) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.LeakyReLU(negative_slope, inplace=True) if negative_slope else nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            make_norm(norm, out_channels),
            nn.LeakyReLU(negative_slope, inplace=True) if negative_slope else nn.ReLU(inplace=True),
        )


class SqueezeExcitation(nn.Module):
    """Channel weights ``s = sigmoid(W2 relu(W1 mean(u)))``, multiplied onto ``u``.

    Args:
        channels: C, feature maps in and out.
        hidden: Width of the bottleneck, C/r, >= 1.

    Reference:
        RMAU-Net, Eqs. 1-2; Hu et al. 2018.
    """

    def __init__(self, channels: int, *, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)  # Eq. 2 has no biases
        self.expand = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, u: Tensor) -> Tensor:
        """Recalibrate ``u`` (N, C, H, W); same shape out."""
        z = mean_over(u, (2, 3))  # N C 1 1
        return u * torch.sigmoid(self.expand(torch.relu(self.reduce(z))))


class Upsample(nn.Sequential):
    """Twice the side length: ``(N, in, H, W) -> (N, out, 2H, 2W)``.

    Args:
        in_channels: Feature maps in.
        out_channels: Feature maps out; equal to ``in_channels`` for mode "bilinear".
        mode: "transpose" (2 x 2, stride 2: U-Net's up-convolution), "bilinear" (no parameters) or
            "bilinear_conv" (bilinear, then 3 x 3 and normalisation).
        norm: Normalisation after the 3 x 3 convolution of "bilinear_conv".
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, mode: UpMode = "transpose", norm: Norm = "batch"
    ) -> None:
        if mode == "transpose":
            super().__init__(nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2))
        elif mode == "bilinear":
            super().__init__(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))
        else:
            super().__init__(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
                make_norm(norm, out_channels),
            )
