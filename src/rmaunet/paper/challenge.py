"""The LiTS challenge's figures, and tumor DSC by size: what the paper's three measures leave out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rmaunet.metrics import CaseResult, stratify
from rmaunet.metrics.case_summary import Cohort, summarize_cohort
from rmaunet.metrics.result_tables import number
from rmaunet.paper.reproduce.main_table import plus_minus, title
from rmaunet.paper.reproduce.plan import Plan
from rmaunet.paper.reproduce.table_rows import RowResult

__all__ = ["CHALLENGE", "challenge_csv", "challenge_text", "size_csv", "size_text"]

CHALLENGE = {
    "liver_dice": "Liver dice per case",
    "liver_dice_global": "Liver dice global",
    "liver_assd_mm": "Liver ASD, mm",
    "liver_rmsd_mm": "Liver RMSD, mm",
    "liver_msd_mm": "Liver MSD, mm",
    "liver_hd95_pooled_mm": "Liver HD95 (pooled), mm",
    "liver_surface_dice": "Liver surface dice at 2 mm",
    "tumor_dice": "Tumor dice per case",
    "tumor_dice_global": "Tumor dice global",
    "tumor_assd_mm": "Tumor ASD, mm",
    "tumor_rmsd_mm": "Tumor RMSD, mm",
    "tumor_msd_mm": "Tumor MSD, mm",
    "tumor_hd95_pooled_mm": "Tumor HD95 (pooled), mm",
    "tumor_surface_dice": "Tumor surface dice at 2 mm",
    "lesion_precision": "Lesion precision, IoU > 0.5",
    "lesion_recall": "Lesion recall, IoU > 0.5",
    "lesion_precision_touched": "Lesion precision, IoU > 0",
    "lesion_recall_touched": "Lesion recall, IoU > 0",
    "lesion_recall_under_10mm": "Lesion recall, < 10 mm",
    "lesion_recall_10_to_20mm": "Lesion recall, 10 to 20 mm",
    "lesion_recall_over_20mm": "Lesion recall, > 20 mm",
    "tumor_burden_rmse": "Tumor burden RMSE",
    "tumor_burden_max": "Tumor burden, largest reference - prediction",
}
"""Figures and their names; distances are per case over the cases where both masks hold the organ."""


def _figures(results: Sequence[CaseResult]) -> dict[str, tuple[float, int]]:
    """Value of each figure of one seed, and the cases or lesions it is over."""
    cohort: Cohort = summarize_cohort(results, resamples=1)
    per_case = {summary.metric: (summary.mean, summary.n) for summary in cohort.summaries}
    of = {"precision": "lesions_prediction", "recall": "lesions_reference"}
    found = {}
    for name in CHALLENGE:
        if name in per_case:
            found[name] = per_case[name]
        elif name in cohort.pooled:
            kind = name.split("_")[1] if name.startswith("lesion_") else ""
            size = name.removeprefix("lesion_recall_")
            whole = f"lesions_{size}" if f"lesions_{size}" in cohort.pooled else of.get(kind)
            found[name] = (cohort.pooled[name], int(cohort.pooled[whole]) if whole else cohort.cases)
    return found


def challenge_csv(plan: Plan, results: Sequence[RowResult]) -> list[dict[str, Any]]:
    """One line a row and figure: the mean over seeds of each seed's figure.

    Args:
        plan: The table.
        results: Its rows; those not trained are left out.

    Returns:
        Lines with ``value``, ``n`` (cases or lesions it is over, of the first seed) and ``seeds``.
    """
    lines = []
    for result in results:
        seeds = [_figures([r for scored in tests for r in scored.results]) for tests in result.by_seed.values()]
        for name in seeds[0] if seeds else ():
            values = [figures[name][0] for figures in seeds]
            lines.append(
                {
                    "table": plan.name,
                    "row": result.row.title,
                    "figure": name,
                    "value": float(np.mean(values)),
                    "n": seeds[0][name][1],
                    "seeds": result.seeds,
                }
            )
    return lines


def challenge_text(results: Sequence[RowResult], lines: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The figures as cells of text: one row a figure, one column a network."""
    shown = [result for result in results if result.seeds]
    names = [name for name in CHALLENGE if any(line["figure"] == name for line in lines)]
    table = [["LiTS challenge and beyond", *(title(result) for result in shown)]]
    for name in names:
        digits = 2 if name.endswith("_mm") else 4
        values = {line["row"]: line["value"] for line in lines if line["figure"] == name}
        table.append([CHALLENGE[name], *(number(values.get(result.row.title, math.nan), digits) for result in shown)])
    return table


def size_csv(plan: Plan, results: Sequence[RowResult]) -> list[dict[str, Any]]:
    """Tumor DSC by the case's tumor volume, one line a row and class."""
    lines = []
    for result in results:
        volumes = {name: case.tumor_reference_ml for name, case in result.cases.items()}
        for stratum in stratify(result.values("tumor_dice"), volumes):
            s = stratum.summary
            lines.append(
                {
                    "table": plan.name,
                    "row": result.row.title,
                    "above_ml": stratum.low_ml,
                    "up_to_ml": stratum.high_ml,
                    "words": stratum.words,
                    "n": s.n,
                    "mean": s.mean,
                    "sd": s.sd,
                    "low": s.low,
                    "high": s.high,
                    "cases": " ".join(stratum.cases),
                }
            )
    return lines


def size_text(results: Sequence[RowResult], lines: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The same as cells of text: one row a network, one column a class."""
    shown = [result for result in results if result.seeds]
    classes = list(dict.fromkeys(line["words"] for line in lines))
    counts = {line["words"]: line["n"] for line in lines if shown and line["row"] == shown[0].row.title}
    table = [["Tumor DSC by tumor volume", *(f"{words} (n = {counts.get(words, 0)})" for words in classes)]]
    for result in shown:
        mine = {
            line["words"]: plus_minus(line["mean"], line["sd"]) for line in lines if line["row"] == result.row.title
        }
        table.append([title(result), *(mine[words] for words in classes)])
    return table
