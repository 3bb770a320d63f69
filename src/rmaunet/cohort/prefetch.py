"""While the network works, what comes after it is made ready: the next scan of a folder is read, libraries are imported."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from rmaunet.core.notices import Notice, collect_notices, repeat_notices
from rmaunet.io.scan import Scan

__all__ = ["import_ahead", "read_ahead", "read_in_turn"]

T = TypeVar("T")
Scans = Generator[tuple[T, Callable[[], Scan]], None, None]
Read = tuple[Scan, list[Notice]]


def read_in_turn(items: Iterable[T], read: Callable[[T], Scan]) -> Scans[T]:
    """As :func:`read_ahead`, but each scan is read when it is asked for: one at a time is in memory."""
    yield from ((item, partial(read, item)) for item in items)


def read_ahead(items: Iterable[T], read: Callable[[T], Scan]) -> Scans[T]:
    """Go through scans; while one is worked on the next is read, and no more than that one.

    Args:
        items: In order; one is asked for before the one before it is handed out.
        read: Reads an item's scan; called in another thread.

    Yields:
        An item, and what gives its scan: it waits until the scan is read, raises what reading raised, and passes the notices
        of reading on to those who collect them then.
    """

    def collected(item: T) -> Read:
        with collect_notices() as notices:
            return read(item), notices

    thread = ThreadPoolExecutor(1, "read")
    try:
        begun = ((item, thread.submit(collected, item)) for item in items)
        coming = next(begun, None)
        while coming is not None:
            item, found = coming
            coming = next(begun, None)  # one thread: it is read after the one now handed out
            yield item, partial(_given, found)
    finally:
        thread.shutdown(cancel_futures=True)


def _given(found: Future[Read]) -> Scan:
    scan, notices = found.result()
    repeat_notices(notices)
    return scan


def import_ahead(modules: Sequence[str], progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Import modules in a thread of their own from the first slices on, so that neither they nor what follows wait.

    Args:
        modules: Their names; one that cannot be imported is passed over here, and raises where it is used.
        progress: Told (slices done, slices in all).

    Returns:
        ``progress``, to be told in its place.
    """

    def run() -> None:
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)

    begun = threading.Event()

    def told(done: int, of: int) -> None:
        progress(done, of)
        if not begun.is_set():
            begun.set()
            threading.Thread(target=run, name="import", daemon=True).start()

    return told
