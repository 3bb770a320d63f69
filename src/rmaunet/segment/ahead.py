"""The next scan of a folder is read while the network works on this one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from rmaunet.io.scan import Scan
from rmaunet.notices import collect_notices, repeat_notices

__all__ = ["read_ahead", "read_in_turn"]

T = TypeVar("T")
Scans = Generator[tuple[T, Callable[[], Scan]], None, None]
Read = tuple[Scan, list[str]]


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
