"""Write docs/results/NAME.md and weights.md of the released weights, and their plots, from the cards and lab/results.

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
PAGES, IMAGES = ROOT / "docs" / "results", ROOT / "docs" / "images"
SHIPPED = ROOT / "src/rmaunet/models"
ROBUST = ROOT / "lab" / "results" / "robustness"
WORST = 2
CALIBRATED = "fast"
MISTAKES = """A public CT (TotalSegmentator's example, Apache-2.0), unedited:

![Errors of the weights on a public CT](../images/demo.png)"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def value(row: dict[str, str], name: str) -> float:
    return float(row[name]) if row[name] else math.nan


@dataclass(frozen=True)
class Tables:
    """Scores of a set of weights: one row per scan, and the summary."""

    folder: str
    cases: list[dict[str, str]]
    summary: dict[str, Any]

    @classmethod
    def read(cls, folder: str) -> Tables:
        path = ROOT / "lab" / "results" / folder
        summary = json.loads((path / "summary.json").read_text(encoding="utf-8"))
        return cls(folder, rows_of(path / "cases.csv"), summary["per_case"])


def card_of(name: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((SHIPPED / name / "card.json").read_text(encoding="utf-8"))
    return card


def pages() -> dict[str, str]:
    """Names of the pages to their text."""
    found = {"weights": overview()}
    for name in sorted(path.parent.name for path in SHIPPED.glob("*/card.json")):
        card, tables = card_of(name), Tables.read(name)
        further = (
            [calibration(card, tables)] if name == CALIBRATED else ["Calibration was not measured for these weights."]
        )
        last = [MISTAKES] if name == CALIBRATED else []
        parts = [head(card), results(tables), *further, robustness(name), failures(tables), *last]
        found[name] = "\n\n".join(parts) + "\n\nData, protocol and limits: [released weights](weights.md).\n"
    return found


def overview() -> str:
    """The page that lists the released weights."""
    lines = [
        "# Released weights",
        "",
        "<!-- made by lab/scripts/make_model_card.py; edit that -->",
        "",
        "Two sets of weights are installed with rmaunet. Both are for research use only and not a medical device.",
        "",
        "| weights | network | liver Dice | tumor Dice | scans | lesions touched |",
        "|---|---|---|---|---|---|",
    ]
    for name in sorted((path.parent.name for path in SHIPPED.glob("*/card.json")), reverse=True):
        card, tables = card_of(name), Tables.read(name)
        scores = [tables.summary[f"{organ}_dice"] for organ in ("liver", "tumor")]
        touched, all_lesions = (
            sum(int(row[column]) for row in tables.cases) for column in ("lesions_touched", "lesions_reference")
        )
        what = f"base {card['network']['base']}" + (" after `fast`" if card["locator"] else "")
        cells = [f"[`{name}`]({name}.md)", what, *(f"{s['mean']:.3f} ± {s['sd']:.3f}" for s in scores)]
        lines.append(f"| {' | '.join(cells)} | {len(tables.cases)} | {touched} of {all_lesions} |")
    card = card_of(CALIBRATED)
    text = f"""
Scores are mean ± SD (n - 1) per case over whole scans, Dice 0 to 1. `fast` is the default. `accurate` is slightly better for
livers and takes about twice as long; for tumors they are not distinguishable. `rmaunet models show fast` prints the card.

## Data and protocol

{data(card)}

## Limits

{limits(card)}

Details: [fast](fast.md), [accurate](accurate.md). How the weights were made: [log](../../lab/logs/weights.md).
"""
    return "\n".join(lines) + "\n" + text


def head(card: dict[str, Any]) -> str:
    name, cards = card["name"], [card]
    if card["locator"]:
        cards.insert(0, json.loads((SHIPPED / name / "locator" / "card.json").read_text(encoding="utf-8")))
    window = card["preprocessing"]["window_hu"]
    share = f", with {100 * card['locator_share']:.0f} % of the first's probabilities" if card["locator_share"] else ""
    turns = ["finds the liver in the whole scan", f"refines around it{share}"]
    lines = [
        f"# Model card: `{name}`",
        "",
        "<!-- made by lab/scripts/make_model_card.py; edit that -->",
        "",
        f"**{card['licence']} Not a medical device.** Use: `-w {name}`" + (" (default)." if name == "fast" else "."),
        "",
        "| | |",
        "|---|---|",
    ]
    for number, one in enumerate(cards):
        network, given = one["network"], one["preprocessing"]
        word = f"{('first', 'second')[number]} network, {turns[number]}" if len(cards) > 1 else "network"
        norm = "instance" if network["options"].get("norm") == "instance" else "batch"
        lines += [
            f"| {word} | RMAU-Net, base {network['base']}, {norm} norm; {given['context_slices']} context slice(s) per side, "
            f"{given['context_mm']:g} mm apart; pixels of {given['spacing_mm']:g} mm |",
            f"| training | {training_words(one['training'])} |",
        ]
    lines += [
        f"| input | CT in HU, window {window[0]:g} to {window[1]:g} HU |",
        f"| postprocessing | {postprocessing_words(card['postprocessing'])} |",
        f"| file | `model.safetensors`, sha256 `{card['sha256'][:16]}...`"
        + (f"; first network `{card['locator'][:16]}...`" if card["locator"] else "")
        + " |",
    ]
    return "\n".join(lines)


def postprocessing_words(chosen: dict[str, Any]) -> str:
    """Rules from probabilities to labels."""
    liver = [f"liver at {chosen['liver_threshold']:g}"]
    limits = [
        f"{chosen[f'{word}_by_hu']:g} HU {word}" for word in ("brighter", "darker") if chosen.get(f"{word}_by_hu")
    ]
    if limits:
        liver.append(f"border pieces {' or '.join(limits)} than the liver removed")
    liver += ["largest component kept", "holes filled per slice", f"at least {chosen['min_liver_ml']:g} ml"]
    tumor = [f"tumor at {chosen['tumor_threshold']:g}"]
    if chosen["tumor_peak"]:
        share = chosen["tumor_peak_share"]
        where = f"in {100 * share:.0f} % of a lesion's voxels" if share else "in one voxel of a lesion"
        tumor.append(f"at least {chosen['tumor_peak']:g} {where}")
    if chosen["min_lesion_ml"]:
        tumor.append(f"at least {chosen['min_lesion_ml']:g} ml")
    if contrast := chosen.get("tumor_contrast_hu"):
        tumor.append(f"at least {contrast:g} HU contrast")
    if chosen.get("outline_lesions"):
        tumor.append("outlined by HU")
    if fluid := chosen.get("fluid_below_hu"):
        tumor.append(f"fluid below {fluid:g} HU removed (up to 50 ml)")
    return f"{', '.join(liver)}; {', '.join(tumor)}"


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
    return f"""- **Training**: {len(card["trained_on"])} LiTS scans of 25 patients (volumes {trained}),
  256 x 256 pixels, HU clipped to [-40, 160] (three volumes: [-160, 240]), mostly every second slice. Pixel sizes are known for
  few, so millimeters and milliliters are nominal.
- **Scores**: three-fold cross-validation by patient (`lab/results/weights/folds`), with thresholds chosen on the other folds.
  The released weights were trained the same way on all patients, and have no scores of their own.
- **Optimistic part**: HU limits, outlines and the confident share were set after viewing some of these scans (14, 15, 34 and
  all lesions) and partly the scan of the robustness test. With the same networks and without these rules, the tumor Dice of
  `fast` over patients is 0.363 instead of 0.511.
- **[Repeat scans](../concepts/statistics.md#repeat-scans)** share a fold, but intervals are too narrow.
- **Leak**: volumes 28 to 47 are patients 1 to 20 of 3D-IRCADb-01. Do not test these weights on that data set."""


def results(tables: Tables) -> str:
    cases, summary = tables.cases, tables.summary
    lines = [
        "## Results per case",
        "",
        "| | mean ± SD (n - 1) | median | worst to best | 95 % interval (bootstrap) |",
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
        f"The reference has {found[0]} lesions; {found[1]} are touched by the mask, which has {found[2]}. Values per scan: "
        f"`lab/results/{tables.folder}/cases.csv`.",
    ]
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
        "Measured on the same scans with the same networks; no temperature was fitted."
        + ("" if same else " **Measured with older networks than the scores above.**"),
        "Probabilities are those before postprocessing, in twenty bins. The box is the bounding box of the reference liver.",
        "",
        "| target, voxels | ECE, mean of cases (range) | ECE of p >= 0.05 | Brier, mean of cases |",
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
        "Thick line: all voxels; thin lines: each case. Below the dashed line the probability is too high.",
        "",
        "`--confidence` against the reference (a lesion is real if it shares a voxel with a reference tumor):",
        "",
        "| mean probability of a lesion | lesions | real | share |",
        "|---|---|---|---|",
        *lesion_lines(lesions, "mean_probability", ((0.3, 0.6), (0.6, 0.8), (0.8, 1.01))),
        "",
        "| stability over other thresholds | lesions | real | share |",
        "|---|---|---|---|",
        *lesion_lines(lesions, "threshold_stability", ((0.0, 0.05), (0.05, 0.5), (0.5, 1.01))),
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
        "LiTS images may not be shown here. The worst livers:",
        "",
    ]
    for row in worst:
        lines.append(
            f"- volume {row['name']}: Dice {value(row, 'liver_dice'):.3f}, {100 * value(row, 'liver_rvd'):+.0f} % in volume; "
            f"HD95 {value(row, 'liver_hd95_pooled_mm'):.0f} nominal mm."
        )
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
        f"lesions, {value(least, 'tumor_prediction_ml'):.0f} ml marked.",
        f"- volume {most['name']}: {value(most, 'tumor_reference_ml'):.1f} ml of tumor, "
        f"{value(most, 'tumor_prediction_ml'):.0f} ml marked in {most['lesions_prediction']} places, "
        f"{most['lesions_touched']} of them on a tumor.",
        f"- no lesion touched in volumes {', '.join(missed)}.",
        f"- {found} of {small} lesions under 10 mm are found at IoU > 0.5.",
    ]
    return "\n".join(lines)


