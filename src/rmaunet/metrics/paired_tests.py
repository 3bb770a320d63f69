"""Is one network better than another? Paired tests on per-case values, with intervals and what n cases can show at all.

Slices of one patient are not independent, so only one value a case goes in. Every result carries the number of pairs and the
smallest p that a signed-rank test on that many can give.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rmaunet.metrics.case_summary import bootstrap_mean

__all__ = ["Comparison", "compare", "compare_all", "holm", "holm_corrected", "smallest_wilcoxon_p"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two methods on the same cases; differences are first - second.

    Attributes:
        n: Pairs where both values are defined; everything below is over these.
        n_undefined: Pairs left out because one value is NaN.
        mean_difference: Mean of the differences.
        sd_difference: Their standard deviation (ddof 1); NaN if n < 2.
        low: Lower end of the 95 % bootstrap interval of the mean difference, cases drawn as pairs; NaN if n < 2.
        high: Its upper end.
        p_t: Two-sided p of the paired t-test; NaN if n < 2 or all differences are 0, 0 if
            all are one other number.
        p_wilcoxon: Two-sided p of Wilcoxon's signed-rank test, exact up to 50 pairs without ties or zeros; zero
            differences are dropped; NaN if all are 0.
        smallest_p_wilcoxon: Smallest p that this test can give with the m pairs that differ, 2^(1 - m).
        effect_size: Mean difference / SD of the differences (Cohen's d_z); NaN where the SD is 0 or n < 2.
        wins: Cases where the first value is larger.
        ties: Cases where they are equal.
        losses: Cases where the second is larger.
        p_t_holm: ``p_t`` corrected over several comparators, set by :func:`compare_all`; NaN before.
        p_wilcoxon_holm: The same for ``p_wilcoxon``.
    """

    n: int
    n_undefined: int
    mean_difference: float
    sd_difference: float
    low: float
    high: float
    p_t: float
    p_wilcoxon: float
    smallest_p_wilcoxon: float
    effect_size: float
    wins: int
    ties: int
    losses: int
    p_t_holm: float = math.nan
    p_wilcoxon_holm: float = math.nan


def smallest_wilcoxon_p(n: int) -> float:
    """Smallest two-sided p that Wilcoxon's signed-rank test can give on n pairs: every difference of one sign.

    Args:
        n: Pairs with a difference, >= 0.

    Returns:
        2^(1 - n), at most 1.

    Example:
        >>> smallest_wilcoxon_p(5)  # five pairs can never reach 0.05
        0.0625
    """
    return min(1.0, 2.0 ** (1 - n))


def compare(first: Sequence[float], second: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare two methods case by case.

    Args:
        first: One value a case, e.g. tumor dice; NaN where undefined.
        second: The other method on the same cases in the same order.
        resamples: Bootstrap draws.
        seed: Of the draws.

    Returns:
        Tests, interval, effect size and counts.

    Raises:
        ValueError: If the lengths differ.

    Reference:
        Wilcoxon 1945; Student 1908; scipy.stats computes both.

    Example:
        >>> c = compare([0.9, 0.8, 0.7, 0.9], [0.8, 0.8, 0.5, 0.6])
        >>> c.n, c.wins, c.ties, c.losses, round(c.mean_difference, 3), c.smallest_p_wilcoxon
        (4, 3, 1, 0, 0.15, 0.25)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values against {len(second)}; give one a case in the same order for both")
    difference = _differences(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    known = difference[~np.isnan(difference)]
    n = int(known.size)
    mean = float(known.mean()) if n else math.nan
    sd = _sd(known) if n > 1 else math.nan
    low, high = bootstrap_mean(known, resamples=resamples, seed=seed)
    p_t, p_wilcoxon = _p_values(known)
    return Comparison(
        n=n,
        n_undefined=int(difference.size - n),
        mean_difference=mean,
        sd_difference=sd,
        low=low,
        high=high,
        p_t=p_t,
        p_wilcoxon=p_wilcoxon,
        smallest_p_wilcoxon=smallest_wilcoxon_p(int(np.count_nonzero(known))),
        effect_size=mean / sd if sd > 0 else math.nan,
        wins=int(np.count_nonzero(known > 0)),
        ties=int(np.count_nonzero(known == 0)),
        losses=int(np.count_nonzero(known < 0)),
    )


def _differences(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """First - second without floating-point noise, so that differences that are equal on paper are ties.

    0.9 - 0.8 and 0.6 - 0.5 differ by 1e-16. Differences are rounded to 12 significant digits of the largest value: noise of
    a subtraction is below 1e-15 of it, and no measure is known to 12 digits.
    """
    values = np.concatenate([first, second])
    largest = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
    if largest == 0:
        return first - second
    return np.round(first - second, 12 - math.ceil(math.log10(largest)))


def _sd(values: NDArray[np.float64]) -> float:
    """Standard deviation (ddof 1), exactly 0 where all values are equal."""
    return 0.0 if np.ptp(values) == 0 else float(values.std(ddof=1))


def _p_values(difference: NDArray[np.float64]) -> tuple[float, float]:
    from scipy import stats

    if difference.size < 2 or not difference.any():
        return math.nan, math.nan
    p_t = float(stats.ttest_1samp(difference, 0.0).pvalue) if _sd(difference) > 0 else 0.0
    return p_t, float(stats.wilcoxon(difference, zero_method="wilcox").pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: adjusted p for a family of tests, controlling the chance of any false positive.

    Args:
        p_values: In [0, 1]; NaN stays NaN and does not count as a test.

    Returns:
        Adjusted values in the same order, at most 1, never smaller than what went in.

    Reference:
        Holm 1979, "A simple sequentially rejective multiple test procedure".

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=float)
    order = [int(i) for i in np.argsort(given) if not math.isnan(given[i])]
    adjusted = np.full(given.size, math.nan)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, float(given[index]) * (len(order) - rank)))
        adjusted[index] = largest
    return adjusted.tolist()


def compare_all(
    method: Sequence[float], comparators: Mapping[str, Sequence[float]], *, resamples: int = 10_000, seed: int = 0
) -> dict[str, Comparison]:
    """Compare one method with several on the same cases, p-values corrected by Holm over the comparators.

    Args:
        method: One value a case.
        comparators: Name and values of each other method, same cases, same order.
        resamples: Bootstrap draws.
        seed: Of the draws; the same cases are drawn for every comparator.

    Returns:
        One comparison a comparator, ``p_t_holm`` and ``p_wilcoxon_holm`` set.

    Raises:
        ValueError: If the lengths differ.
    """
    found = [compare(method, values, resamples=resamples, seed=seed) for values in comparators.values()]
    return dict(zip(comparators, holm_corrected(found), strict=True))


def holm_corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The same comparisons with ``p_t_holm`` and ``p_wilcoxon_holm`` set, corrected over all of them."""
    by_t = holm([c.p_t for c in comparisons])
    by_rank = holm([c.p_wilcoxon for c in comparisons])
    return [
        replace(comparison, p_t_holm=t, p_wilcoxon_holm=rank)
        for comparison, t, rank in zip(comparisons, by_t, by_rank, strict=True)
    ]
