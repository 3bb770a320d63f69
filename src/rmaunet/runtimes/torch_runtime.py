"""Probabilities by PyTorch as it is: in float32 on a CPU the reference every other runtime is held against."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rmaunet.runtimes.denormals import flushed_denormals

__all__ = ["TorchRuntime"]


class TorchRuntime:
    """A network in PyTorch, channels last.

    Args:
        network: Logits (N, 2, H, W) from slices (N, C, H, W); put into evaluation mode and onto the device.
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: "float32", or "bfloat16" by autocast.

    Raises:
        RuntimeError: If PyTorch cannot use the device here.
    """

    name = "torch"

    def __init__(self, network: nn.Module, *, device: str = "cpu", precision: str = "float32") -> None:
        self.device = device
        self.precision = precision
        self._type = torch.device(device).type
        self._network = network.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, 2, H, W) of a slab (N, C, H, W)."""
        with (
            flushed_denormals(),  # PyTorch's own threads are started by the first call, and begin with its setting
            torch.inference_mode(),
            torch.autocast(self._type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            images = torch.from_numpy(slab).to(self.device, memory_format=torch.channels_last)
            probabilities = torch.sigmoid(self._network(images).float()).contiguous().cpu()
        result: NDArray[np.float32] = probabilities.numpy()
        return result
