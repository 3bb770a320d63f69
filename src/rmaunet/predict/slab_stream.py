"""The slices of a scan through the network: which ones, and how, in three threads that overlap.

First the network sees one slice every 20 mm, then all slices within ``REACH_MM`` of a slice in which something was found.
That set does not depend on order or batch, and within it the result is the network's own at full resolution. A liver is
missed only if it lies between two of the first slices, thinner than ``STRIDE_MM``; one with gaps is followed across gaps of
up to ``REACH_MM``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.predict.postprocess.clean_labels import Postprocessing, labels_from_probabilities
from rmaunet.preprocess import Enlarger, Prepared
from rmaunet.runtimes.runtime import Runtime

__all__ = ["LOOKS", "REACH_MM", "STRIDE_MM", "Mix", "Search", "SlabStream", "Stopwatch", "Watch"]

Watch = Callable[[int, NDArray[np.float32]], None]
Mix = Callable[[int, NDArray[np.float32]], NDArray[np.float32]]
Slab = tuple[list[int], NDArray[np.float32]]
_WAITING = 2  # slabs of probabilities that may wait to be brought back: memory stays flat


STRIDE_MM = 20.0
"""Distance between the slices looked at first."""
LOOKS = 16
"""They are at least this many: in a short scan nothing is worth skipping."""
REACH_MM = 12.0
"""How far beyond a slice with something in it the search goes on, at least two slices."""


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


class Search:
    """Hands out slices to compute until nothing is left.

    Args:
        depth: Slices of the scan.
        spacing_mm: Between slices.
        every: Hand out every slice, in order.
        only: Hand out these slices, in order, and no others: they were searched before.
    """

    def __init__(self, depth: int, *, spacing_mm: float, every: bool = False, only: range | None = None) -> None:
        self.depth = depth
        self.every = every or only is not None
        self._reach = max(2, round(REACH_MM / spacing_mm))
        stride = 1 if every else max(1, min(round(STRIDE_MM / spacing_mm), depth // LOOKS))
        first = list(range(0, depth, stride)) if only is None else list(only)
        if only is None and first[-1] != depth - 1:
            first.append(depth - 1)
        self._asked = set(first)
        self._waiting = deque(first)

    @property
    def asked(self) -> int:
        """Slices handed out or waiting to be, so far."""
        return len(self._asked)

    def take(self, count: int) -> list[int]:
        """Up to ``count`` slices to compute now; none if all is done or what is being computed must be told first."""
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def tell(self, found: Iterable[int]) -> None:
        """Say in which of the slices computed there was anything."""
        if self.every:
            return
        for z in found:
            for near in range(max(0, z - self._reach), min(self.depth, z + self._reach + 1)):
                if near not in self._asked:
                    self._asked.add(near)
                    self._waiting.append(near)


class SlabStream:
    """Sends the slices of one scan through the network in slabs.

    Args:
        prepared: The scan.
        runtime: Computes probabilities.
        settings: Thresholds.
        batch: Slices per call.
        stopwatch: Takes the time of "prepare", "network" and "restore".
    """

    def __init__(
        self, prepared: Prepared, runtime: Runtime, settings: Postprocessing, *, batch: int, stopwatch: Stopwatch
    ) -> None:
        self._prepared, self._runtime, self._settings = prepared, runtime, settings
        self._batch, self._stopwatch = batch, stopwatch
        self._enlarger = Enlarger(prepared.grid)

    def fill(
        self,
        labels: NDArray[np.uint8],
        search: Search,
        *,
        progress: Callable[[int, int], None],
        watch: Watch | None = None,
        mix: Mix | None = None,
    ) -> int:
        """Compute slices until the search is done and write their labels.

        Args:
            labels: (D, H, W) axial, zeros; written in place, slice by slice.
            search: Chooses the slices.
            progress: Called with (slices_done, slices_total); both are equal at the end.
            watch: Called with (index, probabilities) of each computed slice.
            mix: Maps (index, probabilities) to the probabilities to use; float32 (2, H, W) on the scan's own pixels.

        Returns:
            Number of slices computed.
        """
        thresholds = np.array(self._settings.thresholds, np.float32)
        depth, done = len(self._prepared), 0
        # OpenCV's own pool would fight the network's threads.
        preparing = ThreadPoolExecutor(1, "prepare", initializer=cv2.setNumThreads, initargs=(1,))
        with preparing, ThreadPoolExecutor(1, "restore") as restoring:
            waiting: deque[Future[None]] = deque()

            def ask() -> Future[Slab] | None:
                indices = search.take(self._batch)
                return preparing.submit(self._slab, indices) if indices else None

            coming = ask()
            while coming is not None:
                indices, slab = coming.result()
                coming = ask()  # is prepared while the network computes this one
                with self._stopwatch("network"):
                    maps = self._runtime(slab)
                high = (maps.max(axis=(2, 3)) > thresholds[: maps.shape[1]]).any(axis=1)
                search.tell(z for z, found in zip(indices, high, strict=True) if found)
                while len(waiting) >= _WAITING:
                    waiting.popleft().result()
                waiting.append(restoring.submit(self._restore, labels, indices, maps, watch, mix))
                coming = coming or ask()
                done += len(indices)
                progress(done if coming else depth, depth)
            for left in waiting:
                left.result()
        return done

    def _slab(self, indices: list[int]) -> Slab:
        with self._stopwatch("prepare"):
            return indices, self._prepared.pick(indices)

    def _restore(
        self,
        labels: NDArray[np.uint8],
        indices: Sequence[int],
        slab: NDArray[np.float32],
        watch: Watch | None,
        mix: Mix | None,
    ) -> None:
        """Bring a slab back to the scan's own pixels and write its labels."""
        backward, thresholds = self._prepared.grid.backward, self._settings.thresholds
        with self._stopwatch("restore"):
            for z, maps in zip(indices, slab, strict=True):
                if mix:
                    mixed = mix(z, backward(maps))
                    labels[z] = labels_from_probabilities(mixed, self._settings)
                    if watch:
                        watch(z, mixed)
                    continue
                found = self._enlarger.above(maps, thresholds[: len(maps)])
                if found is not None:
                    (rows, columns), part = found
                    labels[z, rows, columns] = labels_from_probabilities(part, self._settings)
                if watch:
                    watch(z, backward(maps))
