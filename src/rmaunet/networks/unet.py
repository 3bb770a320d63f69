"""U-Net: the backbone of RMAU-Net, under its own name.

Reference:
    Ronneberger, Fischer, Brox. U-Net: Convolutional Networks for Biomedical Image Segmentation. MICCAI 2015.

The paper's U-Net row is its ablation's backbone row, digit for digit, so there is one code path for both. Against the
original: padded convolutions (the mask has the slice's size), batch norm, and Adam with the paper's loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from rmaunet.networks.blocks import Norm, UpMode
from rmaunet.networks.rmaunet import RMAUNet

__all__ = ["unet"]


def unet(
    *,
    in_channels: int = 1,
    classes: int = 2,
    widths: Sequence[int] = (64, 128, 256, 512, 1024),
    up: UpMode = "transpose",
    norm: Norm = "batch",
) -> RMAUNet:
    """U-Net as :class:`~rmaunet.networks.rmaunet.RMAUNet` without its two modules.

    Args:
        in_channels: 1 for single slices, 2k + 1 with k neighbouring slices on each side.
        classes: Output channels.
        widths: Channels of the five resolutions, full resolution first.
        up: How the decoder doubles the side length.
        norm: Normalisation after each convolution.

    Returns:
        The network: logits (N, classes, H, W) from slices (N, in_channels, H, W); sides are multiples of 16.

    Raises:
        ValueError: If ``widths`` is not five widths.
    """
    return RMAUNet(
        in_channels=in_channels, classes=classes, widths=widths, block="plain", mab_at="none", up=up, norm=norm
    )
