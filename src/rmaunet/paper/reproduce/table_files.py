"""A table on disk: CSV for machines, Markdown and LaTeX for readers, a manifest of what it was made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rmaunet.core.files import read_json, sha256, write_csv, write_json, write_text
from rmaunet.core.machine import machine
from rmaunet.core.settings import to_dict
from rmaunet.metrics.result_tables import latex_table, markdown_table
from rmaunet.paper.challenge import challenge_csv, challenge_text, size_csv, size_text
from rmaunet.paper.reported import IRCADB_CASES, LITS_TEST_CASES
from rmaunet.paper.reproduce.main_table import ORGANS, main_csv, main_text
from rmaunet.paper.reproduce.network_differences import difference_csv, difference_text, differences
from rmaunet.paper.reproduce.plan import TITLES, Plan
from rmaunet.paper.reproduce.request import Request
from rmaunet.paper.reproduce.scoring import SCORING, Scored
from rmaunet.paper.reproduce.table_rows import RowResult, row_results

__all__ = ["inputs", "is_current", "table_files", "write_table"]

PAPER = "Jiang et al., Computers in Biology and Medicine 158, 106838 (2023)"
SUFFIXES = (".csv", "_differences.csv", "_challenge.csv", "_sizes.csv", "_cases.csv", ".md", ".tex")


def _stem(plan: Plan, request: Request) -> str:
    return f"{plan.file_name}_liver-slices" if request.paper_slices else plan.file_name


def table_files(plan: Plan, request: Request) -> list[Path]:
    """The files of a table, its manifest last."""
    folder, stem = request.out / "tables", _stem(plan, request)
    return [*(folder / f"{stem}{suffix}" for suffix in SUFFIXES), folder / f"{stem}.json"]


def inputs(plan: Plan, request: Request, scored: Sequence[Scored]) -> dict[str, Any]:
    """What a table is made from, as JSON values: equal inputs give equal tables."""
    return {
        "table": plan.name,
        "scale": request.scale,
        "protocol": plan.protocol,
        "folds": plan.folds,
        "seeds": request.seeds,
        "slices": "liver" if request.paper_slices else "all",
        "patients": dict(request.patients or {}),
        "scoring": {**asdict(SCORING), "surface": request.surface},
        "runs": [
            {
                "experiment": to_dict(one.run.experiment),
                "fold": one.run.fold,
                "folder": one.run.folder.relative_to(request.out).as_posix(),
                "trained_on": list(one.run.train),
                "leaked": list(one.run.leaked),
                "weights": one.weights,
                "cases": {name: dict(source) for name, source in one.sources.items()},
            }
            for one in scored
        ],
    }


def is_current(plan: Plan, request: Request, made_from: dict[str, Any]) -> bool:
    """Whether the table is there, unchanged, and made from the same."""
    *files, manifest = table_files(plan, request)
    try:
        content = read_json(manifest)
        same = content["inputs"] == json.loads(json.dumps(made_from))
        return bool(same and all(sha256(file) == content["outputs"][file.name] for file in files))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_table(plan: Plan, request: Request, scored: Sequence[Scored], notices: Sequence[str]) -> list[Path]:
    """Write a table's files.

    Args:
        plan: The table.
        request: What was asked for.
        scored: Tests of its runs.
        notices: Warnings on the way.

    Returns:
        The files, the manifest last.

    Raises:
        OutputError: If they cannot be written.
    """
    results = row_results(plan, scored)
    csv, diff, challenge, sizes, cases, markdown, tex, manifest = table_files(plan, request)
    found = differences(plan, results, request.patients)
    figures, classes = challenge_csv(plan, results), size_csv(plan, results)
    write_csv(csv, main_csv(plan, results))
    write_csv(diff, difference_csv(plan, found), None if found else ("table",))
    write_csv(challenge, figures, None if figures else ("table",))
    write_csv(sizes, classes, None if classes else ("table",))
    write_csv(cases, _case_lines(plan, scored), None if scored else ("table",))
    tables = [main_text(plan, results, organ) for organ in ORGANS]
    tables += [text for organ in ORGANS if len(text := difference_text(found, organ)) > 1]
    tables += [challenge_text(results, figures), size_text(results, classes)] if figures else []
    caption, notes = _caption(plan), _notes(plan, request, results)
    body = "\n".join(markdown_table(table) for table in tables)
    lines = "\n".join(f"- {note}" for note in notes)
    write_text(markdown, f"# {caption}\n\n{body}\n{lines}\n")
    write_text(tex, "\n".join(latex_table(t, caption=f"{caption}. {' '.join(notes)}" if not i else caption)
                              for i, t in enumerate(tables)))  # fmt: skip
    files = [csv, diff, challenge, sizes, cases, markdown, tex]
    content = {
        "inputs": inputs(plan, request, scored),
        "outputs": {file.name: sha256(file) for file in files},
        "notes": notes,
        "notices": [_nameless(line, request) for line in notices],
        "machine": machine(),
    }
    write_json(manifest, content)
    return [*files, manifest]


def _nameless(line: str, request: Request) -> str:
    """A notice without the folders on this machine, which may name people."""
    for folder in (*request.roots, request.out):
        line = line.replace(f"{folder}/", "")
    return line


def _case_lines(plan: Plan, scored: Sequence[Scored]) -> list[dict[str, Any]]:
    return [
        {
            "table": plan.name,
            "experiment": one.run.experiment.name,
            "seed": one.run.experiment.seed,
            "fold": "" if one.run.fold is None else one.run.fold + 1,
            "leaked": result.name in one.run.leaked,
            **result.row(),
        }
        for one in scored
        for result in one.results
    ]


def _caption(plan: Plan) -> str:
    title = plan.reported.title.replace(f", {LITS_TEST_CASES} test volumes", "")
    return f"Table {plan.reported.number}: {title}"


def _notes(plan: Plan, request: Request, results: Sequence[RowResult]) -> list[str]:
    """What must be known to read the table."""
    tested = len({name for result in results for name in result.cases})
    notes = [
        f'"As reported" is what {PAPER} prints in Table {plan.reported.number}; which SD, and over what, it does not say.',
        "Ours: mean ± SD over cases (n - 1), whole scans at native resolution; liver includes tumor; both masks empty: "
        "DSC 1, VOE 0, RVD undefined.",
        _protocol(plan, tested),
    ]
    if request.paper_slices:
        notes.append("Only slices on which the reference has liver were scored, which flatters.")
    if request.scale == "small":
        notes.append(
            "Small scale: 128 x 128, 800 steps, two to four million weights a network; not the paper's training."
        )
    if (counts := {result.seeds for result in results if result.seeds}) and counts != {1}:
        uneven = " (not the same number in every row)" if len(counts) > 1 else ""
        notes.append(f"Seeds{uneven}: a case's values are averaged over seeds before anything else.")
    if missing := [result.row.title for result in results if not result.seeds]:
        notes.append(f"Not trained: {', '.join(missing)}.")
    if plan.reported.number != 11:
        whom = "patients" if request.patients else "cases"
        notes.append(
            f"Differences: paired over {whom}; 95 % bootstrap interval; Holm over the comparisons of one organ; "
            "smallest p possible is Wilcoxon's with every difference of one sign."
        )
    return notes + _leaks(results)


def _protocol(plan: Plan, tested: int) -> str:
    data, whole = TITLES[plan.reported.data], LITS_TEST_CASES if plan.reported.data == "lits" else IRCADB_CASES
    if plan.folds is not None:
        return (
            f"{plan.folds} folds by patient of {data} ({tested} cases at hand); SD of fold means is no SD over cases."
        )
    trained = {"lits_paper": "LiTS 27-130", "lits_clean": "LiTS 27-130 without 28-47"}[plan.protocol]
    at_hand = len(plan.runs[0].train) if plan.runs else 0
    return f"Trained on {trained} ({at_hand} cases at hand), tested on {tested} of {whole} cases of {data}."


def _leaks(results: Sequence[RowResult]) -> list[str]:
    leaked = list(dict.fromkeys(name for result in results for name in result.leaked))
    if not leaked:
        return []
    shown = ", ".join(leaked[:5]) + (f" and {len(leaked) - 5} more" if len(leaked) > 5 else "")
    known = "LiTS 28-47 are 3D-IRCADb's patients 1-20; --protocol lits_clean leaves them out of training."
    note = (
        f"† {len(leaked)} test cases are of patients in the training set ({shown}): this is no test on unseen patients."
    )
    return [f"{note} {known}" if any(name.startswith("3Dircadb1.") for name in leaked) else note]
