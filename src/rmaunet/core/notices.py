"""Warnings that must reach both the user's screen and the run's manifest.

The library says :func:`notice`; it goes to the log (the command line prints the log to stderr) and to every
:func:`collect_notices` block that is open in the same context. Contexts are per thread and per task, so cases
worked on side by side do not mix their notices.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
from collections.abc import Iterable, Iterator

from rmaunet.core.formats import one_line

__all__ = ["collect_notices", "notice", "repeat_notices"]

_logger = logging.getLogger("rmaunet")
_open: contextvars.ContextVar[tuple[list[str], ...]] = contextvars.ContextVar("rmaunet_notices", default=())


def notice(subject: object, text: str) -> None:
    """Warn about something the user should know although the work goes on.

    Args:
        subject: The file or case concerned.
        text: One sentence: what was found, what was done about it.
    """
    line = one_line(f"{subject}: {text}")
    repeat_notices([line])
    _logger.warning("%s", line)


def repeat_notices(lines: Iterable[str]) -> None:
    """Hand notices that were collected in another thread, and logged there, to those who collect here."""
    for line in lines:
        for collected in _open.get():
            if line not in collected:
                collected.append(line)


@contextlib.contextmanager
def collect_notices() -> Iterator[list[str]]:
    """Collect the notices given inside the block.

    Yields:
        A list that grows while the block runs; each distinct line stands in it once.

    Example:
        >>> with collect_notices() as seen:
        ...     notice("ct.nii", "no air near -1000: not HU?")
        >>> seen
        ['ct.nii: no air near -1000: not HU?']
    """
    collected: list[str] = []
    token = _open.set((*_open.get(), collected))
    try:
        yield collected
    finally:
        _open.reset(token)
