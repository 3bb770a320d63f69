"""Which network, with which arguments: the part of an experiment and of a model card that builds it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from rmaunet.core.settings import nearest
from rmaunet.networks.facts import BORROWED_MULTIPLE, FACTS

if TYPE_CHECKING:  # the settings are read where nothing is built
    from torch import nn

__all__ = ["NetworkSettings", "build_network"]


MAX_BASE = 1024
RESERVED = ("in_channels", "classes", "widths", "base")


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

    retired: ClassVar[Mapping[str, Any]] = {"members": 1}

    def __post_init__(self) -> None:
        """Refuse what is out of range, or beyond any machine (ValueError)."""
        if not 1 <= self.base <= MAX_BASE:
            raise ValueError(f"base = {self.base}: must lie between 1 and {MAX_BASE}")

    @property
    def multiple_of(self) -> int:
        """Of what the sides of its input must be multiples; for another library's network what the adapter asks for."""
        return FACTS[self.name].multiple_of if self.name in FACTS else BORROWED_MULTIPLE


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
        raise ValueError(f"network = {settings.name[:60]!r}: unknown; {nearest(settings.name, sorted(NETWORKS))}")
    make = NETWORKS[settings.name]
    known = inspect.signature(make).parameters
    for option in settings.options:
        if option in RESERVED:
            raise ValueError(f"network.options.{option}: follows from base, preprocessing and labels; leave it out")
        if option not in known:
            remedy = nearest(option, (name for name in known if name not in RESERVED))
            raise ValueError(f"network.options.{option[:60]}: {settings.name} has no such option; {remedy}")
    arguments: dict[str, object] = {"in_channels": in_channels, "classes": classes, **settings.options}
    if "widths" in known:
        arguments["widths"] = widths_from_base(settings.base)
    elif "base" in known:
        arguments["base"] = settings.base
    return make(**arguments)
