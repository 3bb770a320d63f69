"""Warnings for the user that also stand in the manifest of a run.

:func:`notice` writes to the log (the command line prints the log to stderr) and to every :func:`collect_notices` block that
is open in the same context. Contexts are per thread and per task, so cases processed side by side do not mix.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
from collections.abc import Iterable, Iterator

from rmaunet.core.formats import one_line

__all__ = ["IDENTITY_AFFINE", "Notice", "collect_notices", "notice", "repeat_notices"]

IDENTITY_AFFINE = "identity-affine"
"""Code of the notice that a file's affine is the identity."""

_logger = logging.getLogger("rmaunet")
_open: contextvars.ContextVar[tuple[list[Notice], ...]] = contextvars.ContextVar("rmaunet_notices", default=())


class Notice(str):
    """The text of a notice, with a code that programs compare instead of the text.

    Attributes:
        code: Short name of the kind of notice; "" for those that no program distinguishes.
    """

    __slots__ = ("code",)
    code: str

    def __new__(cls, text: str, code: str = "") -> Notice:
        """Make a notice from its text; the code of a text that is a notice already is kept."""
        made = super().__new__(cls, text)
        made.code = code or getattr(text, "code", "")
        return made


def notice(subject: object, text: str, *, code: str = "") -> None:
    """Warn the user of something that does not stop the work.

    Args:
        subject: The file or case concerned.
        text: One sentence: what was found, what was done about it.
        code: See :class:`Notice`; by default that of ``text``, if it is a notice.
    """
    line = Notice(one_line(f"{subject}: {text}"), code or getattr(text, "code", ""))
    repeat_notices([line])
    _logger.warning("%s", line)


def repeat_notices(lines: Iterable[Notice]) -> None:
    """Pass on notices that were collected in another thread, and logged there, to the blocks open here."""
    for line in lines:
        for collected in _open.get():
            if line not in collected:
                collected.append(line)


@contextlib.contextmanager
def collect_notices() -> Iterator[list[Notice]]:
    """Collect the notices given inside the block.

    Yields:
        A list that grows while the block runs; each distinct line occurs once.

    Example:
        >>> with collect_notices() as seen:
        ...     notice("ct.nii", "no air near -1000: not HU?")
        >>> seen
        ['ct.nii: no air near -1000: not HU?']
    """
    collected: list[Notice] = []
    token = _open.set((*_open.get(), collected))
    try:
        yield collected
    finally:
        _open.reset(token)
