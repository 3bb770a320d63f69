"""Many cases: mean, standard deviation and interval of each per-case metric, and the figures pooled over all cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.metrics.case_metrics import CaseResult
from rmaunet.metrics.conventions import Convention
from rmaunet.metrics.overlap_metrics import Counts, dice

__all__ = ["METRICS", "Cohort", "Summary", "bootstrap_mean", "summarize", "summarize_cohort"]

METRICS = (
    "liver_dice", "liver_voe", "liver_rvd", "liver_rvd_lits", "liver_jaccard", "liver_assd_mm", "liver_rmsd_mm",
    "liver_msd_mm", "liver_hd95_pooled_mm", "liver_hd95_larger_mm", "liver_surface_dice",
    "liver_dice_lowest_tenth", "liver_dice_highest_tenth",
    "tumor_dice", "tumor_voe", "tumor_rvd", "tumor_rvd_lits", "tumor_jaccard", "tumor_assd_mm", "tumor_rmsd_mm",
    "tumor_msd_mm", "tumor_hd95_pooled_mm", "tumor_hd95_larger_mm", "tumor_surface_dice", "lesions_dice",
)  # fmt: skip
"""The per-case metrics a cohort averages."""

CHUNK = 1000


@dataclass(frozen=True)
class Summary:
    """One metric over cases, each case counting once.

    Attributes:
        metric: Its name.
        n: Cases where it is defined; everything below is over these.
        n_undefined: Cases where it is NaN.
        mean: NaN if n is 0.
        sd: Standard deviation with n - 1 in the denominator (ddof 1); NaN if n < 2.
        median: NaN if n is 0.
        minimum: NaN if n is 0.
        maximum: NaN if n is 0.
        low: Lower end of the 95 % bootstrap interval of the mean by case; NaN if n < 2.
        high: Its upper end.
    """

    metric: str
    n: int
    n_undefined: int
    mean: float
    sd: float
    median: float
    minimum: float
    maximum: float
    low: float
    high: float


def bootstrap_mean(
    values: NDArray[np.float64], *, resamples: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean.

    Args:
        values: One finite number a case, shape (n,).
        resamples: Draws of n cases with replacement.
        level: Share of the draws' means inside the interval, in (0, 1).
        seed: Of the draws; equal seeds give equal intervals.

    Returns:
        Lower and upper end; NaN twice if n < 2.

    Reference:
        Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    if values.size < 2:
        return math.nan, math.nan
    generator = np.random.default_rng(seed)
    # In chunks, so that memory does not grow with resamples x cases.
    sizes = [min(CHUNK, resamples - done) for done in range(0, resamples, CHUNK)]
    means = np.concatenate([values[generator.integers(values.size, size=(n, values.size))].mean(axis=1) for n in sizes])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def summarize(metric: str, values: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> Summary:
    """Summarise one number a case.

    Args:
        metric: What the values are.
        values: One a case; NaN is undefined: left out and counted.
        resamples: Bootstrap draws.
        seed: Of the draws.

    Returns:
        The summary.

    Example:
        >>> s = summarize("liver_dice", [0.9, 0.95, float("nan")])
        >>> s.n, s.n_undefined, round(s.mean, 3), round(s.sd, 4)
        (2, 1, 0.925, 0.0354)
    """
    every = np.asarray(values, dtype=float)
    known = every[~np.isnan(every)]
    missing = int(every.size - known.size)
    if known.size == 0:
        return Summary(metric, 0, missing, *[math.nan] * 7)
    low, high = bootstrap_mean(known, resamples=resamples, seed=seed)
    sd = float(known.std(ddof=1)) if known.size > 1 else math.nan
    middle = float(np.median(known))
    return Summary(
        metric, int(known.size), missing, float(known.mean()), sd, middle,
        float(known.min()), float(known.max()), low, high,
    )  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """What a set of cases has in common.

    Attributes:
        cases: How many.
        summaries: One a metric, in the order of :data:`METRICS`.
        pooled: Figures over the data set as one: ``liver_dice_global`` and ``tumor_dice_global`` (2 sum |A and B| / sum
            (|A| + |B|)), lesion counts with ``lesion_precision`` and ``lesion_recall`` at IoU > 0.5 and their ``_touched``
            twins at IoU > 0 (0 where undefined, as in LiTS), recall by size, ``tumor_burden_rmse`` and
            ``tumor_burden_max`` (largest signed reference - prediction, as in LiTS).
    """

    cases: int
    summaries: tuple[Summary, ...]
    pooled: dict[str, float]

    def __getitem__(self, metric: str) -> Summary:
        for summary in self.summaries:
            if summary.metric == metric:
                return summary
        raise KeyError(metric)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        per_case = {summary.metric: asdict(summary) for summary in self.summaries}
        for values in per_case.values():
            del values["metric"]
        return {"cases": self.cases, "per_case": per_case, "pooled": self.pooled}


def summarize_cohort(results: Sequence[CaseResult], *, resamples: int = 10_000, seed: int = 0) -> Cohort:
    """Summarise a set of cases; metrics that were not asked for are left out.

    Args:
        results: One a case; may be empty.
        resamples: Bootstrap draws for each metric's interval.
        seed: Of the draws.

    Returns:
        Summaries and pooled figures.
    """
    summaries = []
    for metric in METRICS:
        values = [value for result in results if (value := getattr(result, metric)) is not None]
        if values or not results:
            summaries.append(summarize(metric, values, resamples=resamples, seed=seed))
    return Cohort(len(results), tuple(summaries), _pooled(results))


def _pooled(results: Sequence[CaseResult]) -> dict[str, float]:
    def total(field: str) -> int:
        return sum(int(getattr(result, field)) for result in results)

    def share(part: int, whole: int, otherwise: float = 0.0) -> float:
        return part / whole if whole else otherwise

    pooled: dict[str, float] = {}
    convention: Convention = results[0].convention if results else "nnunet"
    for organ in ("liver", "tumor"):
        counts = Counts(*(total(f"{organ}_{side}_voxels") for side in ("reference", "prediction", "intersection")))
        pooled[f"{organ}_dice_global"] = dice(counts, convention=convention)
    for field in ("lesions_reference", "lesions_prediction", "lesions_detected", "lesions_touched"):
        pooled[field] = total(field)
    for suffix, hits in (("", "lesions_detected"), ("_touched", "lesions_touched")):
        pooled[f"lesion_precision{suffix}"] = share(total(hits), total("lesions_prediction"))
        pooled[f"lesion_recall{suffix}"] = share(total(hits), total("lesions_reference"))
    for size in ("under_10mm", "10_to_20mm", "over_20mm"):
        pooled[f"lesions_{size}"] = total(f"lesions_{size}")
        pooled[f"lesion_recall_{size}"] = share(total(f"lesions_{size}_detected"), total(f"lesions_{size}"), math.nan)
    burden = np.array([r.tumor_burden_reference - r.tumor_burden_prediction for r in results], dtype=float)
    burden = burden[~np.isnan(burden)]
    pooled["tumor_burden_n"] = int(burden.size)
    pooled["tumor_burden_rmse"] = float(np.sqrt(np.mean(burden**2))) if burden.size else math.nan
    pooled["tumor_burden_max"] = float(burden.max()) if burden.size else math.nan
    return pooled
