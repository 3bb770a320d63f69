"""Write the tables of lab/logs/weights.md from lab/results/weights; `--check` compares.

`lab/scripts/score_candidates.py` writes NAME_cases.csv and NAME.json there. A table stands between `<!-- NAME -->` and
`<!-- end of NAME -->`.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

from rmaunet.metrics import Comparison, average_patients, compare, markdown_table, summarize

ROOT = Path(__file__).parents[2]
RESULTS, PAGE = ROOT / "lab" / "results" / "weights", ROOT / "lab" / "logs" / "weights.md"
STUDIES = {"screening": "screen"}
"""Files of results to the row the others are compared with."""
CHOICES = {
    "lesions": (
        "whole",
        "whole_end",
        "whole_lesions",
        "whole_distractors",
        "whole_mean",
        "distractors_mean",
        "healed_mean",
        "healed_outlined",
        "fast",
    ),
    "cascades": ("whole_around", "mean_around", "around_mean", "healed_around", "around_outlined", "accurate"),
}
"""Sections to files of `lab/scripts/choose_postprocessing.py`; the first is what the others are compared with."""
STEPS = {
    "brighter_by_hu": "bright",
    "darker_by_hu": "dark",
    "tumor_contrast_hu": "faint",
    "outline_lesions": "outline",
    "fluid_below_hu": "fluid",
    "tumor_peak_share": "half confident",
}
"""Settings of the postprocessing that came one after the other, in a word each."""

METRICS = {
    "liver_dice": "liver Dice",
    "tumor_dice": "tumor Dice",
    "liver_dice_lowest_tenth": "liver, lowest tenth",
    "liver_dice_highest_tenth": "liver, highest tenth",
}
SIZES = {"under_10mm": "< 10 mm", "10_to_20mm": "10 to 20 mm", "over_20mm": "> 20 mm"}
Row = dict[str, str]


def number(text: str) -> float:
    return float(text) if text else math.nan


class Candidate:
    """One experiment's rows, one a scan."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.patients = {row["name"]: row["patient"] for row in rows}
        self.folds = sorted({row["fold"] for row in rows})

    def values(self, metric: str, among: set[str] | None = None) -> dict[str, float]:
        """Patient to mean over their scans."""
        known = {row["name"]: number(row[metric]) for row in self.rows if among is None or row["name"] in among}
        return average_patients(known, self.patients)

    def count(self, column: str) -> int:
        return sum(int(row[column]) for row in self.rows)

    @property
    def scans(self) -> set[str]:
        return set(self.patients)


def read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def load(path: Path) -> dict[str, Candidate]:
    """Experiment to its scans' numbers, in the file's order."""
    rows = read_rows(path)
    names = dict.fromkeys(row["experiment"] for row in rows)
    return {name: Candidate([row for row in rows if row["experiment"] == name]) for name in names}


def means_table(candidates: dict[str, Candidate]) -> str:
    cells = [
        [
            "experiment",
            "folds",
            "patients",
            *METRICS.values(),
            *(f"lesions {size}" for size in SIZES.values()),
            "marked",
        ]
    ]
    for name, one in candidates.items():
        found = [f"{one.count(f'lesions_{size}_detected')} of {one.count(f'lesions_{size}')}" for size in SIZES]
        means = [f"{summarize(m, list(one.values(m).values())).mean:.3f}" for m in METRICS]
        patients = str(len(set(one.patients.values())))
        cells.append([name, ", ".join(one.folds), patients, *means, *found, str(one.count("lesions_prediction"))])
    return markdown_table(cells)


def against(one: Candidate, reference: Candidate, metric: str, shared: set[str]) -> tuple[Comparison, list[float]]:
    """One candidate's patients against another's on the scans that both have, and the one's values."""
    mine, theirs = one.values(metric, shared), reference.values(metric, shared)
    return compare(list(mine.values()), [theirs[patient] for patient in mine]), list(mine.values())


def interval(comparison: Comparison) -> str:
    return "–" if math.isnan(comparison.low) else f"{comparison.low:+.3f} to {comparison.high:+.3f}"


