"""The plan of a table in words, for ``--dry-run``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rmaunet.core.settings import to_dict
from rmaunet.metrics import markdown_table
from rmaunet.networks.facts import network_title
from rmaunet.paper.reproduce.estimate import TIMED, RunCost, cost_line
from rmaunet.paper.reproduce.plan import TITLES, Plan

__all__ = ["plan_json", "plan_text"]


def plan_json(plan: Plan, costs: Sequence[RunCost], stores: Mapping[str, int]) -> dict[str, Any]:
    """A plan as JSON values; undefined numbers are null."""
    lines = [cost_line(cost) for cost in costs]
    return {
        "table": plan.name,
        "title": plan.reported.title,
        "protocol": plan.protocol,
        "folds": plan.folds,
        "tested_on": plan.reported.data,
        "rows": [
            {"title": row.title, "as_reported": row.reported.label, "experiment": to_dict(row.experiment)}
            for row in plan.rows
        ],
        "runs": [
            {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in line.items()} for line in lines
        ],
        "stores": dict(stores),
        "hours": _hours(costs),
        "bytes": sum(cost.run_bytes for cost in costs) + sum(stores.values()),
    }


def _hours(costs: Sequence[RunCost]) -> float | None:
    total = sum(cost.train_hours + cost.test_hours for cost in costs)
    return None if math.isnan(total) else total


def plan_text(plan: Plan, costs: Sequence[RunCost], stores: Mapping[str, int]) -> str:
    """A plan for people.

    Args:
        plan: The table.
        costs: Of its runs.
        stores: Bytes of each store that must be made.

    Returns:
        Text that ends with a line feed.
    """
    first = costs[0]
    training = first.run.experiment.training
    low, high = first.run.experiment.preprocessing.window_hu
    size = first.run.experiment.preprocessing.size
    counted = "counted in the store" if first.exact else "estimated from headers and LiTS's share of liver slices"
    fold = f", {plan.folds} folds by patient" if plan.folds else ""
    lines = [
        f"Table {plan.reported.number}: {plan.reported.title}",
        f"trained on {TITLES[first.run.data]} ({len(first.run.train)} cases{' in fold 1' if plan.folds else ''}), tested on "
        f"{TITLES[plan.reported.data]} ({len(first.run.test)} cases), protocol {plan.protocol}{fold}",
        f"slices {size} x {size}, window {low:g} to {high:g} HU, batch {training.batch}, {training.optimiser} at "
        f"{training.learning_rate:g} ({training.schedule}); {first.epoch_slices} slices an epoch, {counted}",
        "",
        markdown_table(_table(plan, costs)),
    ]
    return "\n".join([*lines, *_closing(costs, stores)]) + "\n"


def _table(plan: Plan, costs: Sequence[RunCost]) -> list[list[str]]:
    titles = {row.experiment.name: row.title for row in plan.rows if not row.reported.variant.startswith("fold")}
    rows = [["run", "seed", "base", "loss", "weights", "epochs", "steps", "s a step", "training, h", "test, h", "done"]]
    for cost in costs:
        experiment = cost.run.experiment
        name = titles.get(experiment.name, network_title(experiment.network.name))
        fold = "" if cost.run.fold is None else f", fold {cost.run.fold + 1}"
        rows.append(
            [
                name + fold,
                str(experiment.seed),
                str(experiment.network.base),
                experiment.loss,
                f"{cost.parameters:,}",
                f"{cost.epochs:.0f}" if cost.epochs >= 10 else f"{cost.epochs:.1f}",
                f"{cost.steps:,}",
                *(_number(value) for value in (cost.step_seconds, cost.train_hours, cost.test_hours)),
                "trained" if cost.done else "",
            ]
        )
    return rows


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _closing(costs: Sequence[RunCost], stores: Mapping[str, int]) -> list[str]:
    hours, runs = _hours(costs), sum(cost.run_bytes for cost in costs)
    made = sum(1 for cost in costs if not cost.done)
    side, slices = TIMED
    timed = (
        "hours: not timed"
        if hours is None
        else f"hours: {hours:,.1f} in all on this machine as busy as it is now; the median of several steps on {slices} slice "
        f"of {side} x {side}, after a warm-up, was taken of each network and scaled by pixels and batch"
    )
    stored = ", ".join(f"{name} {_bytes(size)}" for name, size in stores.items()) or "none to make"
    return [
        f"{len(costs)} runs, {made} to train",
        timed,
        f"disk: {_bytes(runs + sum(stores.values()))}: stores {stored}; checkpoints, weights and masks {_bytes(runs)}",
    ]


def _bytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
