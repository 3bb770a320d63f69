"""Cases seen more than once: trainings with several seeds, folds, several scans of a patient.

A test on cases needs one independent value each. Seeds are repeated measures: a case's values are averaged before anything is
paired, and the scatter between seeds is told beside the scatter between cases. Scans of one patient are averaged likewise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rmaunet.metrics.case_summary import Summary, summarize

__all__ = ["FoldSummary", "average_patients", "average_repeats", "between_repeats", "sd", "summarize_folds"]


def sd(values: Sequence[float]) -> float:
    """Standard deviation with n - 1 in the denominator; NaN for fewer than two values or where one is NaN.

    Example:
        >>> sd([1.0, 2.0, 3.0]), sd([1.0])
        (1.0, nan)
    """
    return float(np.std(np.asarray(values, dtype=float), ddof=1)) if len(values) > 1 else math.nan


def average_repeats(repeats: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Each case's mean over repeated trainings.

    Args:
        repeats: One mapping a seed, case to value; all of the same cases.

    Returns:
        Case to mean, in the first seed's order; NaN where any seed's value is undefined.

    Raises:
        ValueError: If the seeds' cases differ.

    Example:
        >>> average_repeats([{"a": 0.5, "b": 1.0}, {"a": 0.75, "b": 0.5}])
        {'a': 0.625, 'b': 0.75}
    """
    if not repeats:
        return {}
    names = list(repeats[0])
    for repeat in repeats[1:]:
        if set(repeat) != set(names):
            odd = ", ".join(sorted(set(repeat) ^ set(names))[:3])
            raise ValueError(f"repeats = {len(repeats)}: not all have the cases {odd}; evaluate the same cases")
    return {name: float(np.mean([repeat[name] for repeat in repeats])) for name in names}


def between_repeats(repeats: Sequence[Mapping[str, float]]) -> float:
    """SD over seeds of the mean over cases: how much a result moves when only the seed changes.

    Args:
        repeats: One mapping a seed, case to value.

    Returns:
        NaN for fewer than two seeds; cases undefined in any seed are left out of every seed's mean.
    """
    kept = [name for name, value in average_repeats(repeats).items() if not math.isnan(value)]
    if not kept:
        return math.nan
    return sd([float(np.mean([repeat[name] for name in kept])) for repeat in repeats])


def average_patients(values: Mapping[str, float], patients: Mapping[str, str]) -> dict[str, float]:
    """Each patient's mean over their cases, so that a patient scanned thrice counts once.

    Args:
        values: Case to value.
        patients: Case to patient; a case it does not name is a patient of its own.

    Returns:
        Patient to mean over the cases where the value is defined (NaN if there is none), in order of first appearance.

    Example:
        >>> average_patients({"volume-0": 0.5, "volume-1": 0.75, "volume-2": 1.0}, {"volume-0": "A", "volume-1": "A"})
        {'A': 0.625, 'volume-2': 1.0}
    """
    gathered: dict[str, list[float]] = {}
    for case, value in values.items():
        gathered.setdefault(patients.get(case, case), []).append(value)
    known = {patient: [v for v in found if not math.isnan(v)] for patient, found in gathered.items()}
    return {patient: float(np.mean(found)) if found else math.nan for patient, found in known.items()}


@dataclass(frozen=True)
class FoldSummary:
    """A cross-validation, in the two ways that must not be mixed up.

    Attributes:
        means: Mean over cases of each fold; NaN where the fold has no defined case.
        mean: Mean of the folds' means.
        sd: SD of the folds' means (ddof 1): small, since each averages many cases; no SD over cases.
        pooled: All folds' cases together, each counting once: mean and SD per case.
    """

    means: tuple[float, ...]
    mean: float
    sd: float
    pooled: Summary


def summarize_folds(metric: str, folds: Sequence[Mapping[str, float]], *, seed: int = 0) -> FoldSummary:
    """Summarise folds of disjoint test cases.

    Args:
        metric: What the values are.
        folds: Case to value, a mapping a fold.
        seed: Of the pooled mean's bootstrap interval.

    Returns:
        Fold means, and the pooled cases.

    Raises:
        ValueError: If a case stands in two folds.

    Example:
        >>> s = summarize_folds("tumor_dice", [{"a": 0.5, "b": 0.75}, {"c": 1.0}])
        >>> s.means, s.mean, s.pooled.mean
        ((0.625, 1.0), 0.8125, 0.75)
    """
    names = [name for fold in folds for name in fold]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"cases {', '.join(twice[:3])} are tested in two folds; folds must be disjoint")
    known = [[value for value in fold.values() if not math.isnan(value)] for fold in folds]
    means = [float(np.mean(values)) if values else math.nan for values in known]
    pooled = summarize(metric, [value for fold in folds for value in fold.values()], seed=seed)
    return FoldSummary(tuple(means), float(np.mean(means)) if means else math.nan, sd(means), pooled)
