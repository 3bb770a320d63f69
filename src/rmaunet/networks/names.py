"""``NETWORKS`` maps the name used everywhere to what makes the network."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from rmaunet.networks.asunetpp import ASUNetPlusPlus
from rmaunet.networks.attention_unet import AttentionUNet
from rmaunet.networks.hfrunet import HFRUNet
from rmaunet.networks.nnunet2d import NNUNet2d
from rmaunet.networks.raunet import RAUNet
from rmaunet.networks.rmaunet import RMAUNet
from rmaunet.networks.saanet import SAANet
from rmaunet.networks.unet import unet
from rmaunet.networks.unet3plus import UNet3Plus
from rmaunet.networks.unetpp import UNetPlusPlus

__all__ = ["NETWORKS"]

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "rmaunet": RMAUNet,
    "unet": unet,
    "unetpp": UNetPlusPlus,
    "attention_unet": AttentionUNet,
    "raunet": RAUNet,
    "asunetpp": ASUNetPlusPlus,
    "saanet": SAANet,
    "hfrunet": HFRUNet,
    "unet3plus": UNet3Plus,
    "nnunet2d": NNUNet2d,
}
