"""Runtimes: a library that computes the probabilities of a network, array in, array out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["ConvertedRuntime", "Runtime"]


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


class ConvertedRuntime:
    """A converted network on the CPU. A library's class says how it loads (``_load``) and computes (``_compute``).

    Both libraries make the processor take denormal numbers as zero in the thread that calls them, and leave it so. The thread
    here is nobody else's, so that the caller's arithmetic stays what it was.

    Args:
        path: The converted network.
        precision: What it computes in.
        threads: For the network.

    Raises:
        ImportError: If the library is not there.
        RuntimeError: If it cannot load the network here.
    """

    name: ClassVar[str]
    device = "cpu"

    def __init__(self, path: Path, *, precision: str = "float32", threads: int = 1) -> None:
        self.precision = precision
        self._thread = ThreadPoolExecutor(1, self.name)
        self._thread.submit(self._load, path, threads).result()

    def __call__(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, 2, H, W) of a slab (N, C, H, W).

        Raises:
            ModelError: If the network cannot be computed here.
        """
        return self._thread.submit(self._compute, np.ascontiguousarray(slab)).result()

    def _load(self, path: Path, threads: int) -> None:
        raise NotImplementedError

    def _compute(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        raise NotImplementedError
