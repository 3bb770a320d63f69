"""Which slices the network looks at: every few of them first, then everything near what it found.

The slices computed in the end are the coarse ones and all within ``REACH_MM`` of a computed slice with anything found in
it. That set does not depend on the order or the batch, and within it the result is the network's own at full resolution.
A liver is lost only if it lies between two coarse slices, thinner than ``STRIDE_MM``; one with gaps is followed across
gaps of up to ``REACH_MM``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

__all__ = ["LOOKS", "REACH_MM", "STRIDE_MM", "Search"]

STRIDE_MM = 20.0
"""Distance between the slices looked at first."""
LOOKS = 16
"""They are at least this many: in a short scan nothing is worth skipping."""
REACH_MM = 12.0
"""How far beyond a slice with something in it the search goes on, at least two slices."""


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
