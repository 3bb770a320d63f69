"""Which network, with which arguments: the part of an experiment and of a model card that builds it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the settings are read where nothing is built
    from torch import nn

__all__ = ["NetworkSettings", "build_network"]


@dataclass(frozen=True)
class NetworkSettings:
    """Settings of :func:`build_network`.

    Attributes:
        name: A key of ``NETWORKS``, or another library's network such as "monai:DynUNet" or "smp:MAnet".
        base: Channels at full resolution, doubled at each further one; ignored by networks that take no ``widths``.
        options: Further keyword arguments of the network's class.
    """

    name: str = "rmaunet"
    base: int = 64
    options: Mapping[str, bool | int | float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a base below 1 (ValueError)."""
        if self.base < 1:
            raise ValueError(f"base = {self.base}: must be at least 1")


def build_network(settings: NetworkSettings, *, in_channels: int = 1, classes: int = 2) -> nn.Module:
    """Make a network with fresh weights.

    Args:
        settings: Which and how.
        in_channels: Channels of the input.
        classes: Channels of the output.

    Returns:
        The network, in training mode.

    Raises:
        ValueError: If the name or an option is unknown.
    """
    from rmaunet.networks import NETWORKS
    from rmaunet.networks.adapter import borrowed_network
    from rmaunet.networks.rmaunet import widths_from_base

    if ":" in settings.name:
        return borrowed_network(settings.name, in_channels=in_channels, classes=classes, options=settings.options)
    if settings.name not in NETWORKS:
        raise ValueError(f"network = {settings.name!r}: unknown; choose from {', '.join(sorted(NETWORKS))}")
    make = NETWORKS[settings.name]
    known = inspect.signature(make).parameters
    for option in settings.options:
        if option not in known:
            raise ValueError(f"network.options.{option}: {settings.name} has no such option; it has {', '.join(known)}")
    arguments: dict[str, object] = {"in_channels": in_channels, "classes": classes, **settings.options}
    if "widths" in known:
        arguments["widths"] = widths_from_base(settings.base)
    elif "base" in known:
        arguments["base"] = settings.base
    return make(**arguments)
