"""Write docs/models/NAME.md of the shipped weights, and their plots, from the weights' card and the tables in lab/results/.

usage: python lab/scripts/make_model_card.py [--check]

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

from calibration.reliability import read_reliability, reliability_figure
from rmaunet.report import save_figure

ROOT = Path(__file__).resolve().parents[2]
PAGES, IMAGES = ROOT / "docs" / "models", ROOT / "docs" / "images"
SHIPPED = ROOT / "src/rmaunet/models"
ROBUST = ROOT / "lab" / "results" / "robustness"
WORST = 4
CALIBRATED = "fast"
MISTAKES = """A public CT (TotalSegmentator's example, Apache-2.0), unedited: bowel at the lower end, and false lesions.

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
        path = ROOT / "lab" / "results" / folder
        return cls(
            rows_of(path / "cases.csv"), json.loads((path / "summary.json").read_text(encoding="utf-8"))["per_case"]
        )


def card_of(name: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((SHIPPED / name / "card.json").read_text(encoding="utf-8"))
    return card


def pages() -> dict[str, str]:
    """Weights to the text of their page."""
    found = {}
    for name in sorted(path.parent.name for path in SHIPPED.glob("*/card.json")):
        card, tables = card_of(name), Tables.read(name)
        if name == CALIBRATED:
            further, last = [calibration(card, tables)], [MISTAKES]
        else:
            further, last = ["Calibration of these weights has not been measured.", beside(tables, CALIBRATED)], []
        parts = [head(card), data(card), results(tables), *further, robustness(name), failures(tables)]
        found[name] = [*parts, *last, limits(card)]
    return {name: "\n\n".join(parts) + "\n" for name, parts in found.items()}


def head(card: dict[str, Any]) -> str:
    name, cards = card["name"], [card]
    if card["locator"]:
        cards.insert(0, json.loads((SHIPPED / name / "locator" / "card.json").read_text(encoding="utf-8")))
    chosen = card["postprocessing"]
    window = card["preprocessing"]["window_hu"]
    where = f"in {100 * chosen['tumor_peak_share']:.0f} % of its voxels" if chosen["tumor_peak_share"] else "somewhere"
    peak = f" where a lesion reaches {chosen['tumor_peak']:g} {where}" if chosen["tumor_peak"] else ""
    lesions = f", lesions from {chosen['min_lesion_ml']:g} ml" if chosen["min_lesion_ml"] else ""
    if contrast := chosen.get("tumor_contrast_hu"):
        lesions += f" and its mean differs by {contrast:g} HU from that of the liver around it"
    lesions += "; each lesion's outline drawn anew by HU" if chosen.get("outline_lesions") else ""
    if fluid := chosen.get("fluid_below_hu"):
        lesions += f"; one of up to 50 ml that is darker than {fluid:g} HU is none"
    limits = [
        f"{chosen[f'{word}_by_hu']:g} HU {word}" for word in ("brighter", "darker") if chosen.get(f"{word}_by_hu")
    ]
    unlike = f"pieces at its edge that are more than {' or '.join(limits)} than it taken out, " if limits else ""
    share = f", with {100 * card['locator_share']:.0f} % of the first's probabilities" if card["locator_share"] else ""
    turns = ["finds the liver in the whole scan", f"looks around it{share}"]
    lines = [
        f"# Model card: `{name}`",
        "",
        "<!-- made by lab/scripts/make_model_card.py; edit that -->",
        "",
        f"**{card['licence']} Not a medical device.** The weights ship with the package (`-w {name}`"
        + (", the default)." if name == "fast" else ")."),
        "",
        "| | |",
        "|---|---|",
    ]
    for number, one in enumerate(cards):
        network, given = one["network"], one["preprocessing"]
        word = f"{('first', 'second')[number]} network, {turns[number]}" if len(cards) > 1 else "network"
        norm = "instance" if network["options"].get("norm") == "instance" else "batch"
        lines += [
            f"| {word} | RMAU-Net, base {network['base']}, {norm} norm; a slice with {given['context_slices']} more on either "
            f"side, {given['context_mm']:g} mm apart, as channels; pixels of {given['spacing_mm']:g} mm |",
            f"| its training | {training_words(one['training'])} |",
        ]
    lines += [
        f"| input | CT in HU, window {window[0]:g} to {window[1]:g} HU |",
        f"| output | liver at probability {chosen['liver_threshold']:g}, {unlike}largest connected liver kept, holes filled by "
        f"slice, less than {chosen['min_liver_ml']:g} ml is none; tumor at {chosen['tumor_threshold']:g}{peak}{lesions} |",
        f"| intended use | {card['intended_use']} |",
        f"| file | `model.safetensors`, sha256 `{card['sha256'][:16]}...`"
        + (f"; the first network's `{card['locator'][:16]}...`" if card["locator"] else "")
        + " |",
    ]
    return "\n".join(lines)


def training_words(training: dict[str, Any]) -> str:
    """Steps and machine of a run and of those it began with."""
    where = training.get("device") or f"{training.get('cores', '')} cores of a CPU".strip()
    words = f"{training['steps']} steps on {where}"
    words += f", after {training_words(training['start'])}" if training.get("start") else ""
    return words + (
        f"; the mean of {len(training['mean_of'])} sets of weights on this way" if training.get("mean_of") else ""
    )


def data(card: dict[str, Any]) -> str:
    trained = ", ".join(sorted((name.removeprefix("volume-") for name in card["trained_on"]), key=int))
    return f"""## Data and protocol

Trained on {len(card["trained_on"])} scans of LiTS (volumes {trained}): all there were. What ships can therefore not be
measured on these scans. Measured instead are networks trained alike on two thirds of the patients
(`lab/results/weights/folds`),
each on the scans it had no part in, with thresholds chosen on the other thirds; what ships saw half as many patients again.
The limits of brightness, at the liver's edge, of lesions and of their outlines, and what share of a lesion must be sure, were
set once, after looking at some of these scans (14, 15, 34, and the lesions of all) and, but for the outlines and the share, at
the robustness sheet's CT: that part of the gain is flattered ([how](../weights.md)).
The scans are LiTS at 256 x 256 pixels with HU clipped to [-40, 160] (three volumes: [-160, 240]), every second slice of
most. Pixel sizes are known for few: overlap is right, and millimetres and millilitres are nominal. Some scans look like
repeats of one patient (0 and 1; 14 and 15; 6, 7, 8 and 10) and stay in one fold, so they count for fewer independent
patients than scans, and the intervals below are too narrow by that much. Whole scans, per case. Volumes 28 to 47 are
patients 1 to 20 of 3D-IRCADb-01: for these weights that data set is no test set. How they came about:
[weights](../weights.md)."""


def beside(tables: Tables, other: str) -> str:
    """Both weights on the same scans, each by its folds."""
    theirs = {row["name"]: row for row in Tables.read(other).cases}
    both = [(row, theirs[row["name"]]) for row in tables.cases if row["name"] in theirs]
    lines = [
        f"Beside `{other}`, measured alike, on {len(both)} scans:",
        "",
        f"| | these | `{other}` |",
        "|---|---|---|",
    ]
    for organ in ("liver", "tumor"):
        mine, its = (statistics.mean(value(pair[i], f"{organ}_dice") for pair in both) for i in (0, 1))
        lines.append(f"| {organ} Dice | {mine:.3f} | {its:.3f} |")
    return "\n".join(lines)


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


def calibration(card: dict[str, Any], tables: Tables) -> str:
    folder = ROOT / "lab/results/calibration"
    figures, lesions = rows_of(folder / "cases.csv"), rows_of(folder / "lesions.csv")
    inputs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    folds = json.loads((ROOT / "lab" / "results" / card["name"] / "predictions.json").read_text(encoding="utf-8"))[
        "folds"
    ]
    measured = {each["weights"] for each in inputs}
    same = measured == {fold["weights"] for fold in folds.values()} and len(inputs) == len(tables.cases)
    lines = [
        "## Calibration",
        "",
        "Measured on the same scans by the same networks; nothing was fitted by it: no temperature."
        + ("" if same else " **Measured with older networks than the scores above.**"),
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
        "too much. Drawn by `lab/scripts/make_model_card.py` from `lab/results/calibration/reliability.csv`, which",
        "`lab/benchmarks/calibration.py` writes.",
        "",
        "What `--confidence` says of a lesion, held against the reference (a lesion is real if it shares a voxel with a",
        "tumor of the reference; slices more than ten beyond the liver are not looked at):",
        "",
        "| mean probability of the lesion | marked | real | share |",
        "|---|---|---|---|",
        *lesion_lines(
            lesions, "mean_probability", ((0.3, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01))
        ),
        "",
        "| stability over other thresholds | marked | real | share |",
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
    missed = [row["name"] for row in cases if row["lesions_touched"] == "0" != row["lesions_reference"]]
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
        f"- not one lesion touched in volumes {', '.join(missed)}.",
        f"- of {small} lesions under 10 mm {found} are found at IoU > 0.5.",
    ]
    return "\n".join(lines)


def robustness(name: str) -> str:
    """What `lab/benchmarks/robustness.py` found: one scan, changed step by step."""
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
        "`lab/benchmarks/robustness.py`. Millilitres are of the mask; parts of the liver are scored against the part.",
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
    plot = reliability_figure(read_reliability(ROOT / "lab/results/calibration/reliability.csv"))
    save_figure(plot, IMAGES / "fast-reliability.png", dpi=110)
    return 0


if __name__ == "__main__":
    sys.exit(main())
