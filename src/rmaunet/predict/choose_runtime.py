"""Which runtime computes on this machine, by a stated rule; what was picked and why goes into the run's manifest.

``auto`` means:

1. the device: a CUDA card that PyTorch can use, else Apple's MPS, else the CPU;
2. on a card PyTorch; on the CPU OpenVINO if it loads here and can convert the network, else PyTorch;
3. bfloat16 where the processor or card computes it natively **and** :data:`ACCEPTED` holds it, else float32.

A precision other than float32 enters :data:`ACCEPTED` once its masks were measured against PyTorch's in float32 on real
slices (``python -m bench agreement``, docs/concepts/runtimes.md).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rmaunet.core.advice import advise
from rmaunet.core.errors import RmaunetError, UsageError
from rmaunet.core.machine import network_threads
from rmaunet.predict.compute import Compute
from rmaunet.predict.weights import Weights
from rmaunet.runtimes.conversion_cache import converted
from rmaunet.runtimes.devices import check_device
from rmaunet.runtimes.runtime import Runtime

__all__ = ["ACCEPTED", "Choice", "choose_runtime"]

ACCEPTED: frozenset[tuple[str, str, str]] = frozenset()
"""(runtime, precision, kind of device) that ``auto`` may take beside float32."""


@dataclass(frozen=True)
class Choice:
    """A runtime and why it was taken.

    Attributes:
        runtime: Ready to compute.
        why: A sentence for people, kept in the manifest.
    """

    runtime: Runtime
    why: str


class _CannotError(Exception):
    """This runtime cannot be used here; the message says why in a few words."""


def choose_runtime(weights: Weights, compute: Compute | None = None, **options: Any) -> Choice:
    """Make weights ready to compute.

    Args:
        weights: Card and tensors.
        compute: Device, library, precision and threads; None for the defaults.
        **options: Fields of :class:`~rmaunet.predict.compute.Compute`, instead of ``compute``.

    Returns:
        The runtime and why.

    Raises:
        UsageError: If what was asked for by name cannot be used here, with the reason.
        ModelError: If the weights do not fit their card.
    """
    compute = compute or Compute.of(**options)
    device, runtime, precision = compute.device, compute.runtime, compute.precision
    check_device("segment", device)
    chosen = _device() if device == "auto" else device
    count = network_threads(compute.threads)
    ranked = ("openvino", "torch") if chosen == "cpu" else ("torch",)
    names = ranked if runtime == "auto" else (runtime,)
    refused: list[str] = []
    for name in names:
        try:
            made = _MAKE[name](weights, chosen, precision, count)
        except _CannotError as error:
            refused.append(f"{name} cannot be used here ({error})")
            continue
        parts = ["asked for" if runtime != "auto" else f"first of {', '.join(names)} that can be used on {chosen}"]
        if precision == "auto" and made.precision == "float32":
            parts.append("float32: no other precision is accepted for it here")
        return Choice(made, "; ".join([*parts, *refused]))
    option, value = ("--runtime", runtime) if runtime != "auto" or device == "auto" else ("--device", device)
    way_out = "--runtime auto" if runtime != "auto" else "--device cpu"
    remedy = advise(way_out.split()[0], f"use {way_out}", "look what `rmaunet doctor` says")
    raise UsageError("segment", option, value, "; ".join(refused), remedy)


def _device() -> str:
    """Asked without PyTorch where that can be told: importing it takes longer than a small scan."""
    if metadata.version("torch").endswith("+cpu"):
        return "cpu"
    nodes = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
    if sys.platform == "linux" and not any(Path(node).exists() for node in nodes):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def _torch(weights: Weights, device: str, precision: str, threads: int) -> Runtime:
    import torch

    from rmaunet.runtimes.torch_runtime import TorchRuntime

    kind = device.split(":")[0]
    if precision == "auto":
        precision = "bfloat16" if ("torch", "bfloat16", kind) in ACCEPTED else "float32"
    if kind == "cpu":
        torch.set_num_threads(threads)
    try:
        return TorchRuntime(weights.network(), device=device, precision=precision)
    except (RuntimeError, AssertionError) as error:
        raise _CannotError(f"{device}: {str(error).splitlines()[0]}") from error


def _openvino(weights: Weights, device: str, precision: str, threads: int) -> Runtime:
    from rmaunet.runtimes import openvino_runtime as own

    _needs_cpu(device)
    try:
        can = own.openvino_precisions()
    except ImportError as error:
        raise _CannotError(f"{error}; pip install openvino") from error
    if precision == "auto":
        best = "bfloat16" in can and ("openvino", "bfloat16", "cpu") in ACCEPTED
        precision = "bfloat16" if best else "float32"
    if precision not in can:
        raise _CannotError(f"this processor has no {precision} instructions")

    def convert(path: Path) -> None:
        from rmaunet.runtimes.export_network import save_openvino

        save_openvino(weights.network(), path, channels=weights.card.preprocessing.channels)

    def load(path: Path) -> Runtime:
        return own.OpenVinoRuntime(path, precision=precision, threads=threads)

    library = f"openvino{own.openvino_version()}"
    return _converted(weights, "model.xml", library, convert, load)


def _onnxruntime(weights: Weights, device: str, precision: str, threads: int) -> Runtime:
    _needs_cpu(device)
    if precision not in ("auto", "float32"):
        raise _CannotError(f"it computes float32 only, not {precision}")
    try:
        from rmaunet.runtimes.onnx_runtime import OnnxRuntime, onnxruntime_version

        version = onnxruntime_version()
    except metadata.PackageNotFoundError as error:
        raise _CannotError("not installed; pip install rmaunet[onnx]") from error

    def convert(path: Path) -> None:
        from rmaunet.runtimes.export_network import save_onnx

        save_onnx(weights.network(), path, channels=weights.card.preprocessing.channels)

    def load(path: Path) -> Runtime:
        return OnnxRuntime(path, threads=threads)

    return _converted(weights, "model.onnx", f"onnxruntime{version}", convert, load)


def _needs_cpu(device: str) -> None:
    if device != "cpu":
        raise _CannotError(f"it computes on the CPU, not on {device}")


def _converted(
    weights: Weights, name: str, library: str, convert: Callable[[Path], None], load: Callable[[Path], Runtime]
) -> Runtime:
    try:
        with ExitStack() as stack:
            return load(stack.enter_context(converted(weights.card.sha256, name, library, convert)))
    except RmaunetError:
        raise
    except Exception as error:  # the libraries' own kinds, of which not all are RuntimeError; another runtime may do
        text = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise _CannotError(f"the network cannot be converted or loaded: {text}") from error


_MAKE: dict[str, Callable[[Weights, str, str, int], Runtime]] = {
    "torch": _torch,
    "openvino": _openvino,
    "onnxruntime": _onnxruntime,
}
