"""Tables of results as Markdown and LaTeX text (CSV is :func:`rmaunet.core.files.write_csv`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rmaunet.metrics.case_summary import Cohort, Summary

__all__ = ["LABELS", "cohort_rows", "latex_table", "markdown_table", "number", "pooled_rows"]

LABELS = {
    "dice": "DSC",
    "voe": "VOE",
    "rvd": "RVD, (prediction - reference) / reference",
    "rvd_lits": "RVD as in LiTS, (reference - prediction) / prediction",
    "assd_mm": "ASSD, mm",
    "rmsd_mm": "RMSD, mm",
    "msd_mm": "MSD (Hausdorff), mm",
    "hd95_pooled_mm": "HD95 pooled, mm",
    "hd95_larger_mm": "HD95 larger of both directions, mm",
    "surface_dice": "Surface DSC",
    "dice_lowest_tenth": "DSC, lowest tenth of its slices",
    "dice_highest_tenth": "DSC, highest tenth of its slices",
}
HEADERS = ("per case", "mean", "SD", "median", "min", "max", "95 % CI of mean", "n", "undefined")
LATEX = {
    "%": r"\%", "_": r"\_", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}", "<": r"$<$", ">": r"$>$",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
}  # fmt: skip


def number(value: float, digits: int = 4) -> str:
    """A number for a table; a dash where it is undefined.

    Example:
        >>> number(0.95523), number(math.nan), number(-0.00001)
        ('0.9552', '–', '0.0000')
    """
    if math.isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text


def cohort_rows(cohort: Cohort) -> list[list[str]]:
    """The per-case summaries as table rows under :data:`HEADERS`, headers first; jaccard, which is 1 - VOE, is left out.

    Args:
        cohort: From :func:`rmaunet.metrics.summarize_cohort`.

    Returns:
        Rows of text; millimetres with two digits, fractions with four.
    """
    return [list(HEADERS)] + [_row(summary) for summary in cohort.summaries if not summary.metric.endswith("jaccard")]


def _row(summary: Summary) -> list[str]:
    organ, _, metric = summary.metric.partition("_")
    label = f"{organ} {LABELS[metric]}" if organ != "lesions" else "DSC by reference lesion, missed = 0"
    digits = 2 if metric.endswith("_mm") else 4
    shown = [number(v, digits) for v in (summary.mean, summary.sd, summary.median, summary.minimum, summary.maximum)]
    interval = "–" if math.isnan(summary.low) else f"{number(summary.low, digits)} to {number(summary.high, digits)}"
    return [label[0].upper() + label[1:], *shown, interval, str(summary.n), str(summary.n_undefined)]


def pooled_rows(cohort: Cohort) -> list[list[str]]:
    """The figures pooled over the data set as table rows, headers first; counts stand beside what they are shares of."""
    pooled = cohort.pooled
    hits = {"> 0.5": ("", "lesions_detected"), "> 0": ("_touched", "lesions_touched")}
    rows = [["over the data set", "value", "of"]]
    for organ in ("liver", "tumor"):
        rows.append(
            [f"{organ.capitalize()} DSC, global", number(pooled[f"{organ}_dice_global"]), f"{cohort.cases} cases"]
        )
    for threshold, (suffix, field) in hits.items():
        found = f"{pooled[field]:.0f} / "
        for name, whole in (("precision", "prediction"), ("recall", "reference")):
            share = number(pooled[f"lesion_{name}{suffix}"])
            rows.append([f"Lesion {name} at IoU {threshold}", share, f"{found}{pooled[f'lesions_{whole}']:.0f}"])
    for size, words in (("under_10mm", "< 10 mm"), ("10_to_20mm", "10 to 20 mm"), ("over_20mm", "> 20 mm")):
        share = number(pooled[f"lesion_recall_{size}"])
        rows.append([f"Lesions of {words} found (IoU > 0.5)", share, f"{pooled[f'lesions_{size}']:.0f}"])
    count = f"{pooled['tumor_burden_n']:.0f} cases"
    rows.append(["Tumor burden, RMSE", number(pooled["tumor_burden_rmse"]), count])
    rows.append(["Tumor burden, largest reference - prediction", number(pooled["tumor_burden_max"]), count])
    return rows


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    r"""A Markdown table, columns padded so that it reads well as plain text too.

    Args:
        rows: Text cells, the header first; all rows of one length.

    Returns:
        Lines with a line feed at the end of each.

    Example:
        >>> print(markdown_table([["case", "DSC"], ["a|b", "0.9"]]), end="")
        | case | DSC |
        |:-----|----:|
        | a\|b | 0.9 |
    """
    cells = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(cells[0]))]

    def line(row: Sequence[str]) -> str:
        first, *rest = zip(row, widths, strict=True)
        padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        return "| " + " | ".join(padded) + " |\n"

    rule = "|:" + "-" * (widths[0] + 1) + "|" + "".join("-" * (width + 1) + ":|" for width in widths[1:]) + "\n"
    return line(cells[0]) + rule + "".join(line(row) for row in cells[1:])


def latex_table(rows: Sequence[Sequence[str]], *, caption: str = "") -> str:
    """A LaTeX table (booktabs).

    Args:
        rows: Plain text cells, the header first; special characters are escaped here.
        caption: Plain text; none by default.

    Returns:
        A ``table`` environment.
    """
    lines = [r"\begin{table}", r"\centering"]
    if caption:
        lines.append(rf"\caption{{{_latex(caption)}}}")
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(rows[0]) - 1)}}}", r"\toprule"]
    for index, row in enumerate(rows):
        lines.append(" & ".join(_latex(cell) for cell in row) + r" \\")
        if index == 0:
            lines.append(r"\midrule")
    lines += [r"\bottomrule", r"\end{tabular}", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text).replace("–", "--")
