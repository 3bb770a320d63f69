"""Ctrl-C and SIGTERM end a run after the step it is in."""

from __future__ import annotations

import signal
import threading
from typing import Any

__all__ = ["Stopping"]


class Stopping:
    """Turns Ctrl-C and SIGTERM into a flag for the length of a run (main thread only)."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def _ask(self, *_: object) -> None:
        self.asked = True

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
