"""The option ``--label 5=liver``: what a foreign mask's values mean."""

from __future__ import annotations

from collections.abc import Sequence

from rmaunet.errors import UsageError

__all__ = ["labels_of"]

_NAMES = {"background": 0, "liver": 1, "tumor": 2, "0": 0, "1": 1, "2": 2}


def labels_of(command: str, words: Sequence[str]) -> dict[int, int] | None:
    """Read the words of ``--label``.

    Args:
        command: Its name, for messages.
        words: Each VALUE=NAME; NAME is background, liver or tumor.

    Returns:
        Value to label, or None if there are no words.

    Raises:
        UsageError: If a word is something else, or a value is named twice.
    """
    found: dict[int, int] = {}
    for word in words:
        value, _, name = word.partition("=")
        if not value.strip().lstrip("-").isdecimal() or name.strip().lower() not in _NAMES:
            raise UsageError(command, "--label", word, "is not VALUE=NAME", "write e.g. 5=liver or 7=tumor")
        if int(value) in found:
            raise UsageError(command, "--label", word, "names a value twice", "give each value once")
        found[int(value)] = _NAMES[name.strip().lower()]
    return found or None
