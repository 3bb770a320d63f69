"""Probabilities by ONNX Runtime."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["OnnxRuntime", "onnxruntime_version"]


def onnxruntime_version() -> str:
    """Version of the installed package. Raises PackageNotFoundError."""
    return metadata.version("onnxruntime")


class OnnxRuntime:
    """A converted network on the CPU, in float32.

    Args:
        path: .onnx, see :func:`~rmaunet.predict.export.save_onnx`.
        threads: For the network.

    Raises:
        ImportError: If the library is not there.
        RuntimeError: If it cannot load the network here.
    """

    name = "onnxruntime"
    device = "cpu"
    precision = "float32"

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # idle threads would eat other runs' cores
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, 2, H, W) of a slab (N, C, H, W)."""
        result: NDArray[np.float32] = self._session.run(None, {self._input: np.ascontiguousarray(slab)})[0]
        return result
