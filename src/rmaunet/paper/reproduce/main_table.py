"""The table itself: our mean and SD beside the paper's, which always says "as reported"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rmaunet.metrics.result_tables import number
from rmaunet.paper.reported import ReportedValue
from rmaunet.paper.reproduce.plan import Plan
from rmaunet.paper.reproduce.table_rows import Cell, RowResult

__all__ = ["MEASURES", "ORGANS", "main_csv", "main_text", "plus_minus", "title"]

ORGANS = ("liver", "tumor")
MEASURES = {"dice": "DSC", "voe": "VOE", "rvd": "RVD"}
"""The paper's three, and how it calls them."""


def title(result: RowResult) -> str:
    """How a row is called; † marks one whose training saw test patients."""
    return f"{result.row.title} †" if result.leaked else result.row.title


def plus_minus(mean: float, sd: float) -> str:
    """Mean with four digits, SD with three, as the paper prints them; a dash where nothing was measured.

    Example:
        >>> plus_minus(0.95521, 0.0123), plus_minus(0.5, float("nan")), plus_minus(float("nan"), float("nan"))
        ('0.9552 ± 0.012', '0.5000', '–')
    """
    if math.isnan(mean):
        return "–"
    return number(mean) if math.isnan(sd) else f"{number(mean)} ± {number(sd, 3)}"


def _reported(result: RowResult, organ: str, measure: str) -> ReportedValue | None:
    value: ReportedValue | None = getattr(result.row.reported, f"{organ}_{measure}")
    return value


def main_csv(plan: Plan, results: Sequence[RowResult]) -> list[dict[str, Any]]:
    """One line a row, organ and measure, every number in full.

    Args:
        plan: The table.
        results: Its rows.

    Returns:
        Lines for :func:`rmaunet.core.files.write_csv`; columns that begin with ``as_reported`` are the paper's.
    """
    lines = []
    for result in results:
        for organ in ORGANS:
            for measure in MEASURES:
                cell, reported = result.cell(f"{organ}_{measure}"), _reported(result, organ, measure)
                line = {
                    "table": plan.name,
                    "row": result.row.title,
                    "experiment": result.row.experiment.name,
                    "organ": organ,
                    "measure": measure,
                    **_numbers(cell),
                    "seeds": result.seeds,
                    "leaked_cases": len(result.leaked),
                    "as_reported_mean": reported.mean if reported else math.nan,
                    "as_reported_sd": reported.sd if reported and reported.sd is not None else math.nan,
                }
                lines.append(line)
    return lines


def _numbers(cell: Cell) -> dict[str, Any]:
    s = cell.summary
    return {
        "mean": s.mean, "sd": s.sd, "low": s.low, "high": s.high, "median": s.median, "n": s.n,
        "n_undefined": s.n_undefined, "sd_between_seeds": cell.seed_sd, "sd_of_fold_means": cell.fold_sd,
    }  # fmt: skip


def main_text(plan: Plan, results: Sequence[RowResult], organ: str) -> list[list[str]]:
    """The table of one organ as cells of text, the header first.

    Args:
        plan: The table.
        results: Its rows.
        organ: "liver" or "tumor".

    Returns:
        Rows for :func:`rmaunet.metrics.markdown_table` and :func:`rmaunet.metrics.latex_table`.
    """
    several = max((result.seeds for result in results), default=0) > 1
    folds = plan.folds is not None
    header = [organ.capitalize()]
    for name in MEASURES.values():
        header += [name, f"{name} as reported"]
    header += ["cases", "seeds"]
    header += ["DSC: SD between seeds"] if several else []
    header += ["DSC: SD of fold means"] if folds else []
    rows = [header]
    for result in results:
        cells = {measure: result.cell(f"{organ}_{measure}") for measure in MEASURES}
        row = [title(result)]
        for measure, cell in cells.items():
            reported = _reported(result, organ, measure)
            shown = plus_minus(cell.summary.mean, cell.summary.sd) if result.seeds else "not trained"
            undefined = (
                f" ({cell.summary.n_undefined} undefined)" if cell.summary.n and cell.summary.n_undefined else ""
            )
            row += [shown + undefined, str(reported) if reported else "–"]
        summary = cells["dice"].summary
        row += [str(summary.n + summary.n_undefined), str(result.seeds)]
        row += [number(cells["dice"].seed_sd)] if several else []
        row += [number(cells["dice"].fold_sd)] if folds else []
        rows.append(row)
    return rows
