"""A table as Markdown, and several measurements of one thing as text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

__all__ = ["markdown", "spread"]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table, with a line below its head."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, lowest and highest.

    Example:
        >>> spread([3.0, 1.0, 2.0], digits=1)
        '2.0 (1.0 to 3.0)'
    """
    median, low, high = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return median if len(values) == 1 else f"{median} ({low} to {high})"
