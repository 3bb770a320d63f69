"""What printed means and standard deviations allow: checks of a published table that need no data.

A paired test has a smallest possible p once both means, both standard deviations and the number of cases are printed;
mean VOE follows from mean and SD of the DSC; fold means scatter as much as disjoint patients make them. A table that
breaks one of these was not computed per case.
"""

from __future__ import annotations

import math

__all__ = ["expected_fold_sd", "fold_sd_probability", "smallest_paired_p", "unpaired_p", "voe_from_dice"]


def smallest_paired_p(
    mean_1: float, sd_1: float, mean_2: float, sd_2: float, n: int, *, rounding: float = 0.0
) -> float:
    """Smallest two-sided p a paired t-test on n cases can give with these means and SDs.

    The SD of the differences is sqrt(sd_1^2 + sd_2^2 - 2 r sd_1 sd_2), smallest at r = 1, where it is ``|sd_1 - sd_2|``; so t
    is at most ``|mean_1 - mean_2| sqrt(n) / |sd_1 - sd_2|``.

    Args:
        mean_1: Mean of the first method.
        sd_1: Its SD over cases (ddof 1), >= 0.
        mean_2: Mean of the second.
        sd_2: Its SD.
        n: Cases, >= 2.
        rounding: Half a unit of the SDs' last printed digit (0.0005 for 0.027); both may be off by it, which lowers the floor.

    Returns:
        The floor; 0 if the SDs may be equal and the means differ (nothing can be excluded), 1 if the means are equal.

    Raises:
        ValueError: If n < 2.

    Example:
        >>> f"{smallest_paired_p(0.9552, 0.012, 0.9221, 0.027, 27):.0e}"  # the paper prints 1.16e-20
        '1e-11'
    """
    from scipy import stats

    if n < 2:
        raise ValueError(f"n = {n}: a paired test needs two cases or more")
    if mean_1 == mean_2:
        return 1.0
    smallest_sd = abs(sd_1 - sd_2) - 2 * rounding
    if smallest_sd <= 0:
        return 0.0
    t = abs(mean_1 - mean_2) * math.sqrt(n) / smallest_sd
    return float(2 * stats.t.sf(t, n - 1))


def unpaired_p(mean_1: float, sd_1: float, mean_2: float, sd_2: float, n: int) -> float:
    """Two-sided p of Student's unpaired t-test with n cases a side, from means and SDs.

    Args:
        mean_1: Mean of the first method.
        sd_1: Its SD over cases (ddof 1).
        mean_2: Mean of the second.
        sd_2: Its SD.
        n: Cases on each side, >= 2.

    Returns:
        The p-value.
    """
    from scipy import stats

    return float(stats.ttest_ind_from_stats(mean_1, sd_1, n, mean_2, sd_2, n).pvalue)


def voe_from_dice(mean: float, sd: float) -> float:
    """Mean VOE that mean and SD of the per-case DSC imply, to second order.

    VOE = 1 - D / (2 - D) is concave in D, so its mean lies below its value at the mean DSC, by 2 sd^2 / (2 - mean)^3.

    Args:
        mean: Mean DSC, in [0, 1].
        sd: Its SD over cases.

    Returns:
        The implied mean VOE.

    Example:
        >>> round(voe_from_dice(0.9221, 0.027), 4)  # the paper prints 0.1270
        0.1434
    """
    return 1 - mean / (2 - mean) - 2 * sd**2 / (2 - mean) ** 3


def expected_fold_sd(sd: float, cases: int, folds: int = 5) -> float:
    """SD of the fold means when ``cases`` patients are dealt at random into disjoint folds.

    Args:
        sd: SD over cases.
        cases: Patients in all.
        folds: Folds.

    Returns:
        sd / sqrt(cases / folds).

    Example:
        >>> round(expected_fold_sd(0.118, 131), 3)  # the paper's fold means scatter by 0.00035
        0.023
    """
    return sd / math.sqrt(cases / folds)


def fold_sd_probability(observed_sd: float, sd: float, cases: int, folds: int = 5) -> float:
    """Chance that fold means scatter as little as observed or less, were they means over disjoint patients.

    Args:
        observed_sd: SD of the printed fold means (ddof 1).
        sd: SD over cases.
        cases: Patients in all.
        folds: Folds.

    Returns:
        The chi-squared probability with folds - 1 degrees of freedom.
    """
    from scipy import stats

    ratio = observed_sd / expected_fold_sd(sd, cases, folds)
    return float(stats.chi2.cdf((folds - 1) * ratio**2, folds - 1))
