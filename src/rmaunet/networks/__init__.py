"""Networks: one file each; slices in, logits out. ``NETWORKS`` maps the name used everywhere to what makes it.

:mod:`rmaunet.networks.facts` says of each what tables print; :mod:`rmaunet.networks.adapter` borrows from other libraries.
PyTorch is imported once ``NETWORKS`` or ``RMAUNet`` is asked for, not by the settings in :mod:`rmaunet.networks.build`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rmaunet.networks.names import NETWORKS
    from rmaunet.networks.rmaunet import RMAUNet

__all__ = ["NETWORKS", "RMAUNet"]


def __getattr__(name: str) -> object:
    if name == "NETWORKS":
        from rmaunet.networks.names import NETWORKS

        return NETWORKS
    if name == "RMAUNet":
        from rmaunet.networks.rmaunet import RMAUNet

        return RMAUNet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
