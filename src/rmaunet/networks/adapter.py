"""Networks of other libraries in our comparisons: ``monai:DynUNet``, ``smp:MAnet``.

Neither library is a dependency; each is imported when one of its networks is asked for.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from rmaunet.core.errors import ModelError, UsageError
from rmaunet.networks.blocks import check_divisible
from rmaunet.networks.facts import BORROWED_MULTIPLE

__all__ = ["BorrowedNetwork", "borrowed_network"]

# prefix: module that holds the classes, what to install
_LIBRARIES = {
    "monai": ("monai.networks.nets", "monai"),
    "smp": ("segmentation_models_pytorch", "segmentation-models-pytorch"),
}
_FIVE = (64, 128, 256, 512, 1024)
# Arguments without which MONAI's class cannot be made, chosen for U-Net's depth and widths where it leaves them open.
_MONAI_DEFAULTS: dict[str, dict[str, Any]] = {
    "AttentionUnet": {"channels": _FIVE, "strides": (2, 2, 2, 2)},
    "BasicUNet": {"features": (*_FIVE, 64)},
    "BasicUNetPlusPlus": {"features": (32, 64, 128, 256, 512, 32)},
    "DynUNet": {"kernel_size": (3,) * 5, "strides": (1, 2, 2, 2, 2), "upsample_kernel_size": (2, 2, 2, 2)},
    "UNet": {"channels": _FIVE, "strides": (2, 2, 2, 2)},
}


class BorrowedNetwork(nn.Module):
    """Holds another library's network and gives it the manners of ours: checked sides, one tensor of logits.

    Args:
        network: Maps slices (N, C, H, W) to logits, or to a list or tuple with one tensor.
        name: As asked for, for messages.
        multiple_of: Sides of the input must be multiples of this.
    """

    def __init__(self, network: nn.Module, *, name: str, multiple_of: int = BORROWED_MULTIPLE) -> None:
        super().__init__()
        self.network = network
        self.name = name
        self.multiple_of = multiple_of

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes, H, W) of the slices ``x``.

        Raises:
            ValueError: If a side is not a multiple of ``multiple_of``; the message names the size to pad to.
            ModelError: If the network returns several outputs, as with deep supervision.
        """
        check_divisible(*x.shape[2:], factor=self.multiple_of)
        outputs = self.network(x)
        if isinstance(outputs, list | tuple):
            if len(outputs) != 1:
                problem = "returns several outputs where one is needed"
                raise ModelError(self.name, "outputs", len(outputs), problem, "switch its deep supervision off")
            outputs = outputs[0]
        if not isinstance(outputs, Tensor) or outputs.shape[2:] != x.shape[2:]:
            got = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
            raise ModelError(self.name, "output", got, "is not logits of the input's size", "choose another network")
        return outputs


def borrowed_network(
    name: str, *, in_channels: int = 1, classes: int = 2, options: Mapping[str, Any] | None = None
) -> BorrowedNetwork:
    """Make a network of another library with fresh weights.

    Args:
        name: "monai:" or "smp:" and the class, e.g. "monai:DynUNet", "smp:MAnet".
        in_channels: Channels of the slices.
        classes: Channels of the logits.
        options: Further keyword arguments of the class. Nothing is downloaded unless
            they ask for it: smp's encoders start without its pre-trained weights.

    Returns:
        The network, in training mode; its slices' sides must be multiples of 32.

    Raises:
        UsageError: If the library is unknown or not installed, lacks a package this network needs, or has no such network.
        ModelError: If the class cannot be made with these options.
    """
    library, _, class_name = name.partition(":")
    module = _import(library, name)
    make = getattr(module, class_name, None)
    if not isinstance(make, type) or not issubclass(make, nn.Module):
        found = sorted(k for k, v in vars(module).items() if isinstance(v, type) and issubclass(v, nn.Module))
        near = ", ".join(difflib.get_close_matches(class_name, found, n=5, cutoff=0.0))
        raise UsageError(name, "network", class_name, f"is no network of {library}", f"nearest are {near}")
    arguments: dict[str, Any]
    if library == "monai":
        arguments = {"spatial_dims": 2, "in_channels": in_channels, "out_channels": classes}
        arguments |= _MONAI_DEFAULTS.get(class_name, {})
    else:
        arguments = {"encoder_weights": None, "in_channels": in_channels, "classes": classes}
    try:
        network = make(**(arguments | dict(options or {})))
    except ImportError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(name, "library", library, f"lacks a package: {reason}", "install that package") from error
    except (TypeError, ValueError, KeyError) as error:
        problem = f"cannot be made: {error}"
        raise ModelError(
            name, "options", dict(options or {}), problem, f"see the documentation of {library}"
        ) from error
    return BorrowedNetwork(network, name=name)


def _import(library: str, name: str) -> ModuleType:
    if library not in _LIBRARIES:
        raise UsageError(name, "library", library, "is unknown", f"choose from {', '.join(_LIBRARIES)}")
    module, package = _LIBRARIES[library]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise UsageError(name, "library", library, "is not installed", f"pip install {package}") from error
