"""Probabilities by OpenVINO."""

from __future__ import annotations

import sys
from collections import OrderedDict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.core.errors import ModelError
from rmaunet.runtimes.runtime import ConvertedRuntime

__all__ = ["OpenVinoRuntime", "import_openvino", "openvino_precisions", "openvino_version"]

_HINT = {"float32": "f32", "bfloat16": "bf16"}
_SIZES_KEPT = 3


def import_openvino() -> Any:
    """The library, without its telemetry: its package of that name cannot be imported in this process.

    Raises:
        ImportError: If it is not installed or does not load here.
    """
    if "openvino_telemetry" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def openvino_version() -> str:
    """Version of the installed package. Raises PackageNotFoundError."""
    return metadata.version("openvino")


def openvino_precisions() -> tuple[str, ...]:
    """Precisions that the processor computes natively: "float32", and "bfloat16" where it has the instructions.

    Raises:
        ImportError: If the library is not there.
    """
    can = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("float32", "bfloat16") if "BF16" in can else ("float32",)


class OpenVinoRuntime(ConvertedRuntime):
    """A converted network (.xml of ``save_openvino``), compiled for each size of slab on first use.

    Its precision is set explicitly: the library by itself takes what is fastest.
    """

    name = "openvino"

    def _load(self, path: Path, threads: int) -> None:
        self._core = import_openvino().Core()
        self._settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINT[self.precision],
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # two runs beside each other would be pinned to the same cores
            "CPU_DENORMALS_OPTIMIZATION": True,
        }
        self._model = self._core.read_model(str(path))
        self._compiled: OrderedDict[tuple[int, ...], tuple[int, Any]] = OrderedDict()

    def _compute(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        count = len(slab)
        try:
            batch, request = self._request(slab.shape)
            if count < batch:  # the last slab of a scan: fill up rather than compile again
                slab = np.concatenate([slab, np.repeat(slab[-1:], batch - count, axis=0)])
            result: NDArray[np.float32] = request.infer({0: slab}, share_inputs=True)[0]
        except RuntimeError as error:
            reason = (str(error).strip().splitlines() or ["no reason given"])[-1][:200]
            remedy = advise("--runtime", "use --runtime torch", "look what `rmaunet doctor` says")
            raise ModelError("openvino", "runtime", reason, "cannot compute here", remedy) from error
        return result[:count]

    def _request(self, shape: tuple[int, ...]) -> tuple[int, Any]:
        """A fixed size is faster than any size, and takes the least memory; the last few sizes are kept."""
        kept = self._compiled.pop(shape[1:], None)
        if kept is None or kept[0] < shape[0]:
            model = self._model.clone()
            model.reshape(list(shape))
            kept = (shape[0], self._core.compile_model(model, "CPU", self._settings).create_infer_request())
        self._compiled[shape[1:]] = kept
        if len(self._compiled) > _SIZES_KEPT:
            self._compiled.popitem(last=False)
        return kept
