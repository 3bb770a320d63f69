"""Results on disk: one row a case, one a lesion, the summary, and the table in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rmaunet.evaluate.case import CaseResult
from rmaunet.evaluate.cohort import Cohort, summarize, summarize_cohort
from rmaunet.evaluate.slices import SliceResult
from rmaunet.evaluate.tables import cohort_rows, latex_table, markdown_table, pooled_rows
from rmaunet.files import write_csv, write_json, write_text

__all__ = ["table_text", "write_results"]

CONVENTION_NOTES = {
    "paper": "Both masks empty: DSC 1, VOE 0; RVD and distances undefined.",
    "nnunet": "Both masks empty: every metric undefined.",
    "lits": "Both masks empty: DSC 1; exactly one empty: RVD as in LiTS and distances 9001.",
}


def table_text(cohort: Cohort, results: Sequence[CaseResult]) -> str:
    """The tables with what must be known to read them, as Markdown.

    Args:
        cohort: Summary of ``results``.
        results: The cases.

    Returns:
        Text that ends with a line feed.
    """
    return f"{markdown_table(cohort_rows(cohort))}\n{markdown_table(pooled_rows(cohort))}\n{_notes(results)}\n"


def _notes(results: Sequence[CaseResult]) -> str:
    notes = ["Per case: each case counts once. SD with n - 1; 95 % CI by bootstrap over cases. Liver includes tumor."]
    if results:
        notes.append(CONVENTION_NOTES[results[0].convention])
        if (tolerance := results[0].surface_tolerance_mm) is not None:
            notes.append(f"Surface DSC at {tolerance:g} mm.")
        if any(result.slices_scored != result.slices for result in results):
            notes.append("Only slices on which the reference has liver were scored.")
    return " ".join(notes)


def _slice_means(slices: Sequence[SliceResult]) -> dict[str, dict[str, float]]:
    """Mean over slices; without SD or interval, since the slices of a patient are not independent."""
    means = {}
    for metric in ("liver_dice", "liver_voe", "liver_rvd", "tumor_dice", "tumor_voe", "tumor_rvd"):
        summary = summarize(metric, [getattr(result, metric) for result in slices], resamples=1)
        means[metric] = {"n": summary.n, "n_undefined": summary.n_undefined, "mean": summary.mean}
    return means


def write_results(
    folder: Path, results: Sequence[CaseResult], *, slices: Sequence[SliceResult] = (), seed: int = 0
) -> Cohort:
    """Write ``cases.csv``, ``lesions.csv``, ``summary.json``, ``table.md`` and ``table.tex``.

    Args:
        folder: Where; created if need be, files of those names are replaced.
        results: One a case.
        slices: If any, ``slices.csv`` is written too.
        seed: Of the bootstrap intervals.

    Returns:
        The summary.

    Raises:
        OutputError: If the folder cannot be written.
    """
    cohort = summarize_cohort(results, seed=seed)
    write_csv(folder / "cases.csv", [result.row() for result in results])
    lesions = [{"name": result.name, **asdict(lesion)} for result in results for lesion in result.lesions]
    columns = ("name", "side", "number", "group", "voxels", "volume_ml", "diameter_mm", "iou", "dice")
    write_csv(folder / "lesions.csv", lesions, columns)
    if slices:
        write_csv(folder / "slices.csv", [result.row() for result in slices])
    else:
        (folder / "slices.csv").unlink(missing_ok=True)  # of an earlier run into the same folder
    write_json(
        folder / "summary.json", {**cohort.as_json(), "per_slice": _slice_means(slices)} if slices else cohort.as_json()
    )
    write_text(folder / "table.md", table_text(cohort, results))
    write_text(folder / "table.tex", latex_table(cohort_rows(cohort), caption=_notes(results)))
    return cohort
