"""PyTorch as it comes: maps in plain order, nothing set; timed in a process of its own.

The runtime "torch" is PyTorch too, with maps channels-last and denormals taken as zero. And in a process in which other
runtimes have freed large pieces of memory, the allocator hands such pieces out again, where it otherwise asks the system.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import numpy as np
import torch
from numpy.typing import NDArray

from rmaunet.networks.build import NetworkSettings, build_network

__all__ = ["EAGER", "Seconds", "eager_process", "seconds_of"]

EAGER = "eager float32"

Seconds = tuple[float, float]
"""Wall time, and the processor time of all threads."""


def seconds_of(run: Callable[[NDArray[np.float32]], object], slab: NDArray[np.float32]) -> Seconds:
    """Time one call, after an uncounted one: threads of earlier code may still be spinning."""
    run(slab)
    began, cpu = time.perf_counter(), time.process_time()
    run(slab)
    return time.perf_counter() - began, time.process_time() - cpu


@contextmanager
def eager_process(base: int, threads: int) -> Iterator[Callable[[NDArray[np.float32]], Seconds]]:
    """A function like :func:`seconds_of` of RMAU-Net with random weights, for the length of the block.

    Args:
        base: Its width.
        threads: Threads of PyTorch.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, base, threads), daemon=True)
    process.start()
    theirs.close()  # so that the end of the process is the end of what can be received

    def ask(slab: NDArray[np.float32]) -> Seconds:
        ours.send(slab)
        seconds: Seconds = ours.recv()
        return seconds

    try:
        yield ask
    finally:
        ours.close()
        process.join()


def _serve(asked: Connection[Seconds, NDArray[np.float32]], base: int, threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = build_network(NetworkSettings(base=base)).eval()

    def run(slab: NDArray[np.float32]) -> torch.Tensor:
        with torch.inference_mode():
            return torch.sigmoid(network(torch.from_numpy(slab)))

    while True:
        try:
            slab = asked.recv()
        except EOFError:
            return
        asked.send(seconds_of(run, slab))
