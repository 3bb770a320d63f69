"""What a row of a table stands on: its trainings' numbers, seeds averaged case by case, folds joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rmaunet.metrics import CaseResult, Summary, average_repeats, between_repeats, summarize, summarize_folds
from rmaunet.paper.reproduce.plan import Plan
from rmaunet.paper.reproduce.scoring import Scored
from rmaunet.paper.table_experiments import Row

__all__ = ["Cell", "RowResult", "row_results"]


@dataclass(frozen=True)
class Cell:
    """One metric of one row.

    Attributes:
        summary: Over cases, a case's seeds averaged first.
        seed_sd: SD over seeds of the mean over cases; NaN for one seed.
        fold_means: Mean of each fold; empty without folds.
        fold_sd: SD of the fold means; NaN without folds.
    """

    summary: Summary
    seed_sd: float
    fold_means: tuple[float, ...]
    fold_sd: float


@dataclass(frozen=True)
class RowResult:
    """One row with what was measured for it.

    Attributes:
        row: The paper's row and our experiment.
        by_seed: Seed to the tests of all folds of that seed.
    """

    row: Row
    by_seed: Mapping[int, tuple[Scored, ...]]

    @property
    def seeds(self) -> int:
        """How many trainings stand behind each case."""
        return len(self.by_seed)

    @cached_property
    def leaked(self) -> tuple[str, ...]:
        """Test cases whose patient was trained on."""
        return tuple(dict.fromkeys(name for tests in self.by_seed.values() for s in tests for name in s.run.leaked))

    @cached_property
    def cases(self) -> dict[str, CaseResult]:
        """Case to the first seed's numbers, for what no network changes."""
        first = next(iter(self.by_seed.values()), ())
        return {result.name: result for scored in first for result in scored.results}

    def repeats(self, metric: str) -> list[dict[str, float]]:
        """Case to value, one mapping a seed."""
        return [
            {result.name: float(getattr(result, metric)) for scored in tests for result in scored.results}
            for tests in self.by_seed.values()
        ]

    def values(self, metric: str) -> dict[str, float]:
        """Case to value, a case's seeds averaged."""
        return average_repeats(self.repeats(metric))

    def cell(self, metric: str) -> Cell:
        """Summary of one metric."""
        values = self.values(metric)
        folds = self._folds(values)
        found = summarize_folds(metric, folds)
        return Cell(
            summary=summarize(metric, list(values.values())),
            seed_sd=between_repeats(self.repeats(metric)),
            fold_means=found.means if len(folds) > 1 else (),
            fold_sd=found.sd,
        )

    def _folds(self, values: Mapping[str, float]) -> list[dict[str, float]]:
        first = next(iter(self.by_seed.values()), ())
        return [{result.name: values[result.name] for result in scored.results} for scored in first]


def row_results(plan: Plan, scored: Sequence[Scored]) -> list[RowResult]:
    """Sort tests into the table's rows.

    Args:
        plan: The table.
        scored: Tests of the plan's runs; those of unfinished runs may be missing.

    Returns:
        One entry a row, in the plan's order; a seed counts only where all of its folds are there.
    """
    by_folder = {one.run.folder: one for one in scored}
    found = []
    for row in plan.rows:
        runs = plan.runs_of(row)
        by_seed = {}
        for seed in sorted({run.experiment.seed for run in runs}):
            tests = [by_folder.get(run.folder) for run in runs if run.experiment.seed == seed]
            complete = tuple(one for one in tests if one is not None)
            if len(complete) == len(tests):
                by_seed[seed] = complete
        found.append(RowResult(row, by_seed))
    return found
