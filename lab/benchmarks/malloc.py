"""Does keeping freed memory (glibc's mmap and trim thresholds) make training and inference cheaper?

    python lab/benchmarks/malloc.py [--pairs 3] [--steps 3] [--threads 1] [--base 16] [--batch 4] [-o FILE]

By default glibc returns large blocks to the kernel when they are freed, and every step faults them in again. Each run
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
from pathlib import Path
from typing import Any


def child(options: argparse.Namespace) -> None:
    if options.child == "kept":
        from rmaunet.train.allocator import keep_freed_memory

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

    found: dict[str, object] = {}
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
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def rows(runs: dict[str, list[dict[str, Any]]], base: int, batch: int) -> list[dict[str, Any]]:
    """One row a task and allocator: CPU seconds a step of each run, and their ratio to the usual allocator's run before."""
    made = []
    for task in ("training", "inference"):
        seconds = {kind: [run[task]["user"] + run[task]["system"] for run in found] for kind, found in runs.items()}
        for kind, found in runs.items():
            row = {"task": task, "base": base, "batch": batch, "freed_memory": kind, "seconds": seconds[kind]}
            row |= {key: statistics.median(run[task][key] for run in found) for key in ("system", "faults")}
            row |= {"peak_mib": statistics.median(run["peak_mib"] for run in found)}
            made.append(row | {"ratios": [u / k for u, k in zip(seconds["usual"], seconds[kind], strict=True)]})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("pairs", 3), ("steps", 3), ("threads", 1), ("base", 16), ("batch", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--note", default="", help="kept in the file: what else ran, for instance")
    parser.add_argument("-o", "--output", type=Path, help="JSON file")
    parser.add_argument("--child", choices=("usual", "kept"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    from bench.record import new_record
    from bench.tables import tables
    from rmaunet.core.files import write_json

    runs: dict[str, list[dict[str, Any]]] = {"usual": [], "kept": []}
    words = [f"--{name}={getattr(options, name)}" for name in ("steps", "threads", "base", "batch")]
    for _ in range(options.pairs):
        for kind, found in runs.items():
            command = [sys.executable, __file__, f"--child={kind}", *words]
            found.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    record = new_record(threads=options.threads, note=options.note, libraries=("torch",))
    record["allocator"] = rows(runs, options.base, options.batch)
    print(tables(record))
    if options.output:
        write_json(options.output, record)


if __name__ == "__main__":
    main()
