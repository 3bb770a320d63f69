"""Time of a network by kind of layer, from OpenVINO's profiler.

    python lab/benchmarks/layers.py [--base 16] [--batch 4] [--threads 2] [-o lab/results/bench/NAME.json]

A convolution's share of the peak is its multiplications and additions a second against the fastest 3 x 3 convolution of this
processor. The processor computes 16 channels at once: a layer of fewer fills them up with nothing.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.network import SIDE, convolution_peak
from bench.record import new_record
from bench.tables import tables
from rmaunet.core.files import write_json
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.runtimes.export_network import save_openvino
from rmaunet.runtimes.openvino_runtime import import_openvino, openvino_precisions

LANES = 16
WARM = 3


def kind_of(layer: str, out: Sequence[int], kernel: Sequence[int]) -> str:
    """A row of the table."""
    if layer == "ConvolutionBackpropData":
        return "transposed convolution"
    if layer == "Convolution":
        width = f"{LANES} channels or more" if out[1] >= LANES else f"fewer than {LANES} channels"
        return f"convolution {kernel[-1]} x {kernel[-1]}, {width} out"
    names = {"Concat": "joining of channels", "ReduceMean": "means, maxima", "ReduceMax": "means, maxima"}
    return names.get(layer, "products, pooling, change of layout")


def operations(layer: str, out: Sequence[int], weights: Sequence[int]) -> int:
    """Multiplications and additions; each input pixel of a transposed convolution of stride 2 makes four."""
    if layer == "Convolution":
        return 2 * math.prod(out) * math.prod(weights[1:])
    if layer == "ConvolutionBackpropData":
        return 2 * math.prod(out) * weights[0]
    return 0


def layer_rows(base: int, batch: int, threads: int, precision: str, repeats: int = 20) -> list[dict[str, Any]]:
    """Milliseconds a slice, and operations a second, of each kind of layer."""
    ov = import_openvino()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        torch.manual_seed(0)
        save_openvino(build_network(NetworkSettings(base=base)).eval(), path, channels=1)
        model = ov.Core().read_model(str(path))
        model.reshape([batch, 1, SIDE, SIDE])
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
            "INFERENCE_NUM_THREADS": threads,
            "PERF_COUNT": True,
        }
        compiled = ov.Core().compile_model(model, "CPU", settings)
        request = compiled.create_infer_request()
        slab = np.random.default_rng(0).uniform(-1, 1, (batch, 1, SIDE, SIDE)).astype(np.float32)
        seconds: dict[str, float] = defaultdict(float)
        kinds: dict[str, str] = {}
        for turn in range(WARM + repeats):
            request.infer({0: slab})
            for layer in request.get_profiling_info() if turn >= WARM else ():
                seconds[layer.node_name] += layer.real_time.total_seconds() / repeats
                kinds[layer.node_name] = layer.node_type
    groups: dict[str, dict[str, float]] = defaultdict(lambda: {"ms": 0.0, "operations": 0.0})
    for node in compiled.get_runtime_model().get_ops():
        name = node.get_friendly_name()
        if name not in seconds:
            continue
        layer = kinds[name]
        out = list(node.output(0).get_shape())
        weights = list(node.input(1).get_shape()) if layer.startswith("Convolution") else []
        group = groups[kind_of(layer, out, weights)]
        group["ms"] += seconds[name] * 1e3 / batch
        group["operations"] += operations(layer, out, weights) / batch
    return [
        {"base": base, "batch": batch, "precision": precision, "kind": kind, **sums}
        for kind, sums in sorted(groups.items(), key=lambda item: -item[1]["ms"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("base", 16), ("batch", 4), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    options = parser.parse_args()
    precision = "bfloat16" if "bfloat16" in openvino_precisions() else "float32"
    record = new_record(threads=options.threads)
    before = convolution_peak(precision, threads=options.threads)
    rows = layer_rows(options.base, options.batch, options.threads, precision)
    # twice, so that what else ran for a moment does not lower it
    peak = max(before, convolution_peak(precision, threads=options.threads))
    record["peak_gflops"] = {precision: peak}
    record["layers"] = [row | {"share_of_peak": row["operations"] / row["ms"] / 1e6 / peak} for row in rows]
    print(tables(record))
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
