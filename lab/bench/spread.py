"""Several measurements of one thing as text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

__all__ = ["spread"]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, lowest and highest.

    Example:
        >>> spread([3.0, 1.0, 2.0], digits=1)
        '2.0 (1.0 to 3.0)'
    """
    median, low, high = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return median if len(values) == 1 else f"{median} ({low} to {high})"
