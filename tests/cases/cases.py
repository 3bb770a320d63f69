"""One odd or bad input: how it is made and what must come of it. ``lab/logs/inputs.md`` is written from these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Case:
    """An input.

    Attributes:
        id: Name of the test.
        group: Heading in the document.
        what: The input in words.
        outcome: handled: read right without a word; warned: read right, and said; refused: an InputError.
        text: What the notice or error says (a part of it).
        write: Writes the input below a folder and returns the path to read.
    """

    id: str
    group: str
    what: str
    outcome: Literal["handled", "warned", "refused"]
    text: str
    write: Callable[[Path], Path]
