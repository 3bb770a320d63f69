"""Does torch.compile make a training step on the CPU cheaper, and what does its warm-up cost?

    python lab/benchmarks/compiled_training.py [--base 16] [--batch 4] [--side 128] [--turns 5] [--threads 1]
        [--precision bfloat16]

Eager and compiled steps take turns on the same batch; times are CPU seconds of the process and, for the compiler it starts, of
its children. Without a C++ compiler the reason is printed and nothing is measured.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time

import torch

from bench.spread import spread
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.runtimes.denormals import flushed_denormals


def used() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("base", 16), ("batch", 4), ("side", 128), ("turns", 5), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = build_network(NetworkSettings(base=options.base)).to(memory_format=torch.channels_last).train()
    images = torch.rand(options.batch, 1, options.side, options.side).to(memory_format=torch.channels_last)
    ways = {"eager": network, "compiled": torch.compile(network)}

    def step(forward: torch.nn.Module) -> float:
        began = used()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16"):
            logits = forward(images)
        logits.float().square().mean().backward()
        network.zero_grad(set_to_none=True)
        return used() - began

    with flushed_denormals():
        began = time.perf_counter()
        try:
            warm = {name: step(forward) for name, forward in ways.items()}
        except Exception as error:  # the compiler behind it fails in many ways
            print(f"torch.compile cannot be used here: {' '.join(str(error).split())[:200]}", file=sys.stderr)
            return 1
        print(
            f"first steps: {warm['eager']:.1f} s CPU eager, {warm['compiled']:.1f} compiled; "
            f"{time.perf_counter() - began:.0f} s wall"
        )
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.turns):
            for name, forward in ways.items():
                seconds[name].append(step(forward))
    for name, found in seconds.items():
        print(f"{name:<9} {spread(found, 3)} s CPU a step")
    print(f"eager / compiled: {statistics.median(seconds['eager']) / statistics.median(seconds['compiled']):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
