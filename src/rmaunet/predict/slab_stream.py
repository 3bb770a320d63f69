"""The slices of a scan through the network: prepared, computed and brought back in three threads that overlap."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.predict.postprocess.clean_labels import Postprocessing, labels_from_probabilities
from rmaunet.predict.slab_search import Search
from rmaunet.preprocess import Enlarger, Prepared
from rmaunet.runtimes.runtime import Runtime

__all__ = ["Mix", "Stopwatch", "Watch", "fill_labels"]

Watch = Callable[[int, NDArray[np.float32]], None]
Mix = Callable[[int, NDArray[np.float32]], NDArray[np.float32]]
Slab = tuple[list[int], NDArray[np.float32]]
_WAITING = 2  # slabs of probabilities that may wait to be brought back: memory stays flat


class Stopwatch:
    """Time spent in each step; a step belongs to one thread at a time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of a block to a step."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


def fill_labels(
    labels: NDArray[np.uint8],
    prepared: Prepared,
    runtime: Runtime,
    settings: Postprocessing,
    *,
    search: Search,
    batch: int,
    progress: Callable[[int, int], None],
    watch: Watch | None,
    mix: Mix | None,
    stopwatch: Stopwatch,
) -> int:
    """Compute slices until the search is done and write their labels.

    Args:
        labels: (D, H, W) axial, zeros; written in place, slice by slice.
        prepared: The scan.
        runtime: Computes probabilities.
        settings: Thresholds.
        search: Which slices.
        batch: Slices a call.
        progress: Told (slices done, slices of the scan); at the end both are equal.
        watch: Shown each computed slice.
        mix: Gives the probabilities that count: from a slice's index and its float32 (2, H, W) on the scan's own pixels.
        stopwatch: Takes the time of "prepare", "network" and "restore".

    Returns:
        How many slices were computed.
    """
    bring_back = _Restorer(labels, prepared, settings, watch, mix, stopwatch)
    thresholds = np.array(settings.thresholds, np.float32)
    depth, done = len(prepared), 0

    def slab_of(indices: list[int]) -> Slab:
        with stopwatch("prepare"):
            return indices, prepared.pick(indices)

    # OpenCV's own pool would fight the network's threads.
    preparing = ThreadPoolExecutor(1, "prepare", initializer=cv2.setNumThreads, initargs=(1,))
    with preparing, ThreadPoolExecutor(1, "restore") as restoring:
        waiting: deque[Future[None]] = deque()

        def ask() -> Future[Slab] | None:
            indices = search.take(batch)
            return preparing.submit(slab_of, indices) if indices else None

        coming = ask()
        while coming is not None:
            indices, slab = coming.result()
            coming = ask()  # is prepared while the network computes this one
            with stopwatch("network"):
                maps = runtime(slab)
            high = (maps.max(axis=(2, 3)) > thresholds[: maps.shape[1]]).any(axis=1)
            search.tell(z for z, found in zip(indices, high, strict=True) if found)
            while len(waiting) >= _WAITING:
                waiting.popleft().result()
            waiting.append(restoring.submit(bring_back, indices, maps))
            coming = coming or ask()
            done += len(indices)
            progress(done if coming else depth, depth)
        for left in waiting:
            left.result()
    return done


class _Restorer:
    def __init__(
        self,
        labels: NDArray[np.uint8],
        prepared: Prepared,
        settings: Postprocessing,
        watch: Watch | None,
        mix: Mix | None,
        stopwatch: Stopwatch,
    ) -> None:
        self._labels, self._prepared, self._settings = labels, prepared, settings
        self._watch, self._mix, self._stopwatch = watch, mix, stopwatch
        self._enlarger = Enlarger(prepared.grid)

    def __call__(self, indices: Sequence[int], slab: NDArray[np.float32]) -> None:
        with self._stopwatch("restore"):
            for z, maps in zip(indices, slab, strict=True):
                if self._mix:
                    mixed = self._mix(z, self._prepared.grid.backward(maps))
                    self._labels[z] = labels_from_probabilities(mixed, self._settings)
                    if self._watch:
                        self._watch(z, mixed)
                    continue
                found = self._enlarger.above(maps, self._settings.thresholds[: len(maps)])
                if found is not None:
                    (rows, columns), part = found
                    self._labels[z, rows, columns] = labels_from_probabilities(part, self._settings)
                if self._watch:
                    self._watch(z, self._prepared.grid.backward(maps))
