"""Agreement of two measurements of one quantity (Bland and Altman): bias and limits, not correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Agreement", "bland_altman"]


@dataclass(frozen=True)
class Agreement:
    """Bland-Altman numbers, in the unit of the values.

    Attributes:
        n: Pairs where both are known.
        bias: Mean of measured - reference.
        bias_low: Lower end of its 95 % interval (t); NaN if n < 2.
        bias_high: Upper end.
        sd: SD of the differences (ddof 1); NaN if n < 2.
        lower_limit: bias - 1.96 SD: 95 % of differences lie above it if they are normal.
        upper_limit: bias + 1.96 SD.
    """

    n: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    lower_limit: float
    upper_limit: float


def bland_altman(reference: Sequence[float], measured: Sequence[float]) -> Agreement:
    """Bias and 95 % limits of agreement.

    Args:
        reference: One value a case, e.g. liver volume in ml by hand.
        measured: The same quantity from the prediction.

    Returns:
        The numbers; pairs with a NaN are left out.

    Raises:
        ValueError: If the lengths differ.

    Reference:
        Bland and Altman 1986, "Statistical methods for assessing agreement between two methods of clinical measurement".

    Example:
        >>> a = bland_altman([100.0, 200.0, 300.0], [101.0, 202.0, 303.0])
        >>> a.bias, a.sd, round(a.upper_limit, 2)
        (2.0, 1.0, 3.96)
    """
    from scipy import stats  # takes longer to import than the rest of this room; segmenting never needs it

    if len(reference) != len(measured):
        raise ValueError(f"{len(reference)} values against {len(measured)}; give one a case in the same order for both")
    difference = np.asarray(measured, dtype=float) - np.asarray(reference, dtype=float)
    difference = difference[~np.isnan(difference)]
    n = int(difference.size)
    bias = float(difference.mean()) if n else math.nan
    if n < 2:
        return Agreement(n, bias, *[math.nan] * 5)
    sd = float(difference.std(ddof=1))
    margin = float(stats.t.ppf(0.975, n - 1)) * sd / math.sqrt(n)
    return Agreement(n, bias, bias - margin, bias + margin, sd, bias - 1.96 * sd, bias + 1.96 * sd)
