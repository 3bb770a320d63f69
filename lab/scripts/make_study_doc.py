"""Write docs/study.md and its figure from lab/results/study, where tables of `rmaunet reproduce` are copied; `--check`
compares."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

from rmaunet.metrics import markdown_table

ROOT = Path(__file__).parents[2]
STUDY, PAGE, PICTURE = (
    ROOT / "lab" / "results" / "study",
    ROOT / "docs" / "study.md",
    ROOT / "docs" / "images" / "study.png",
)
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
    """What the numbers of one organ show and do not show, said by rule."""
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
        f"Of its {len(mine)} differences {len(above)} have an interval above 0{named(above)} and {len(below)} one below 0"
        f"{named(below)}; {len(certain)} have a Holm-corrected p below 0.05.",
    ]
    seeds = [value(row, "sd_between_seeds") for row in dice if not math.isnan(value(row, "sd_between_seeds"))]
    if seeds:
        small = sum(abs(value(row, "mean_difference")) < max(seeds) for row in mine)
        parts.append(
            f"Another seed moves a mean by up to {shown(max(seeds))} (SD between two seeds, where there are two); {small} of "
            "the differences are smaller than that."
        )
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
    head = f"""# A study at equal budget

Made by `lab/scripts/make_study_doc.py` from `lab/results/study`; every number has its line in a CSV there and its sources in a
manifest.

{trainings(study)} trainings, all with the same slices, steps and augmentation, at small scale
([what differs from the paper](reproduce.md#protocol)); tested on {len(cases)} whole scans. Some of these look like repeat scans
of one patient ([which](statistics.md#repeat-scans)), so that they count for fewer than {len(cases)} independent patients.
Processor: {machine["processor"]}; PyTorch {machine["torch"]}; commit {machine["commit"] or "unknown"}.

![Dice per case of every network](images/study.png)

This compares networks trained briefly and small. It says which differences show under these conditions, not what the
networks reach when trained as their authors did, and it neither confirms nor refutes the paper's numbers. The heads of
these networks began with weights too large, and saturated; later versions begin them smaller
([decision 20](decisions/0020-output-layer-start.md)).
"""
    return "\n".join([head, *filter(None, (section(study, name, heading) for name, heading in TABLES.items()))])


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


def main() -> int:
    if not (STUDY / "table7.json").is_file():
        print(f"{STUDY.relative_to(ROOT)} holds no study", file=sys.stderr)
        return 1
    if "--check" in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != generate())
    PAGE.write_text(generate(), encoding="utf-8")
    draw()
    return 0


if __name__ == "__main__":
    sys.exit(main())
