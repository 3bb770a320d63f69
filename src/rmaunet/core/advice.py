"""Advice that names an option, given only by commands that have it."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["advise", "set_options"]

_options: frozenset[str] | None = None
"""Options of the command that runs; None outside the command line. One command runs per process, in several threads."""


def set_options(options: Iterable[str] | None) -> None:
    """State which options the running command has.

    Args:
        options: Such as "--label"; None if no command runs.
    """
    global _options
    _options = None if options is None else frozenset(options)


def advise(option: str, text: str, otherwise: str) -> str:
    """A remedy that names an option, or another one where the running command lacks it.

    Args:
        option: The option, e.g. "--label".
        text: The remedy with it.
        otherwise: The remedy without it.

    Returns:
        ``text`` in a command that has the option and in the Python API, else ``otherwise``.

    Example:
        >>> set_options(["--volume"])
        >>> advise("--volume", "give --volume K", "save one volume"), advise("--label", "give --label", "map the values")
        ('give --volume K', 'map the values')
        >>> set_options(None)
    """
    return text if _options is None or option in _options else otherwise
