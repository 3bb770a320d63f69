"""Probabilities by ONNX Runtime."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.runtimes.runtime import ConvertedRuntime

__all__ = ["OnnxRuntime", "onnxruntime_version"]


def onnxruntime_version() -> str:
    """Version of the installed package. Raises PackageNotFoundError."""
    return metadata.version("onnxruntime")


class OnnxRuntime(ConvertedRuntime):
    """A converted network (.onnx, see :func:`~rmaunet.runtimes.export_network.save_onnx`) in float32."""

    name = "onnxruntime"

    def _load(self, path: Path, threads: int) -> None:
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

    def _compute(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = self._session.run(None, {self._input: slab})[0]
        return result
