"""Is the difference between two rows one? Paired tests on cases, beside the p-values the paper reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rmaunet.metrics import Comparison, average_patients, compare
from rmaunet.metrics.paired_tests import holm_corrected
from rmaunet.metrics.result_tables import number
from rmaunet.paper.plausibility import smallest_paired_p
from rmaunet.paper.reported import IRCADB_CASES, LITS_TEST_CASES, TABLES, ReportedRow, ReportedTable
from rmaunet.paper.reproduce.main_table import ORGANS, title
from rmaunet.paper.reproduce.plan import Plan
from rmaunet.paper.reproduce.table_rows import RowResult

__all__ = ["Difference", "difference_csv", "difference_text", "differences"]

TESTS_OF = {7: "table9", 8: "table10", 9: "table9", 10: "table10"}
"""The tables of p-values that belong to each table of means."""

ROUNDING = 0.0005
"""Half a unit of the SDs' last printed digit."""


@dataclass(frozen=True)
class Difference:
    """Two rows compared on the DSC of one organ.

    Attributes:
        organ: "liver" or "tumor".
        first: The row; for most tables the last one, the paper's own network.
        second: What it is compared with.
        comparison: Paired statistics of first - second, p-values corrected by Holm over the second rows of this organ.
        reported_p: The p-value the paper prints; None where it prints none.
        smallest_reported_p: The smallest that a paired t-test on its cases can give for its printed means and SDs.
    """

    organ: str
    first: RowResult
    second: RowResult
    comparison: Comparison
    reported_p: float | None
    smallest_reported_p: float


def differences(
    plan: Plan, results: Sequence[RowResult], patients: Mapping[str, str] | None = None
) -> list[Difference]:
    """Compare the last row with every other, and in Tables 1 and 2 the two rows of U-Net as well.

    Args:
        plan: The table; Table 11, one network's folds, has nothing to compare.
        results: Its rows; those not trained are left out.
        patients: Case to patient: cases of one patient are averaged first. By default each case is a patient.

    Returns:
        Both organs' comparisons; pairs are cases (or patients), never slices, seeds or folds.
    """
    if plan.reported.number == 11:
        return []
    pairs = [(results[-1], other) for other in results[:-1]]
    if plan.reported.number in (1, 2):
        pairs.append((results[1], results[0]))
    pairs = [(one, other) for one, other in pairs if one.seeds and other.seeds]
    found = []
    for organ in ORGANS:
        compared = [_compared(one, other, f"{organ}_dice", patients) for one, other in pairs]
        for (one, other), corrected in zip(pairs, holm_corrected(compared), strict=True):
            p, floor = _reported(plan.reported, one.row.reported, other.row.reported, organ)
            found.append(Difference(organ, one, other, corrected, p, floor))
    return found


def _compared(one: RowResult, other: RowResult, metric: str, patients: Mapping[str, str] | None) -> Comparison:
    first, second = (average_patients(result.values(metric), patients or {}) for result in (one, other))
    return compare([first[name] for name in first], [second[name] for name in first])


def _reported(table: ReportedTable, one: ReportedRow, other: ReportedRow, organ: str) -> tuple[float | None, float]:
    name = TESTS_OF.get(table.number)
    tests = TABLES[name].rows if name else ()
    p = next((getattr(r, f"{organ}_p") for r in tests if r.network == other.network), None)
    a, b = getattr(one, f"{organ}_dice"), getattr(other, f"{organ}_dice")
    if a.sd is None or b.sd is None or p is None:
        return p, math.nan
    cases = LITS_TEST_CASES if table.data == "lits" else IRCADB_CASES
    return p, smallest_paired_p(a.mean, a.sd, b.mean, b.sd, cases, rounding=ROUNDING)


def difference_csv(plan: Plan, found: Sequence[Difference]) -> list[dict[str, Any]]:
    """One line a comparison, every number in full."""
    return [
        {
            "table": plan.name,
            "organ": one.organ,
            "first": one.first.row.title,
            "second": one.second.row.title,
            **asdict(one.comparison),
            "seeds_first": one.first.seeds,
            "seeds_second": one.second.seeds,
            "as_reported_p": math.nan if one.reported_p is None else one.reported_p,
            "smallest_p_of_reported_numbers": one.smallest_reported_p,
        }
        for one in found
    ]


def difference_text(found: Sequence[Difference], organ: str) -> list[list[str]]:
    """The comparisons of one organ as cells of text, the header first.

    Args:
        found: From :func:`differences`.
        organ: "liver" or "tumor".

    Returns:
        Rows of text; the paper's columns come only where it prints p-values.
    """
    chosen = [one for one in found if one.organ == organ]
    printed = any(one.reported_p is not None for one in chosen)
    header = [
        f"{organ.capitalize()} DSC, first - second", "difference", "95 % CI", "p, t-test", "Holm", "p, Wilcoxon", "Holm",
        "smallest p possible", "effect size", "wins/ties/losses", "pairs",
    ]  # fmt: skip
    header += ["p as reported", "smallest p its numbers allow"] if printed else []
    rows = [header]
    for one in chosen:
        c = one.comparison
        row = [
            f"{title(one.first)} - {title(one.second)}",
            _signed(c.mean_difference),
            "–" if math.isnan(c.low) else f"{_signed(c.low)} to {_signed(c.high)}",
            *(_p(p) for p in (c.p_t, c.p_t_holm, c.p_wilcoxon, c.p_wilcoxon_holm, c.smallest_p_wilcoxon)),
            number(c.effect_size, 2),
            f"{c.wins}/{c.ties}/{c.losses}",
            str(c.n),
        ]
        row += [_p(math.nan if one.reported_p is None else one.reported_p), _p(one.smallest_reported_p)] * printed
        rows.append(row)
    return rows


def _p(p: float) -> str:
    return "–" if math.isnan(p) else f"{p:.2g}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:+.4f}"
