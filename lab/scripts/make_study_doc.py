"""Write lab/logs/study.md, docs/results/study.md and their figure from the tables in lab/results/study; `--check` compares."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

from rmaunet.metrics import markdown_table

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "lab" / "results" / "study"
PAGE, SUMMARY = ROOT / "lab" / "logs" / "study.md", ROOT / "docs" / "results" / "study.md"
PICTURE = ROOT / "lab" / "logs" / "images" / "study.png"
TABLES = {"table7": "Networks (Table 7)", "table5": "Ablation (Table 5)"}
Line = dict[str, str]


def lines(path: Path) -> list[Line]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def value(line: Line, name: str) -> float:
    return float(line[name] or "nan")


def shown(x: float, digits: int = 4, *, sign: bool = False) -> str:
    return "–" if math.isnan(x) else f"{x:+.{digits}f}" if sign else f"{x:.{digits}f}"


def spread(line: Line, mean: str, sd: str) -> str:
    if math.isnan(value(line, mean)):
        return "–"
    return f"{shown(value(line, mean))} ± {shown(value(line, sd), 3)}"


def results_table(rows: list[Line], organ: str) -> str:
    titles = list(dict.fromkeys(row["row"] for row in rows))
    cells = [[organ.capitalize(), "DSC", "DSC as reported", "VOE", "RVD", "cases", "seeds", "SD between seeds"]]
    for title in titles:
        mine = {row["measure"]: row for row in rows if row["row"] == title and row["organ"] == organ}
        dice = mine["dice"]
        cells.append(
            [
                title,
                *(spread(dice, *names) for names in (("mean", "sd"), ("as_reported_mean", "as_reported_sd"))),
                *(spread(mine[measure], "mean", "sd") for measure in ("voe", "rvd")),
                dice["n"],
                dice["seeds"],
                shown(value(dice, "sd_between_seeds")),
            ]
        )
    return markdown_table(cells)


def difference_table(rows: list[Line], organ: str) -> str:
    cells = [[f"{organ.capitalize()} DSC", "difference", "95 % CI", "p, Wilcoxon (Holm)", "wins/ties/losses", "pairs"]]
    for row in rows:
        if row["organ"] == organ:
            cells.append(
                [
                    f"{row['first']} - {row['second']}",
                    shown(value(row, "mean_difference"), sign=True),
                    f"{shown(value(row, 'low'), sign=True)} to {shown(value(row, 'high'), sign=True)}",
                    f"{value(row, 'p_wilcoxon_holm'):.2g}",
                    f"{row['wins']}/{row['ties']}/{row['losses']}",
                    row["n"],
                ]
            )
    return markdown_table(cells)


def sentence(rows: list[Line], differences: list[Line], organ: str) -> str:
    """Summarize the numbers of one organ by rule."""
    dice = [row for row in rows if row["organ"] == organ and row["measure"] == "dice" and row["n"] not in ("", "0")]
    ours, best = dice[-1], max(dice, key=lambda row: value(row, "mean"))
    mine = [row for row in differences if row["organ"] == organ and row["first"] == ours["row"]]
    above = [row["second"] for row in mine if value(row, "low") > 0]
    below = [row["second"] for row in mine if value(row, "high") < 0]
    certain = [row for row in mine if value(row, "p_wilcoxon_holm") < 0.05]
    parts = [
        f"{organ.capitalize()}: the highest mean DSC is {best['row']}'s ({shown(value(best, 'mean'))}); {ours['row']} has "
        f"{shown(value(ours, 'mean'))}."
        if best is not ours
        else f"{organ.capitalize()}: {ours['row']} has the highest mean DSC ({shown(value(ours, 'mean'))}).",
        f"{len(mine)} differences: {len(above)} with an interval above 0{named(above)}, {len(below)} with one below 0"
        f"{named(below)}; {len(certain)} with a Holm-corrected p below 0.05.",
    ]
    seeds = [value(row, "sd_between_seeds") for row in dice if not math.isnan(value(row, "sd_between_seeds"))]
    if seeds:
        small = sum(abs(value(row, "mean_difference")) < max(seeds) for row in mine)
        parts.append(f"SD between two seeds: up to {shown(max(seeds))}; differences smaller than that: {small}.")
    return " ".join(parts)


def named(names: list[str]) -> str:
    return f" ({', '.join(names)})" if names else ""


def section(study: Path, name: str, heading: str) -> str:
    rows, differences = lines(study / f"{name}.csv"), lines(study / f"{name}_differences.csv")
    if not rows:
        return ""
    notes = json.loads((study / f"{name}.json").read_text(encoding="utf-8"))["notes"]
    parts = [f"## {heading}\n"]
    for organ in ("liver", "tumor"):
        parts += [results_table(rows, organ), difference_table(differences, organ)]
    parts += [f"{sentence(rows, differences, organ)}\n" for organ in ("liver", "tumor")]
    parts.append("\n".join(f"- {note}" for note in notes) + "\n")
    return "\n".join(parts)


def trainings(study: Path) -> int:
    """Different weights behind the tables; a row that two tables share counts once."""
    manifests = [json.loads((study / f"{name}.json").read_text(encoding="utf-8")) for name in TABLES
                 if (study / f"{name}.json").is_file()]  # fmt: skip
    return len({run["weights"] for manifest in manifests for run in manifest["inputs"]["runs"]})


def generate(study: Path = STUDY) -> str:
    """The page's text."""
    manifest = json.loads((study / "table7.json").read_text(encoding="utf-8"))
    machine, runs = manifest["machine"], manifest["inputs"]["runs"]
    cases = runs[0]["cases"] if runs else {}
    head = f"""# Comparison of networks at equal budget

Generated by `lab/scripts/make_study_doc.py` from `lab/results/study`. Every number is a line of a CSV file there.

{trainings(study)} networks were trained with the same slices, steps and augmentation, at small scale
([differences from the paper](../../docs/how-to/reproduce-the-paper.md#protocol)), and tested on {len(cases)} whole scans.
Some scans look like repeat scans of one patient ([list](../../docs/concepts/statistics.md#repeat-scans)), so there are
fewer than {len(cases)} independent patients.
Processor: {machine["processor"]}; PyTorch {machine["torch"]}; commit {machine["commit"] or "unknown"}.

![Dice per case of every network](images/study.png)

The training is short and small. The study shows differences under these conditions. It does not show what the networks reach
when trained as their authors did, and neither confirms nor refutes the paper's numbers. The output layers of these networks
started saturated, which later versions correct ([decision 16](../../docs/decisions/0016-output-layer-start.md)).
"""
    return "\n".join([head, *filter(None, (section(study, name, heading) for name, heading in TABLES.items()))])


