"""What computes a network's probabilities: an array in, an array out, whatever library does it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Runtime"]


class Runtime(Protocol):
    """One network with its weights, ready on one device.

    Attributes:
        name: "torch", "openvino" or "onnxruntime".
        precision: Of the arithmetic: "float32" or "bfloat16".
        device: "cpu", "cuda", "cuda:1", "mps".
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def precision(self) -> str: ...  # noqa: D102

    @property
    def device(self) -> str: ...  # noqa: D102

    def __call__(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of a slab.

        Args:
            slab: (N, C, H, W) prepared slices in [-1, 1]; sides are multiples of 16.

        Returns:
            float32 (N, 2, H, W) in [0, 1]: liver (with tumor), tumor. The caller may keep and change it.
        """
        ...
