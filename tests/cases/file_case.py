"""A row of the table of single-file inputs: a Case that also says how to check what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases import Case


@dataclass(frozen=True)
class FileCase(Case):
    """One kind of input.

    then: what happens, in words. text is the pattern that the warning or error matches.
    check: looks at what was read. options: passed to the reader.
    """

    then: str = ""
    check: Callable[[Any, Path], None] | None = None
    options: dict[str, Any] = field(default_factory=dict)
