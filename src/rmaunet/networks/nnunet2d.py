"""The plain convolutional U-Net that nnU-Net v2 plans for slices.

Reference:
    Isensee, Jaeger, Kohl, Petersen, Maier-Hein. nnU-Net: a self-configuring method for deep learning-based biomedical image
    segmentation. Nature Methods 18, 2021; version 2's default plans.

The network only: not nnU-Net's preprocessing, augmentation, optimiser or deep supervision. Against a U-Net: strided
convolutions instead of pooling, instance norm, Leaky ReLU, and resolutions down to 4 x 4 of a slice of 256 x 256.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import check_divisible, check_widths, initialise

__all__ = ["NNUNet2d"]

NEGATIVE_SLOPE = 0.01


class _Stage(nn.Sequential):
    """Twice convolution, instance norm, Leaky ReLU; (N, in, H, W) to (N, out, H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1),
            nn.InstanceNorm2d(out_channels, affine=True),
            nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.InstanceNorm2d(out_channels, affine=True),
            nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True),
        )


class NNUNet2d(nn.Module):
    """Logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16 x 2^deeper.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the first five resolutions, full resolution first.
        deeper: Further resolutions of the last width; nnU-Net halves until a side of 8 would be halved.

    Raises:
        ValueError: If ``widths`` is not five widths, or ``deeper`` is negative.
    """

    def __init__(
        self,
        *,
        in_channels: int = 1,
        classes: int = 2,
        widths: Sequence[int] = (32, 64, 128, 256, 512),
        deeper: int = 2,
    ) -> None:
        super().__init__()
        check_widths(widths, 5)
        if deeper < 0:
            raise ValueError(f"deeper = {deeper}: must be at least 0")
        every = (*widths, *(widths[-1] for _ in range(deeper)))
        pairs = list(itertools.pairwise(every))
        self.factor = 2 ** len(pairs)
        self.encoder = nn.ModuleList([_Stage(in_channels, every[0])])
        self.encoder.extend(_Stage(high, low, stride=2) for high, low in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(low, high, 2, stride=2) for high, low in reversed(pairs))
        self.decoder = nn.ModuleList(_Stage(2 * high, high) for high, _ in reversed(pairs))
        self.head = nn.Conv2d(every[0], classes, 1)
        initialise(self, NEGATIVE_SLOPE, heads=[self.head])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x`` (N, in_channels, H, W).

        Raises:
            ValueError: If a side is not a multiple of the factor (the message names the size to pad to), or the deepest
                resolution would be one pixel, which instance norm cannot normalise.
        """
        rows, columns = x.shape[2:]
        check_divisible(rows, columns, factor=self.factor)
        if rows == columns == self.factor:
            raise ValueError(f"slice of {rows} x {columns} pixels: too small; pad to {rows} x {2 * columns} or more")
        skips: list[Tensor] = []
        for stage in self.encoder:
            x = stage(x)  # full resolution, 1/2, 1/4, ... 1/factor
            skips.append(x)
        skips.pop()
        for up, stage in zip(self.up, self.decoder, strict=True):
            x = stage(torch.cat([up(x), skips.pop()], dim=1))  # 2/factor, ... full resolution
        logits: Tensor = self.head(x)
        return logits
