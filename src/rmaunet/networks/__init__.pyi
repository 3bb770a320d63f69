from .names import NETWORKS
from .rmaunet import RMAUNet

__all__ = ["NETWORKS", "RMAUNet"]