def differences_table(candidates: dict[str, Candidate], base: str) -> str:
    cells = [["against", "metric", "difference", "95 % CI", "p, Wilcoxon", "wins/ties/losses", "patients"]]
    reference = candidates[base]
    for name, one in candidates.items():
        shared = one.scans & reference.scans
        for metric, title in METRICS.items() if name != base and shared else ():
            c, _ = against(one, reference, metric, shared)
            p = "–" if math.isnan(c.p_wilcoxon) else f"{c.p_wilcoxon:.2g}"
            counts = f"{c.wins}/{c.ties}/{c.losses}"
            cells.append([f"{name} - {base}", title, f"{c.mean_difference:+.3f}", interval(c), p, counts, str(c.n)])
    return markdown_table(cells)


def section(stem: str, base: str, results: Path = RESULTS) -> str:
    """A study's tables; empty if it has not been run."""
    path = results / f"{stem}_cases.csv"
    if not path.is_file():
        return ""
    candidates = load(path)
    manifest = json.loads((results / f"{stem}.json").read_text(encoding="utf-8"))
    steps = sorted({run["training"]["steps"] for run in manifest["runs"]})
    text = (
        f"{len(manifest['runs'])} trainings of {' or '.join(map(str, steps))} steps. Means over patients (scans of one patient "
        'averaged first), whole scans. A lesion counts as found at IoU > 0.5; "marked" counts the mask\'s.\n'
    )
    return "\n".join([text, means_table(candidates), differences_table(candidates, base)])


def load_choice(stem: str, results: Path) -> tuple[str, str, Candidate]:
    """Name, what the postprocessing does, and scans, each with the setting that the other folds chose."""
    told = json.loads((results / f"{stem}.json").read_text(encoding="utf-8"))
    choice = {fold: [float(value) for value in values] for fold, values in told["chosen_without_fold"].items()}
    rows = read_rows(results / f"{stem}_cases.csv")
    scans = [row for row in rows if [float(row[key]) for key in told["chosen"]] == choice[row["fold"]]]
    name = f"{told['locator']}, then {told['candidate']}" if told["locator"] else told["candidate"]
    out = ", ".join(word for setting, word in STEPS.items() if told.get(setting))
    return name, out or "–", Candidate(scans)


def choices_table(stems: tuple[str, ...], results: Path = RESULTS) -> str:
    """Candidates with what the other folds chose for each, and against the first of them on the folds that both have."""
    organs = [title for organ in ("liver", "tumor") for title in (f"{organ} Dice", "against", "95 % CI")]
    cells = [["candidate", "postprocessing", "folds", "patients", *organs]]
    candidates = [load_choice(stem, results) for stem in stems]
    first, _, reference = candidates[0]
    for name, out, one in candidates:
        shared = one.scans & reference.scans
        cell: list[str] = []
        for metric in ("liver_dice", "tumor_dice"):
            c, mine = against(one, reference, metric, shared)
            difference = ["–", "–"] if one is reference else [f"{c.mean_difference:+.3f}", interval(c)]
            cell += [f"{summarize(metric, mine).mean:.3f}", *difference]
        cells.append([name, out, ", ".join(one.folds), str(len(set(one.patients.values()))), *cell])
    text = f"Each fold is scored with the setting chosen on the other folds; differences are to `{first}` on the same folds."
    return f"{text}\n\n{markdown_table(cells)}"


def generate(page: str, results: Path = RESULTS) -> str:
    """The page with new tables."""
    texts = {stem: section(stem, base, results) for stem, base in STUDIES.items()}
    texts |= {stem: choices_table(stems, results) for stem, stems in CHOICES.items() if f"<!-- {stem} -->" in page}
    for stem, text in texts.items():
        opening, closing = f"<!-- {stem} -->", f"<!-- end of {stem} -->"
        if opening in page:
            before, _, rest = page.partition(opening)
            after = rest.partition(closing)[2]
            page = f"{before}{opening}\n\n{text}\n{closing}{after}"
    return page


def main() -> int:
    old = PAGE.read_text(encoding="utf-8")
    new = generate(old)
    if "--check" in sys.argv[1:]:
        print(
            "lab/logs/weights.md is current"
            if new == old
            else "lab/logs/weights.md is not current: run lab/scripts/make_weights_doc.py"
        )
        return int(new != old)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
