"""Figs. 6, 7 and 8: preprocessing, and the networks side by side on slices chosen by rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rmaunet.core.files import make_folder, sha256, write_json
from rmaunet.core.machine import machine
from rmaunet.core.runs import locked
from rmaunet.datasets.load_case import load_case
from rmaunet.io import read_mask
from rmaunet.paper.comparison_figures import Shown, comparison_figure, stages_figure
from rmaunet.paper.reproduce.build_table import plans, score_plan
from rmaunet.paper.reproduce.plan import Plan
from rmaunet.paper.reproduce.request import FIGURES, Request
from rmaunet.paper.reproduce.scoring import masks_folder
from rmaunet.paper.reproduce.slice_scores import RULE, Chosen, choose_slices
from rmaunet.paper.reproduce.table_rows import RowResult, row_results
from rmaunet.preprocess import prepare
from rmaunet.report import save_figure

__all__ = ["reproduce_figure"]

Say = Callable[[str], None]
SLICES = 6
"""Slices in Figs. 7 and 8, as in the paper."""

DPI = 300


def reproduce_figure(name: str, request: Request, say: Say = lambda _: None) -> list[Path]:
    """Make one of the paper's figures of results as PNG and PDF.

    Args:
        name: "figure6" (a slice before and after preprocessing), "figure7" (networks on LiTS), "figure8" (on 3D-IRCADb).
        request: As for the figure's table; Figs. 7 and 8 train, predict and score what is missing.
        say: Told the progress.

    Returns:
        PNG, PDF, and a JSON of what is shown and how it was chosen.

    Raises:
        RmaunetError: Whatever stopped it, as one line.
    """
    make_folder(request.out)
    plan = plans(FIGURES[name], request)[0]
    with locked(request.out):
        if name == "figure6":
            figure, facts = _preprocessing(plan)
        else:
            results = row_results(plan, score_plan(plan, request, say))
            figure, facts = _networks(plan, [result for result in results if result.seeds])
        folder = make_folder(request.out / "figures")
        files = [folder / f"{name}.png", folder / f"{name}.pdf"]
        for file in files:
            save_figure(figure, file, dpi=DPI)
        facts |= {"rule": RULE, "outputs": {file.name: sha256(file) for file in files}, "machine": machine()}
        write_json(folder / f"{name}.json", facts)
    return [*files, folder / f"{name}.json"]


def _preprocessing(plan: Plan) -> tuple[Figure, dict[str, Any]]:
    """The slice as read, windowed, and as the network sees it."""
    settings = plan.rows[-1].experiment.preprocessing
    chosen = choose_slices(plan.runs[0].test, 1)[0]
    scan, _ = load_case(chosen.case)
    prepared = prepare(scan.volume, settings)
    raw = np.asarray(prepared.ct.array[chosen.index], np.float32)
    low, high = settings.window_hu
    network = prepared.slices(chosen.index, chosen.index + 1)[0, settings.context_slices]
    stages = {
        f"{chosen.case.name}, slice {chosen.index}, HU": (raw, (float(raw.min()), float(raw.max()) + 1e-6)),
        f"window {low:g} to {high:g} HU": (np.clip(raw, low, high), (low, high)),
        f"network's input, {network.shape[0]} x {network.shape[1]}, -1 to 1": (network, (-1.0, 1.0)),
    }
    return stages_figure(stages), {"slices": [_fact(chosen)], "preprocessing": asdict(settings)}


def _networks(plan: Plan, results: list[RowResult]) -> tuple[Figure, dict[str, Any]]:
    """Each row's first seed beside the reference."""
    chosen = choose_slices(plan.runs[0].test, SLICES)
    shown = []
    for one in chosen:
        scan, reference = load_case(one.case)
        masks = {"reference": reference}
        for result in results:
            first = next(iter(result.by_seed.values()))
            run = next(scored.run for scored in first if one.case in scored.run.test)
            masks[result.row.title] = read_mask(masks_folder(run) / f"{one.case.name}.nii.gz")
        shown.append(Shown(f"{one.case.name}, slice {one.index}", scan.volume, one.index, masks))
    window_hu = plan.rows[-1].experiment.preprocessing.window_hu
    facts = {
        "slices": [_fact(one) for one in chosen],
        "networks": [result.row.title for result in results],
        "seed": "first",
        "colors": "liver red, tumor green",
    }
    return comparison_figure(shown, window_hu=window_hu), facts


def _fact(chosen: Chosen) -> dict[str, Any]:
    return {"case": chosen.case.name, "slice": chosen.index, "tumor_area_mm2": chosen.area_mm2}