def robustness(name: str) -> str:
    """Results of `lab/benchmarks/robustness.py`: one scan, changed step by step."""
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
        "## Robustness",
        "",
        f"One scan ({facts['scan']}, {facts['reference_ml']:.0f} ml of liver in a reference made by another network),",
        "changed by `lab/benchmarks/robustness.py`. Parts of the liver are scored against the part.",
        "",
        "![Liver Dice as a scan is changed](../images/NAME-robustness.png)".replace("NAME", name),
        "",
        f"Unchanged, the liver Dice is {value(plain, 'liver_dice'):.3f}. Changes that lower it by more than 0.05:",
        "",
        "| change | level | liver Dice | volume |",
        "|---|---|---|---|",
        *(
            f"| {row['change']} | {row['level']} | {value(row, 'liver_dice'):.3f} "
            f"| {value(row, 'liver_prediction_ml'):.0f} ml |"
            for row in worst
        ),
        "",
        "180 degrees is a prone patient with a supine header. Masks of scans without a liver, which should be empty: "
        + "; ".join(f"{scan}, {text}" for scan, text in told.items())
        + ".",
    ]
    return "\n".join(lines)


def robustness_figure(name: str) -> Figure:
    """One panel per numeric change: liver Dice against its size; the unchanged scan is dashed."""
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
    return f"""- Not for diagnosis, treatment or RECIST reads. Check every mask against the images.
- Small lesions are often missed, bowel next to the liver may be marked, tumor counts and burden need review.
- MR, children, livers after resection or ablation, cirrhosis with ascites: hardly any such data were seen.
- Unenhanced and arterial scans: LiTS is mostly portal venous.
- License: {card["licence"]}"""


def main() -> int:
    made = pages()
    if "--check" in sys.argv:
        return int(
            any(not (path := PAGES / f"{name}.md").is_file() or path.read_text("utf-8") != made[name] for name in made)
        )
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (PAGES / f"{name}.md").write_text(text, encoding="utf-8")
        if name != "weights":
            save_figure(robustness_figure(name), IMAGES / f"{name}-robustness.png", dpi=110)
    plot = reliability_figure(read_reliability(ROOT / "lab/results/calibration/reliability.csv"))
    save_figure(plot, IMAGES / "fast-reliability.png", dpi=110)
    return 0


if __name__ == "__main__":
    sys.exit(main())
