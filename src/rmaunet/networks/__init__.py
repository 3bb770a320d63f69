"""Networks: one file each; slices in, logits out. ``NETWORKS`` maps the name used everywhere to the class."""

from __future__ import annotations

from torch import nn

from rmaunet.networks.rmaunet import RMAUNet

__all__ = ["NETWORKS", "RMAUNet"]

NETWORKS: dict[str, type[nn.Module]] = {
    "rmaunet": RMAUNet,
}
