"""Does keeping freed memory (glibc's mmap and trim thresholds) make training and inference cheaper?

    python benchmarks/malloc.py [--pairs 3] [--steps 3] [--threads 1] [--base 16] [--batch 4] [--json FILE]

By default glibc hands large blocks back to the kernel as soon as they are freed, and every step faults them in anew. Each run
is a process of its own, with and without ``mallopt`` in turn; the time is CPU time (user and system) of a step, which a busy
machine disturbs less than wall time.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


def child(options: argparse.Namespace) -> None:
    if options.child == "kept":
        from rmaunet.predict.memory import keep_freed_memory

        keep_freed_memory()
    import torch

    from rmaunet.networks.build import NetworkSettings, build_network

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    network = build_network(NetworkSettings(base=options.base)).to(memory_format=torch.channels_last)
    images = torch.rand(options.batch, 1, 256, 256).to(memory_format=torch.channels_last)

    def train() -> None:
        network.train()
        network(images).square().mean().backward()

    def infer() -> None:
        network.eval()
        with torch.inference_mode():
            network(images)

    found = {}
    for name, step in (("training", train), ("inference", infer)):
        step()
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(options.steps):
            step()
        after = resource.getrusage(resource.RUSAGE_SELF)
        found[name] = {
            "user": (after.ru_utime - before.ru_utime) / options.steps,
            "system": (after.ru_stime - before.ru_stime) / options.steps,
            "faults": (after.ru_minflt - before.ru_minflt) / options.steps,
        }
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pairs", 3), ("steps", 3), ("threads", 1), ("base", 16), ("batch", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", choices=("usual", "kept"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    runs: dict[str, list[dict[str, dict[str, float]]]] = {"usual": [], "kept": []}
    words = [f"--{name}={getattr(options, name)}" for name in ("steps", "threads", "base", "batch")]
    for _ in range(options.pairs):
        for kind, found in runs.items():
            command = [sys.executable, __file__, f"--child={kind}", *words]
            found.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    record = {"torch": version("torch"), "options": vars(options) | {"json": None}, "runs": runs}
    for task in ("training", "inference"):
        for kind, found in runs.items():
            user, system, faults = (
                statistics.median(run[task][key] for run in found) for key in ("user", "system", "faults")
            )
            print(
                f"{task:<10} {kind:<6} {user + system:7.3f} s CPU a step ({system:.3f} system), {faults:9.0f} page faults"
            )
        ratios = [
            sum(usual[task][key] for key in ("user", "system")) / sum(kept[task][key] for key in ("user", "system"))
            for usual, kept in zip(runs["usual"], runs["kept"], strict=True)
        ]
        print(f"{task:<10} usual / kept: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
        record[task] = ratios
    if options.json:
        options.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
