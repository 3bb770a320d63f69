"""A PyTorch network as a file that other runtimes read: rewritten for them, the sigmoid at its end, any batch and size."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from rmaunet.runtimes.fuse_layers import rewritten

__all__ = ["save_onnx", "save_openvino"]

OPSET = 18
_SIDE = 64  # of the slice shown to the tracer; nothing of it is kept


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.network(x))


def _traced(network: nn.Module, channels: int) -> tuple[nn.Module, Tensor]:
    example = torch.zeros(1, channels, _SIDE, _SIDE)
    return _Probabilities(rewritten(network.cpu().float(), example)).eval(), example


def save_openvino(network: nn.Module, path: Path, *, channels: int) -> None:
    """Convert for OpenVINO.

    Args:
        network: Logits (N, 2, H, W) from slices (N, C, H, W).
        path: The .xml to write; the numbers go into a .bin beside it, in float32.
        channels: C.
    """
    from rmaunet.runtimes.openvino_runtime import import_openvino

    ov = import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    model, example = _traced(network, channels)

    def convert() -> Any:
        # The library's own convert_model would report its use over the network; the frontend beneath it does not.
        frontend = FrontEndManager().load_by_framework("pytorch")
        traced = torch.jit.trace(model, example, check_trace=False)  # the decoder would trace twice, to compare
        decoder = TorchScriptPythonDecoder(traced)  # must outlive the conversion
        return frontend.convert(frontend.load(decoder))

    ov.save_model(_quietly(convert), str(path), compress_to_fp16=False)


def save_onnx(network: nn.Module, path: Path, *, channels: int) -> None:
    """Convert to ONNX.

    Args:
        network: Logits (N, 2, H, W) from slices (N, C, H, W).
        path: The .onnx to write.
        channels: C.
    """
    model, example = _traced(network, channels)
    axes = {0: "n", 2: "h", 3: "w"}

    def convert() -> None:
        torch.onnx.export(
            model,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=["slices"],
            output_names=["probabilities"],
            dynamic_axes={"slices": axes, "probabilities": axes},
        )

    _quietly(convert)


def _quietly(convert: Callable[[], Any]) -> Any:
    """Run without the tracer's warnings: a network checks its sides in Python, and that check is rightly left out."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return convert()
