"""How a network is computed: device, library, precision, threads, slices per call, memory."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

import tyro

from rmaunet.core.errors import UsageError
from rmaunet.predict.memory import size_in_bytes

__all__ = ["Compute", "PrecisionName", "RuntimeName"]

RuntimeName = Literal["auto", "torch", "openvino", "onnxruntime"]
PrecisionName = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Compute:
    """How the network is computed. The command line shows these docstrings as help."""

    device: Annotated[str, tyro.conf.arg(aliases=["-d"])] = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    runtime: RuntimeName = "auto"
    """Library that computes the network. auto: OpenVINO on a CPU where it loads, else PyTorch."""
    precision: PrecisionName = "auto"
    """auto: bfloat16 where the hardware has it and its masks were measured to agree, else float32."""
    threads: int = 0
    """Threads of the network; 0 for one per core."""
    batch: int = 4
    """Slices per call of the network."""
    all_slices: bool = False
    """Run the network on every slice, not first on one slice every 20 mm and then around the liver found."""
    max_memory: str = ""
    """Memory that the process may take, e.g. 1500M or 2G. Fewer slices per call are used; a scan that cannot fit is
    refused."""

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            UsageError: If ``batch``, ``threads`` or ``max_memory`` is out of range.
        """
        if self.batch < 1:
            raise UsageError("segment", "--batch", self.batch, "is too small", "give 1 or more")
        if self.threads < 0:
            raise UsageError(
                "segment", "--threads", self.threads, "is negative", "give 1 or more, or 0 for one per core"
            )
        self.memory_bytes  # noqa: B018  (refuses text that is no size)

    @property
    def memory_bytes(self) -> int | None:
        """``max_memory`` in bytes; None for no limit."""
        return size_in_bytes(self.max_memory) if self.max_memory else None

    @classmethod
    def of(cls, **options: Any) -> Compute:
        """Make the settings from keyword arguments.

        Raises:
            TypeError: If an option does not exist, naming those that do.
        """
        known = [field.name for field in fields(cls)]
        unknown = sorted(options.keys() - set(known))
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}; choose from {', '.join(known)}")
        return cls(**options)
