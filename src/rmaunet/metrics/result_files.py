"""Results on disk: one row a case, one a lesion, the summary, and the table in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rmaunet.core.files import write_csv, write_json, write_text
from rmaunet.metrics.case_metrics import CaseResult
from rmaunet.metrics.case_summary import Cohort, summarize, summarize_cohort
from rmaunet.metrics.result_tables import cohort_rows, latex_table, markdown_table, pooled_rows
from rmaunet.metrics.slice_metrics import SliceResult

__all__ = ["table_text", "write_results"]

CONVENTION_NOTES = {
    "paper": "Both masks empty: DSC 1, VOE 0; RVD and distances undefined.",
    "nnunet": "Both masks empty: every metric undefined.",
    "lits": "Both masks empty: DSC 1; exactly one empty: RVD as in LiTS and distances 9001.",
}


def table_text(cohort: Cohort, results: Sequence[CaseResult], *, notes: Sequence[str] = ()) -> str:
    """The tables with what must be known to read them, as Markdown.

    Args:
        cohort: Summary of ``results``.
        results: The cases.
        notes: More sentences to stand below them.

    Returns:
        Text that ends with a line feed.
    """
    return f"{markdown_table(cohort_rows(cohort))}\n{markdown_table(pooled_rows(cohort))}\n{_notes(results, notes)}\n"


def _notes(results: Sequence[CaseResult], more: Sequence[str]) -> str:
    notes = ["Per case: each case counts once. SD with n - 1; 95 % CI by bootstrap over cases. Liver includes tumor."]
    if results:
        notes.append(CONVENTION_NOTES[results[0].convention])
        if (tolerance := results[0].surface_tolerance_mm) is not None:
            notes.append(f"Surface DSC at {tolerance:g} mm.")
        if any(result.slices_scored != result.slices for result in results):
            notes.append("Only slices on which the reference has liver were scored.")
    return " ".join([*notes, *more])


def _slice_means(slices: Sequence[SliceResult]) -> dict[str, dict[str, float]]:
    """Mean over slices; without SD or interval, since the slices of a patient are not independent."""
    means = {}
    for metric in ("liver_dice", "liver_voe", "liver_rvd", "tumor_dice", "tumor_voe", "tumor_rvd"):
        summary = summarize(metric, [getattr(result, metric) for result in slices], resamples=1)
        means[metric] = {"n": summary.n, "n_undefined": summary.n_undefined, "mean": summary.mean}
    return means


def write_results(
    folder: Path,
    results: Sequence[CaseResult],
    *,
    slices: Sequence[SliceResult] = (),
    seen: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    seed: int = 0,
) -> Cohort:
    """Write ``cases.csv``, ``lesions.csv``, ``summary.json``, ``table.md`` and ``table.tex``.

    Args:
        folder: Where; created if need be, files of those names are replaced.
        results: One a case.
        slices: If any, ``slices.csv`` is written too.
        seen: What is known of each case's being trained on, for the column ``seen_in_training``; None leaves it out.
        notes: Sentences to stand below the tables.
        seed: Of the bootstrap intervals.

    Returns:
        The summary.

    Raises:
        OutputError: If the folder cannot be written.
    """
    cohort = summarize_cohort(results, seed=seed)
    marks = [{} if seen is None else {"seen_in_training": seen.get(result.name, "unknown")} for result in results]
    write_csv(folder / "cases.csv", [{**result.row(), **mark} for result, mark in zip(results, marks, strict=True)])
    lesions = [{"name": result.name, **asdict(lesion)} for result in results for lesion in result.lesions]
    columns = ("name", "side", "number", "group", "voxels", "volume_ml", "diameter_mm", "iou", "dice")
    write_csv(folder / "lesions.csv", lesions, columns)
    if slices:
        write_csv(folder / "slices.csv", [result.row() for result in slices])
    else:
        (folder / "slices.csv").unlink(missing_ok=True)  # of an earlier run into the same folder
    more: dict[str, Any] = {"per_slice": _slice_means(slices)} if slices else {}
    more |= {"seen_in_training": dict(seen)} if seen is not None else {}
    write_json(folder / "summary.json", {**cohort.as_json(), **more})
    write_text(folder / "table.md", table_text(cohort, results, notes=notes))
    write_text(folder / "table.tex", latex_table(cohort_rows(cohort), caption=_notes(results, notes)))
    return cohort