def summary(study: Path = STUDY) -> str:
    """The page for users: mean Dice of each network."""
    rows = lines(study / "table7.csv")
    manifest = json.loads((study / "table7.json").read_text(encoding="utf-8"))
    cases = manifest["inputs"]["runs"][0]["cases"]
    cells = [["network", "liver DSC", "liver, paper", "tumor DSC", "tumor, paper"]]
    for title in dict.fromkeys(row["row"] for row in rows):
        mine = {row["organ"]: row for row in rows if row["row"] == title and row["measure"] == "dice"}
        found = [
            shown(value(mine[organ], name), 3) for organ in ("liver", "tumor") for name in ("mean", "as_reported_mean")
        ]
        cells.append([title, *found])
    text = " ".join(sentence(rows, lines(study / "table7_differences.csv"), organ) for organ in ("liver", "tumor"))
    return f"""# Comparison of networks

Generated by `lab/scripts/make_study_doc.py`. It compares the networks of the paper's Table 7 at equal budget: trained on
16 LiTS volumes at small scale, tested on {len(cases)} whole scans.

{markdown_table(cells)}
{text}

At this budget RMAU-Net is not better than U-Net. The budget is far below the paper's, so the study says nothing about the
paper's own numbers. Intervals, tests and the ablation: [lab/logs/study.md](../../lab/logs/study.md). To repeat it:
[reproduce the paper](../how-to/reproduce-the-paper.md).
"""


def draw(study: Path = STUDY, picture: Path = PICTURE) -> None:
    """Box plots of every case's DSC, a case's seeds averaged."""
    import numpy as np

    from rmaunet.report import save_figure
    from rmaunet.report.metric_figures import box_figure

    titles = {row["experiment"]: row["row"] for row in lines(study / "table7.csv")}
    series = {}
    for experiment, title in titles.items():
        mine = [row for row in lines(study / "table7_cases.csv") if row["experiment"] == experiment]
        names = list(dict.fromkeys(row["name"] for row in mine))
        if names:
            series[title.replace(" (reconstruction)", "*")] = {
                column: np.array([np.mean([value(r, column) for r in mine if r["name"] == name]) for name in names])
                for column in ("liver_dice", "tumor_dice")
            }
    save_figure(box_figure(series), picture, dpi=100)


def pages() -> dict[Path, str]:
    return {PAGE: generate(), SUMMARY: summary()}


def main() -> int:
    if not (STUDY / "table7.json").is_file():
        print(f"{STUDY.relative_to(ROOT)} holds no study", file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        return int(
            any(not page.is_file() or page.read_text(encoding="utf-8") != text for page, text in pages().items())
        )
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
