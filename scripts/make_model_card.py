"""Write docs/models/NAME.md of the shipped weights, and their plots, from the weights' card and the tables in results/.

usage: python scripts/make_model_card.py [--check]

With --check nothing is written; the exit code says whether the pages are up to date.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from rmaunet.report import save_figure
from rmaunet.report.reliability import read_reliability, reliability_figure

ROOT = Path(__file__).resolve().parents[1]
PAGES, IMAGES = ROOT / "docs" / "models", ROOT / "docs" / "images"
SHIPPED = ROOT / "src/rmaunet/models"
ROBUST = ROOT / "results" / "robustness"
WORST = 4
MISTAKES = """A public CT (TotalSegmentator's example, Apache-2.0), unedited: a ragged lower edge, and a small false lesion.

![The weights' own mistakes on a public CT](../images/demo.png)"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def value(row: dict[str, str], name: str) -> float:
    return float(row[name]) if row[name] else math.nan


@dataclass(frozen=True)
class Tables:
    """What was measured of weights: a row a scan, and the summary."""

    cases: list[dict[str, str]]
    summary: dict[str, Any]

    @classmethod
    def read(cls, folder: str) -> Tables:
        path = ROOT / "results" / folder
        return cls(
            rows_of(path / "cases.csv"), json.loads((path / "summary.json").read_text(encoding="utf-8"))["per_case"]
        )


def card_of(name: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((SHIPPED / name / "card.json").read_text(encoding="utf-8"))
    return card


def pages() -> dict[str, str]:
    """Weights to the text of their page."""
    card, tables = card_of("fast"), Tables.read("first")
    parts = [head(card), data(card), results(tables), calibration(card), robustness("fast"), failures(tables)]
    found = {"fast": [*parts, MISTAKES, limits(card)]}
    if (SHIPPED / "accurate").is_dir():
        card, tables = card_of("accurate"), Tables.read("accurate")
        parts = [accurate_head(card), accurate_data(card), results(tables), beside_fast(tables), robustness("accurate")]
        found["accurate"] = [*parts, failures(tables), limits(card)]
    return {name: "\n\n".join(parts) + "\n" for name, parts in found.items()}


def accurate_head(card: dict[str, Any]) -> str:
    network, members = card["network"], card["training"]["members"]
    locator = json.loads((SHIPPED / card["name"] / "locator" / "card.json").read_text(encoding="utf-8"))
    chosen = card["postprocessing"]
    steps = [sum(one["steps"] for one in each["training"]["members"]) for each in (locator, card)]
    passes = {"none": 1, "horizontal": 2, "both": 4}[card["flips"]]
    mirrored = "" if passes == 1 else ", mirrored ones among them"
    return f"""# Model card: `{card["name"]}`

<!-- made by scripts/make_model_card.py; edit that -->

**{card["licence"]} Not a medical device.** The weights ship with the package (`-w {card["name"]}`).

| | |
|---|---|
| networks | two in turn, each the mean of {network["members"]} RMAU-Nets of base {network["base"]} with instance norm: the \
first finds the liver, the second looks around it, in {network["members"] * passes} passes a slice{mirrored} |
| input | CT in HU, window {card["preprocessing"]["window_hu"][0]:g} to {card["preprocessing"]["window_hu"][1]:g} HU; a slice \
with its neighbours {card["preprocessing"]["context_mm"]:g} mm above and below; pixels of \
{locator["preprocessing"]["spacing_mm"]:g} mm, then {card["preprocessing"]["spacing_mm"]:g} mm around the liver |
| output | liver at probability {chosen["liver_threshold"]:g}, largest connected liver kept, holes filled by slice; tumor at \
{chosen["tumor_threshold"]:g} where a lesion reaches {chosen["tumor_peak"]:g} somewhere, lesions from \
{chosen["min_lesion_ml"]:g} ml |
| training | {len(members)} networks of each kind, {steps[0]} and {steps[1]} steps in all, on a CPU |
| intended use | {card["intended_use"]} |
| file | `model.safetensors`, sha256 `{card["sha256"][:16]}...`; the locator's `{card["locator"][:16]}...` |"""


def accurate_data(card: dict[str, Any]) -> str:
    trained = ", ".join(sorted((name.removeprefix("volume-") for name in card["trained_on"]), key=int))
    return f"""## Data and protocol

Trained on {len(card["trained_on"])} scans of LiTS (volumes {trained}): each network on two thirds of the patients
(`results/weights/folds`). Measured on every scan by the two networks that had no part in its patient, with settings chosen on
the other thirds. The mean of all networks, which ships, cannot be measured on these scans; it is expected to do a little
better than each. The scans are LiTS at 256 x 256 pixels with HU clipped to [-40, 160] (three volumes: [-160, 240]), every
second slice of most. Pixel sizes are known for few: overlap is right, and millimetres and millilitres are nominal. Some
scans look like repeats of one patient and stay in one fold, so they count for fewer independent patients than scans, and
the intervals below are too narrow by that much. Volumes 28 to 47 are patients 1 to 20 of 3D-IRCADb-01: for these weights
that data set is no test set. How they came about: [weights](../weights.md)."""


def beside_fast(tables: Tables) -> str:
    """Both weights on the scans that neither was trained on."""
    fast = {row["name"]: row for row in Tables.read("first").cases}
    both = [(row, fast[row["name"]]) for row in tables.cases if row["name"] in fast]
    lines = [
        "## Beside `fast`",
        "",
        f"On the {len(both)} volumes that `fast` was not trained on:",
        "",
        "| | `accurate`, its folds | `fast` |",
        "|---|---|---|",
    ]
    for organ in ("liver", "tumor"):
        mine, theirs = (statistics.mean(value(pair[i], f"{organ}_dice") for pair in both) for i in (0, 1))
        lines.append(f"| {organ} Dice | {mine:.3f} | {theirs:.3f} |")
    return "\n".join([*lines, "", "Calibration of these weights has not been measured."])


def head(card: dict[str, Any]) -> str:
    training, network = card["training"], card["network"]
    return f"""# Model card: `{card["name"]}`

<!-- made by scripts/make_model_card.py; edit that -->

**{card["licence"]} Not a medical device.** The weights ship with the package (`-w fast`, the default).

| | |
|---|---|
| network | RMAU-Net, base {network["base"]}, one axial slice in, two probabilities a pixel out (liver with tumor; tumor) |
| input | CT in HU, window {card["preprocessing"]["window_hu"][0]:g} to {card["preprocessing"]["window_hu"][1]:g} HU, \
pixels of {card["preprocessing"]["spacing_mm"]:g} mm, no crop |
| output | liver and tumor at probability {card["postprocessing"]["liver_threshold"]:g}, largest connected liver kept, holes \
filled by slice |
| training | {training["steps"]} steps, {training["seconds"] / 60:.0f} minutes on {training["cores"]} cores of a CPU; no \
left-right flips |
| intended use | {card["intended_use"]} |
| file | `model.safetensors`, sha256 `{card["sha256"][:16]}...` |"""


def data(card: dict[str, Any]) -> str:
    trained = ", ".join(name.removeprefix("volume-") for name in card["trained_on"])
    return f"""## Data and protocol

Trained on {len(card["trained_on"])} patients of LiTS (volumes {trained}), measured on 14 other volumes among 0 to 26 that were
neither trained on nor used to choose anything. The scans are LiTS at 256 x 256 pixels with HU clipped to
[-40, 160] (three volumes: [-160, 240]), every second slice of most. Pixel sizes are known for volume 0 only of the 14:
overlap is right, and millimetres and millilitres are nominal. Some of the 14 look like repeat scans of one patient (0 and
1; 14 and 15; 6, 7, 8 and 10), so they count for fewer than 14 independent patients, and the intervals below are
too narrow by that much. Whole scans, every slice, per case. Volumes 28 to 47 are patients 1 to 20 of 3D-IRCADb-01: for
these weights that data set is no test set."""


def results(tables: Tables) -> str:
    cases, summary = tables.cases, tables.summary
    lines = [
        "## Results per case",
        "",
        "| | mean ± SD (n - 1) | median | worst to best | 95 % interval of the mean (bootstrap over cases) |",
        "|---|---|---|---|---|",
    ]
    for organ in ("liver", "tumor"):
        s = summary[f"{organ}_dice"]
        lines.append(
            f"| {organ} Dice | {s['mean']:.3f} ± {s['sd']:.3f} | {s['median']:.3f} | {s['minimum']:.3f} to "
            f"{s['maximum']:.3f} | {s['low']:.3f} to {s['high']:.3f} |"
        )
    found = [
        sum(int(row[name]) for row in cases) for name in ("lesions_reference", "lesions_touched", "lesions_prediction")
    ]
    lines += [
        "",
        f"Of {found[0]} lesions of the reference {found[1]} are touched; {found[2]} are marked.",
        "",
        "| volume | liver Dice | liver too large by | tumor Dice | lesions: reference, touched, marked |",
        "|---|---|---|---|---|",
    ]
    for row in cases:
        lines.append(
            f"| {row['name']} | {value(row, 'liver_dice'):.3f} | {100 * value(row, 'liver_rvd'):+.0f} % | "
            f"{value(row, 'tumor_dice'):.3f} | {row['lesions_reference']}, {row['lesions_touched']}, "
            f"{row['lesions_prediction']} |"
        )
    return "\n".join(lines)


def calibration(card: dict[str, Any]) -> str:
    folder = ROOT / "results/calibration"
    figures, lesions = rows_of(folder / "cases.csv"), rows_of(folder / "lesions.csv")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    count = len({row["case"] for row in figures})
    measured = {row["case"].removeprefix("volume-") for row in figures}
    dice = {row["name"]: value(row, "liver_dice") for row in rows_of(ROOT / "results/first/cases.csv")}
    missing = [name for name in dice if name not in measured]
    worst = sorted(set(missing) & set(sorted(dice, key=lambda name: dice[name])[:WORST]), key=int)
    same = manifest["weights"]["sha256"] == card["sha256"]
    lines = [
        "## Calibration",
        "",
        f"Measured on {'the 14' if count == 14 else f'{count} of the 14'} volumes above; nothing was fitted by it: no "
        "temperature, no threshold." + ("" if same else " **Measured with an older version of these weights.**"),
        *([f"Volumes {', '.join(missing)} have not been measured."] if missing else []),
        *([f"Volumes {', '.join(worst)} have the worst livers, so these figures are too good."] if worst else []),
        "Probabilities are the network's before postprocessing, on the CT's own pixels. Voxels counted: the bounding box of",
        "the reference's liver, and for the tumor also the reference's liver alone. Twenty bins of equal width. Almost all",
        "voxels of the box lie in the first bin, which makes the plain error small; the third column leaves that bin out.",
        "",
        "| target, voxels | ECE, mean of cases (smallest to largest) | ECE of p >= 0.05 | Brier, mean of cases |",
        "|---|---|---|---|",
    ]
    for target, where, words in (
        ("liver", "box", "liver, box"), ("tumor", "box", "tumor, box"), ("tumor", "liver", "tumor, inside the liver"),
    ):  # fmt: skip
        some = [row for row in figures if (row["target"], row["population"]) == (target, where)]
        ece, above, brier = ([value(row, name) for row in some] for name in ("ece", "ece_above_0.05", "brier"))
        lines.append(
            f"| {words} | {statistics.mean(ece):.4f} ({min(ece):.4f} to {max(ece):.4f}) | {statistics.mean(above):.3f} | "
            f"{statistics.mean(brier):.4f} |"
        )
    lines += [
        "",
        "![Reliability of liver and tumor probabilities](../images/fast-reliability.png)",
        "",
        "Thick: all voxels together; thin: each case (bins of 50 voxels or more). Below the dashed line a probability promises",
        "too much. Drawn by `scripts/make_model_card.py` from `results/calibration/reliability.csv`, which",
        "`benchmarks/calibration.py` writes.",
        "",
        "What `--confidence` says of a lesion, held against the reference (a lesion is real if it shares a voxel with a",
        "tumor of the reference; slices more than ten beyond the liver are not looked at):",
        "",
        "| mean probability of the lesion | marked | real | share |",
        "|---|---|---|---|",
        *lesion_lines(lesions, "mean_probability", ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))),
        "",
        "| stability over thresholds 0.3 to 0.7 | marked | real | share |",
        "|---|---|---|---|",
        *lesion_lines(
            lesions, "threshold_stability", ((0.0, 0.05), (0.05, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.01))
        ),
    ]
    return "\n".join(lines)


def lesion_lines(lesions: list[dict[str, str]], name: str, classes: tuple[tuple[float, float], ...]) -> list[str]:
    lines = []
    for low, high in classes:
        some = [row for row in lesions if low <= value(row, name) < high]
        real = sum(int(row["meets_reference"]) for row in some)
        share = f"{100 * real / len(some):.0f} %" if some else ""
        lines.append(f"| {low:g} to {min(high, 1):g} | {len(some)} | {real} | {share} |")
    return lines


def failures(tables: Tables) -> str:
    cases = tables.cases
    worst = sorted(cases, key=lambda row: value(row, "liver_dice"))[:WORST]
    missed = [row["name"] for row in cases if row["lesions_touched"] == "0"]
    lines = [
        "## Known failures",
        "",
        "In words and numbers, since LiTS images may not be shown here.",
        "",
        "Liver, the worst four:",
        "",
    ]
    for row in worst:
        lines.append(
            f"- volume {row['name']}: Dice {value(row, 'liver_dice'):.3f}, {100 * value(row, 'liver_rvd'):+.0f} % in volume; "
            f"95 % of its surface lies within {value(row, 'liver_hd95_pooled_mm'):.0f} nominal mm of the reference's."
        )
    most = max(cases, key=lambda row: value(row, "tumor_prediction_ml") - value(row, "tumor_reference_ml"))
    least = max(cases, key=lambda row: value(row, "tumor_reference_ml") - value(row, "tumor_prediction_ml"))
    if all(value(row, "liver_rvd") > 0 for row in worst):
        lines += ["", "All four are too large: the weights go on beyond the liver's edge rather than stop short of it."]
    most = max(cases, key=lambda row: value(row, "tumor_prediction_ml") - value(row, "tumor_reference_ml"))
    least = max(cases, key=lambda row: value(row, "tumor_reference_ml") - value(row, "tumor_prediction_ml"))
    small, found = (
        sum(int(row[name]) for row in cases) for name in ("lesions_under_10mm", "lesions_under_10mm_detected")
    )
    lines += [
        "",
        "Tumors:",
        "",
        f"- volume {least['name']}: {value(least, 'tumor_reference_ml'):.0f} ml of tumor in {least['lesions_reference']} "
        f"lesions, {value(least, 'tumor_prediction_ml'):.0f} ml marked: large tumors are taken as liver.",
        f"- volume {most['name']}: {value(most, 'tumor_reference_ml'):.1f} ml of tumor, "
        f"{value(most, 'tumor_prediction_ml'):.0f} ml marked in {most['lesions_prediction']} places, "
        f"{most['lesions_touched']} of them on a tumor.",
        f"- not one lesion touched in volumes {' and '.join(missed)}.",
        f"- of {small} lesions under 10 mm {found} are found at IoU > 0.5.",
    ]
    return "\n".join(lines)


def robustness(name: str) -> str:
    """What `benchmarks/robustness.py` found: one scan, changed step by step."""
    rows, facts = rows_of(ROBUST / f"{name}.csv"), json.loads((ROBUST / f"{name}.json").read_text(encoding="utf-8"))
    plain = next(row for row in rows if row["change"] == "none")
    changed = [row for row in rows if row["change"] not in ("none", "no liver")]
    worst = [row for row in changed if value(row, "liver_dice") < value(plain, "liver_dice") - 0.05]
    empty = [row for row in rows if row["change"] == "no liver"]
    told = {
        row["level"]: f"{value(row, 'liver_prediction_ml'):.0f} ml" if value(row, "liver_prediction_ml") else "empty"
        for row in empty
    }
    lines = [
        "## Away from what it was trained on",
        "",
        f"One scan in HU ({facts['scan']}, {facts['reference_ml']:.0f} ml of liver in a reference that another network made), "
        "changed by",
        "`benchmarks/robustness.py`. Millilitres are of the mask; parts of the liver are scored against the part.",
        "",
        "![Liver Dice as a scan is changed](../images/NAME-robustness.png)".replace("NAME", name),
        "",
        f"As it is the Dice is {value(plain, 'liver_dice'):.3f}. It falls by more than 0.05 here:",
        "",
        "| change | | liver Dice | marked |",
        "|---|---|---|---|",
        *(
            f"| {row['change']} | {row['level']} | {value(row, 'liver_dice'):.3f} "
            f"| {value(row, 'liver_prediction_ml'):.0f} ml |"
            for row in worst
        ),
        "",
        "Turned by 180 degrees is a patient lying prone under a header that says supine. Without a liver the mask should be",
        "empty: " + "; ".join(f"{scan}, {text}" for scan, text in told.items()) + ".",
    ]
    return "\n".join(lines)


def robustness_figure(name: str) -> Figure:
    """A panel a change that has numbers: liver Dice against how far it goes, with the unchanged scan dashed."""
    rows = rows_of(ROBUST / f"{name}.csv")
    plain = next(value(row, "liver_dice") for row in rows if row["change"] == "none")
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        with contextlib.suppress(ValueError):
            curves.setdefault(row["change"], []).append((float(row["level"]), value(row, "liver_dice")))
    curves = {change: sorted(points) for change, points in curves.items() if len(points) > 1}
    columns = 4
    figure = Figure(figsize=(2.3 * columns, 2.1 * math.ceil(len(curves) / columns)), layout="constrained")
    panels = figure.subplots(math.ceil(len(curves) / columns), columns, sharey=True, squeeze=False).ravel()
    for axes, (change, points) in zip(panels, curves.items(), strict=False):
        axes.axhline(plain, color="0.6", linestyle="--", linewidth=0.8)
        axes.plot(*zip(*points, strict=True), marker="o", markersize=3.5)
        axes.set(title=change, ylim=(0, 1))
        axes.title.set_fontsize("small")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in panels[len(curves) :]:
        axes.set_visible(False)
    panels[0].set_ylabel("liver Dice")
    return figure


def limits(card: dict[str, Any]) -> str:
    return f"""## Not for

- Diagnosis, treatment, RECIST reads, or anything about one patient that nobody checks against the images.
- MR, CT of children, livers after resection or ablation, cirrhosis with ascites: no such data was seen in any number.
- Unenhanced and arterial scans: LiTS is mostly portal venous; a flag says when the liver's HU do not look enhanced.
- Tumor counts and burden as they come: see the tables above.
- Commercial use: {card["licence"]}"""


def main() -> int:
    made = pages()
    if "--check" in sys.argv:
        return int(
            any(not (path := PAGES / f"{name}.md").is_file() or path.read_text("utf-8") != made[name] for name in made)
        )
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (PAGES / f"{name}.md").write_text(text, encoding="utf-8")
        save_figure(robustness_figure(name), IMAGES / f"{name}-robustness.png", dpi=110)
    plot = reliability_figure(read_reliability(ROOT / "results/calibration/reliability.csv"))
    save_figure(plot, IMAGES / "fast-reliability.png", dpi=110)
    return 0


if __name__ == "__main__":
    sys.exit(main())
