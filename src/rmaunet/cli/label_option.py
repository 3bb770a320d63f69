"""The option ``--label 5=liver``: what a foreign mask's values, layers or segments mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rmaunet.core.errors import UsageError

if TYPE_CHECKING:
    from rmaunet.io.masks.label_values import LabelKey

__all__ = ["labels_of", "values_of"]

_NAMES = {"background": 0, "liver": 1, "tumor": 2, "tumour": 2, "0": 0, "1": 1, "2": 2}


def values_of(command: str, words: Sequence[str]) -> dict[int, int] | None:
    """Read the words of ``--label`` where masks are label maps: keys are values.

    Raises:
        UsageError: As for :func:`labels_of`, and if a key is not a value.
    """
    labels = labels_of(command, words)
    values = {key: label for key, label in (labels or {}).items() if isinstance(key, int)}
    if labels is not None and len(values) < len(labels):
        raise UsageError(command, "--label", " ".join(words), "names a layer or a segment", "give values, e.g. 5=liver")
    return None if labels is None else values


def labels_of(command: str, words: Sequence[str]) -> dict[LabelKey, int] | None:
    """Read the words of ``--label``.

    Args:
        command: Its name, for messages.
        words: Each KEY=NAME. KEY is a value or segment number (5), a value in one layer (0:5), or the name of a segment
            or of a file in a folder (spot). NAME is background, liver or tumor.

    Returns:
        Key to label, or None if there are no words.

    Raises:
        UsageError: If a word is something else, or a key is named twice.

    Example:
        >>> labels_of("measure", ["5=liver", "1:2=tumor", "spot=tumor"])
        {5: 1, (1, 2): 2, 'spot': 2}
    """
    found: dict[LabelKey, int] = {}
    for word in words:
        left, _, name = word.rpartition("=")
        key = _key(left.strip())
        if key is None or name.strip().lower() not in _NAMES:
            remedy = "write e.g. 5=liver, 7=tumor, or LAYER:VALUE=liver"
            raise UsageError(command, "--label", word, "is not VALUE=NAME", remedy)
        if key in found:
            raise UsageError(command, "--label", word, "names a value twice", "give each value once")
        found[key] = _NAMES[name.strip().lower()]
    return found or None


def _key(text: str) -> LabelKey | None:
    """A value, (layer, value) or a name; None for anything else. A name has a letter."""
    if re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"\d{1,9}:\d{1,18}", text, re.ASCII):
        layer, value = text.split(":")
        return int(layer), int(value)
    return text if any(c.isalpha() for c in text) else None
