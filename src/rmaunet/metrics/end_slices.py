"""Where a slice-by-slice network is weakest: the lowest and the highest slices of the liver."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.metrics.overlap_metrics import count_overlap, dice

__all__ = ["end_dice"]

SHARE = 0.1


def end_dice(reference: NDArray[np.bool_], prediction: NDArray[np.bool_], *, share: float = SHARE) -> dict[str, float]:
    """Dice of the liver over the lowest and over the highest tenth of the slices that hold it.

    Args:
        reference: (D, H, W), slice 0 nearest the feet.
        prediction: The same grid.
        share: Of the reference's extent from its first to its last slice; rounded up, so at least one slice.

    Returns:
        ``{"lowest": ..., "highest": ...}`` in [0, 1]; NaN where the reference is empty.

    Reference:
        The paper (section 5) names discontinuous livers at the ends of the organ as its weakness and does not measure it.

    Example:
        >>> truth = np.zeros((20, 4, 4), bool)
        >>> truth[5:15] = True
        >>> guess = truth.copy()
        >>> guess[5] = False
        >>> end_dice(truth, guess)
        {'lowest': 0.0, 'highest': 1.0}
    """
    found = np.flatnonzero(reference.any(axis=(1, 2)))
    if not len(found):
        return {"lowest": math.nan, "highest": math.nan}
    first, last = int(found[0]), int(found[-1]) + 1
    count = math.ceil(share * (last - first) - 1e-9)
    ends: dict[str, Any] = {"lowest": slice(first, first + count), "highest": slice(last - count, last)}
    return {end: dice(count_overlap(reference[z], prediction[z])) for end, z in ends.items()}
