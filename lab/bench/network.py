"""Milliseconds a slice of every runtime usable here, beside PyTorch as it comes and the fastest convolution there is."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.agreement import Way
from bench.eager import EAGER, Seconds, eager_process, seconds_of
from rmaunet.core.errors import RmaunetError
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.size import network_size
from rmaunet.predict import ModelCard, Weights
from rmaunet.predict.choose_runtime import choose_runtime
from rmaunet.runtimes.denormals import flushed_denormals

__all__ = ["SIDE", "convolution_peak", "network_rows", "timed"]

SIDE = 256
Say = Callable[[str], None]


def timed(run: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each of ``repeats`` calls, after one that is not counted."""
    run()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return seconds


def convolution_peak(precision: str, *, threads: int, repeats: int = 5) -> float:
    """GFLOP/s of the best 3 x 3 convolution tried: what a network of nothing else would reach.

    Args:
        precision: "float32" or "bfloat16".
        threads: Threads of PyTorch.
        repeats: Repetitions; the fastest counts.

    Returns:
        10^9 multiplications and additions a second, over 64, 128 and 256 channels of 64 x 64 to 128 x 128 pixels.
    """
    torch.set_num_threads(threads)
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    best = 0.0
    with torch.inference_mode(), flushed_denormals():
        for channels, side in ((64, 128), (128, 64), (256, 64)):
            images = torch.rand(1, channels, side, side).to(kind, memory_format=torch.channels_last)
            layer = torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False).to(kind)
            layer = layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            seconds = min(timed(partial(layer, images), repeats))
            best = max(best, 2 * 9 * channels**2 * side**2 / seconds / 1e9)
    return best


def network_rows(
    *,
    widths: Sequence[int],
    batches: Sequence[int],
    ways: Sequence[Way],
    threads: int,
    repeats: int = 5,
    say: Say = lambda _: None,
) -> list[dict[str, Any]]:
    """Time each runtime, width and batch; the runtimes take turns, so that a disturbance meets all of them.

    Args:
        widths: Base channels.
        batches: Slices a call.
        ways: Runtimes and precisions; unusable ones are reported and skipped.
        threads: For the network.
        repeats: Turns.
        say: Called with progress messages.

    Returns:
        One row a width, batch and way: median, lowest and highest ms a slice, GFLOP/s of the median, and "cpu_ms", the median
        of all threads' processor time a slice, which other work on the machine disturbs least.
    """
    rows = []
    for base in widths:
        settings = NetworkSettings(base=base)
        size = network_size(partial(build_network, settings), (1, 1, SIDE, SIDE))
        torch.manual_seed(0)
        network = build_network(settings).eval()
        weights = Weights(ModelCard(name=f"random, base {base}", network=settings), dict(network.state_dict()))
        with eager_process(base, threads) as eager:
            timers: dict[str, Callable[[NDArray[np.float32]], Seconds]] = {EAGER: eager}
            for way in ways:
                try:
                    choice = choose_runtime(
                        weights,
                        runtime=way.runtime,  # type: ignore[arg-type]
                        precision=way.precision,  # type: ignore[arg-type]
                        device="cpu",
                        threads=threads,
                    )
                    timers[way.name] = partial(seconds_of, choice.runtime)
                except RmaunetError as error:
                    say(f"left out: {way.name}: {error.problem}")
            for batch in batches:
                slab = np.random.default_rng(0).uniform(-1, 1, (batch, 1, SIDE, SIDE)).astype(np.float32)
                found: dict[str, list[Seconds]] = {name: [] for name in timers}
                for _ in range(repeats):
                    for name, timer in timers.items():
                        found[name].append(timer(slab))
                for name, times in found.items():
                    wall, cpu = ([seconds / batch * 1e3 for seconds in column] for column in zip(*times, strict=True))
                    rows.append(_row(base, batch, name, wall, size.macs) | {"cpu_ms": statistics.median(cpu)})
                    say(f"base {base} batch {batch} {name}: {rows[-1]['ms']:.1f} ms a slice")
    return rows


def _row(base: int, batch: int, way: str, ms: list[float], macs: int) -> dict[str, Any]:
    median = statistics.median(ms)
    spread = {"ms": median, "lowest": min(ms), "highest": max(ms)}
    return {"base": base, "batch": batch, "way": way, **spread, "gflops": 2 * macs / median / 1e6}
