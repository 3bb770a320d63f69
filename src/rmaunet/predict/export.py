"""A PyTorch network as a file that other runtimes read: batch norm folded, the sigmoid at its end, any batch and size."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

__all__ = ["fold_batch_norm", "save_onnx", "save_openvino"]

OPSET = 18
_SIDE = 64  # of the slice shown to the tracer; nothing of it is kept


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """A copy whose batch norms have become part of the convolutions before them; equal but for rounding.

    Args:
        network: Any network; where a batch norm does not directly follow a convolution in a ``Sequential`` it stays.

    Returns:
        The copy, in evaluation mode.
    """
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for i in range(len(module) - 1):
            first, norm = module[i], module[i + 1]
            if isinstance(first, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(first, nn.ConvTranspose2d)
                module[i] = fuse_conv_bn_eval(first, norm, transpose=transposed)
                module[i + 1] = nn.Identity()
    return folded


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.network(x))


def _traced(network: nn.Module, channels: int) -> tuple[nn.Module, Tensor]:
    example = torch.zeros(1, channels, _SIDE, _SIDE)
    return _Probabilities(fold_batch_norm(network.cpu().float())).eval(), example


def save_openvino(network: nn.Module, path: Path, *, channels: int) -> None:
    """Convert for OpenVINO.

    Args:
        network: Logits (N, 2, H, W) from slices (N, C, H, W).
        path: The .xml to write; the numbers go into a .bin beside it, in float32.
        channels: C.
    """
    from rmaunet.predict.openvino_runtime import import_openvino

    ov = import_openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    model, example = _traced(network, channels)

    def convert() -> Any:
        # The library's own convert_model would report its use over the network; the frontend beneath it does not.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(model, example_input=example)  # must outlive the conversion
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
