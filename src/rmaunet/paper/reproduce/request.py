"""What is asked for: a table or figure, on which data, at which scale."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from rmaunet.core.errors import UsageError
from rmaunet.paper.reported import TABLES
from rmaunet.paper.table_experiments import Scale

__all__ = ["FIGURES", "Protocol", "Request", "table_names"]

Protocol = Literal["lits_paper", "lits_clean"]

ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "table4": ("table5",),
        "ablation": ("table5",),
        "loss": ("table6",),
        "table11": ("table11-lits", "table11-ircadb"),
    }
)
"""Other names of the tables. The paper's text counts the ablation as Table 5; the module ablation is the fourth printed."""

FIGURES: Mapping[str, str] = MappingProxyType({"figure6": "table1", "figure7": "table7", "figure8": "table8"})
"""Figures, and the table whose networks they show (Fig. 6 shows preprocessing, no network)."""


@dataclass(frozen=True)
class Request:
    """Everything that decides a table.

    Attributes:
        roots: Folders of data sets; the layout of each is found out.
        out: Folder of stores, runs and tables.
        scale: "paper", or "small" for two cores.
        window_hu: Instead of the paper's -200 to 200.
        seeds: Trainings of each row, with seeds 0, 1, ...
        folds: Folds by patient; None takes the table's own number (none but for Tables 11 to 13, whose are five).
        protocol: LiTS for training: "lits_paper" (27-130) or "lits_clean" (without 28-47, 3D-IRCADb's patients).
        deep_supervision: Train U-Net++ with a loss on each head.
        paper_slices: Score only slices on which the reference has liver.
        train: Train what is missing; if not, rows show the trainings that are there.
        patients: Case to patient, for test volumes that are repeat scans.
        surface: Measure distances between surfaces.
        overlap: Compare test and training scans by content, and mark those that are the same.
        device: Where networks are trained and tested: "cpu", "cuda", "cuda:1", "mps".
    """

    roots: tuple[Path, ...]
    out: Path
    scale: Scale = "paper"
    window_hu: tuple[float, float] | None = None
    seeds: int = 1
    folds: int | None = None
    protocol: Protocol = "lits_paper"
    deep_supervision: bool = False
    paper_slices: bool = False
    train: bool = True
    patients: Mapping[str, str] | None = None
    surface: bool = True
    overlap: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        """Refuse what makes no sense (UsageError)."""
        if self.seeds < 1:
            raise UsageError("reproduce", "--seeds", self.seeds, "must be at least 1", "give a positive number")
        if self.folds is not None and self.folds < 2:
            raise UsageError("reproduce", "--folds", self.folds, "must be at least 2", "leave it out for no folds")
        if self.window_hu is not None and not self.window_hu[0] < self.window_hu[1]:
            raise UsageError("reproduce", "--window", self.window_hu, "is not rising", "give the lower HU first")


def table_names(name: str) -> tuple[str, ...]:
    """The tables a name stands for.

    Args:
        name: "table1" to "table13" (not 3), "table11-lits", "ablation", "loss".

    Returns:
        Keys of :data:`rmaunet.paper.reported.TABLES`; two for "table11".

    Raises:
        UsageError: If there is no such table, naming the nearest.

    Example:
        >>> table_names("table4"), table_names("table11")
        (('table5',), ('table11-lits', 'table11-ircadb'))
    """
    if name in ALIASES:
        return ALIASES[name]
    if name in TABLES:
        return (name,)
    known = [*TABLES, *ALIASES, *FIGURES]
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
    raise UsageError("reproduce", "table", name, "is no table or figure of results in the paper", remedy)
