"""The paper's tables as experiments: which runs each needs, derived from one base, at the paper's scale or a small one.

The paper gives no widths for the networks it compares with; ``PAPER_BASES`` are their authors' own. ``SMALL_BASES`` bring
every network to two to four million weights, so that a comparison on two cores compares designs, not sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from rmaunet.networks.build import NetworkSettings
from rmaunet.networks.facts import network_title
from rmaunet.paper.reported import TABLES, ReportedRow, ReportedTable
from rmaunet.predict.postprocess.clean_labels import Postprocessing
from rmaunet.train.augment.transforms import NONE as NO_AUGMENTATION
from rmaunet.train.experiment import Experiment, Training
from rmaunet.train.presets import PAPER
from rmaunet.train.sampling import Sampling

__all__ = ["PAPER_BASES", "SCALES", "SMALL_BASES", "Row", "Scale", "table_rows"]

Scale = Literal["paper", "small"]
SCALES: tuple[Scale, ...] = ("paper", "small")

PAPER_BASES: Mapping[str, int] = MappingProxyType(
    {"unet": 64, "rmaunet": 64, "unetpp": 32, "raunet": 16, "asunetpp": 32, "saanet": 64, "hfrunet": 64}
)
"""Channels at full resolution as each network's authors have them (SAA-Net and HFRU-Net: reconstructions, U-Net's)."""

SMALL_BASES: Mapping[str, int] = MappingProxyType(
    {"unet": 16, "rmaunet": 16, "unetpp": 16, "raunet": 32, "asunetpp": 8, "saanet": 16, "hfrunet": 16}
)
"""Channels at full resolution that give each network between 1.9 and 3.6 million weights."""

_VARIANTS: Mapping[str, Mapping[str, bool | int | float | str]] = MappingProxyType(
    {
        "Res-SE-Block only": {"mab_at": "none"},
        "MAB only": {"block": "plain"},
    }
)
"""Constructor arguments of RMAU-Net behind the ablation's rows (Table 5; its backbone row is the U-Net)."""

_WIDE_WINDOW_HU = (-1024.0, 1024.0)
"""What "without preprocessing" means for Table 1 is not stated; here: no narrow window, the usual range of a CT."""


@dataclass(frozen=True)
class Row:
    """One row of a table: what to train, and what the paper reports for it.

    Attributes:
        title: As our tables print it; reconstructions are called that.
        experiment: What to train; its name is the run's folder.
        reported: The paper's row.
    """

    title: str
    experiment: Experiment
    reported: ReportedRow


def table_rows(
    name: str,
    *,
    scale: Scale = "paper",
    window_hu: tuple[float, float] | None = None,
    deep_supervision: bool = False,
) -> list[Row]:
    """The experiments behind one of the paper's tables.

    Args:
        name: A key of :data:`rmaunet.paper.reported.TABLES`.
        scale: "paper", or "small" for two cores (see :func:`_small`).
        window_hu: Instead of the paper's -200 to 200, for data that come already windowed.
        deep_supervision: Train U-Net++ with a loss on each of its four heads; whether the paper did is not stated.

    Returns:
        One entry per row in the paper's order. Rows of folds share an experiment: Table 11 has one, trained on each fold.

    Raises:
        KeyError: If there is no such table.
    """
    table: ReportedTable = TABLES[name]
    rows = [_row(row, scale, window_hu) for row in table.rows]
    return [_supervised(row) if deep_supervision and row.reported.network == "unetpp" else row for row in rows]


def _supervised(row: Row) -> Row:
    network = replace(row.experiment.network, options={"deep_supervision": True})
    experiment = replace(row.experiment, name="unetpp_deep-supervision", network=network)
    return Row(f"{row.title}, deep supervision", experiment, row.reported)


def _row(row: ReportedRow, scale: Scale, window_hu: tuple[float, float] | None) -> Row:
    bases = PAPER_BASES if scale == "paper" else SMALL_BASES
    network = NetworkSettings(name=row.network, base=bases[row.network], options=_VARIANTS.get(row.variant, {}))
    experiment = replace(PAPER, name=_slug(row), network=network)
    if window_hu is not None:
        experiment = replace(experiment, preprocessing=replace(experiment.preprocessing, window_hu=window_hu))
    if row.variant == "without preprocessing":
        wide = replace(experiment.preprocessing, window_hu=_WIDE_WINDOW_HU)
        experiment = replace(experiment, preprocessing=wide)
    if row.variant in ("without preprocessing", "with preprocessing", "without augmentation"):
        experiment = replace(experiment, augmentation=NO_AUGMENTATION)
    if row.variant in ("ce", "ce_dice"):
        experiment = replace(experiment, loss=row.variant)
    return Row(_title(row), _small(experiment) if scale == "small" else experiment, row)


def _slug(row: ReportedRow) -> str:
    """Name of the run: rows that mean the same training, in whatever table, have the same name."""
    parts = {
        "without preprocessing": "wide-window_no-augmentation",
        "with preprocessing": "no-augmentation",
        "without augmentation": "no-augmentation",
        "Res-SE-Block only": "res-se",
        "MAB only": "mab",
        "ce": "ce",
        "ce_dice": "ce-dice",
    }
    part = parts.get(row.variant)
    return f"{row.network}_{part}" if part else row.network


def _title(row: ReportedRow) -> str:
    title = network_title(row.network)
    plain = ("", "with augmentation", "backbone", "focal_dice")
    return title if row.variant in plain else f"{title}, {row.variant}"


def _small(experiment: Experiment) -> Experiment:
    """The same row for two cores: 128 x 128, 800 steps of 8 slices, each patient equally often, every kind of slice.

    Optimiser, rate and sampling differ from the paper's, whose 250 epochs at a constant 1e-4 would need weeks; all rows
    share them, so that rows differ in what the table compares and in nothing else.
    """
    return replace(
        experiment,
        preprocessing=replace(experiment.preprocessing, size=128),
        sampling=Sampling(slices="all", balance="case", tumor_share=0.4, liver_share=0.35),
        training=Training(steps=800, batch=8, learning_rate=1e-3, schedule="one_cycle", gradient_clip=1.0),
        postprocessing=Postprocessing(largest_liver=True),
    )
