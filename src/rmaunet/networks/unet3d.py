"""3D U-Net: U-Net's three-dimensional twin, for volumes.

Reference:
    Çiçek, Abdulkadir, Lienkamp, Brox, Ronneberger. 3D U-Net: Learning Dense Volumetric Segmentation from Sparse
    Annotation. MICCAI 2016. With padding, so that the mask has the volume's size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import check_divisible, initialise

__all__ = ["UNet3D"]


class _DoubleConv3d(nn.Sequential):
    """Twice a 3 x 3 x 3 convolution, batch norm and ReLU, through ``middle`` feature maps."""

    def __init__(self, in_channels: int, middle: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv3d(in_channels, middle, 3, padding=1, bias=False),
            nn.BatchNorm3d(middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(middle, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm3d(out_channels),
            nn.ReLU(inplace=True),
        )


class UNet3D(nn.Module):
    """Logits (N, classes, D, H, W) from volumes (N, in_channels, D, H, W); sides are multiples of 8.

    Args:
        in_channels: 1 for CT.
        classes: Output channels.
        base: Channels of the first convolution. The second one doubles them, and so does each further resolution: the
            authors' four resolutions have 64, 128, 256 and 512.
    """

    def __init__(self, *, in_channels: int = 1, classes: int = 2, base: int = 32) -> None:
        super().__init__()
        w1, w2, w3, w4 = 2 * base, 4 * base, 8 * base, 16 * base
        self.pool = nn.MaxPool3d(2)
        self.encoder1 = _DoubleConv3d(in_channels, w1 // 2, w1)
        self.encoder2 = _DoubleConv3d(w1, w2 // 2, w2)
        self.encoder3 = _DoubleConv3d(w2, w3 // 2, w3)
        self.encoder4 = _DoubleConv3d(w3, w4 // 2, w4)
        self.up3, self.decoder3 = nn.ConvTranspose3d(w4, w4, 2, stride=2), _DoubleConv3d(w3 + w4, w3, w3)
        self.up2, self.decoder2 = nn.ConvTranspose3d(w3, w3, 2, stride=2), _DoubleConv3d(w2 + w3, w2, w2)
        self.up1, self.decoder1 = nn.ConvTranspose3d(w2, w2, 2, stride=2), _DoubleConv3d(w1 + w2, w1, w1)
        self.head = nn.Conv3d(w1, classes, 1)
        initialise(self, heads=[self.head])

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, D, H, W) of the volumes ``x`` (N, in_channels, D, H, W).

        Raises:
            ValueError: If a side is not a multiple of 8; the message names the size to pad to.
        """
        check_divisible(*x.shape[2:], factor=8)
        skip1 = self.encoder1(x)  # w1, 1/1
        skip2 = self.encoder2(self.pool(skip1))  # w2, 1/2
        skip3 = self.encoder3(self.pool(skip2))  # w3, 1/4
        deep = self.encoder4(self.pool(skip3))  # w4, 1/8
        deep = self.decoder3(torch.cat([skip3, self.up3(deep)], dim=1))  # w3, 1/4
        deep = self.decoder2(torch.cat([skip2, self.up2(deep)], dim=1))  # w2, 1/2
        deep = self.decoder1(torch.cat([skip1, self.up1(deep)], dim=1))  # w1, 1/1
        logits: Tensor = self.head(deep)
        return logits
