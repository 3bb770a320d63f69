"""A table as the trainings it needs: which network, which cases, which folder. Only the data sets' file names are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from rmaunet.core.errors import InputError, UsageError
from rmaunet.datasets.case import Case
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.splits import protocol_folds, split_cases
from rmaunet.paper.reported import TABLES, ReportedTable
from rmaunet.paper.reproduce.request import Request
from rmaunet.paper.table_experiments import Row, table_rows
from rmaunet.train.experiment import Experiment

__all__ = ["DataName", "Plan", "Run", "find_data", "make_plan"]

DataName = Literal["lits", "ircadb"]
TITLES: Mapping[str, str] = {"lits": "LiTS", "ircadb": "3D-IRCADb"}
FOLD_TABLES = (11, 12, 13)
TRANSFER_TABLES = (8, 10)
"""Trained on LiTS, tested on 3D-IRCADb (section 5; a second reading of the paper is Table 13's)."""


@dataclass(frozen=True)
class Run:
    """One training and its test.

    Attributes:
        experiment: What to train, with its seed.
        fold: From 0; None without folds.
        data: Data set trained on.
        train: Names of the training cases.
        tested_on: Data set tested on.
        test: The test cases.
        folder: The run's folder.
        leaked: Test cases whose patient is among the training cases.
    """

    experiment: Experiment
    fold: int | None
    data: DataName
    train: tuple[str, ...]
    tested_on: DataName
    test: tuple[Case, ...]
    folder: Path
    leaked: tuple[str, ...]

    @property
    def words(self) -> str:
        """The run as progress and errors name it."""
        fold = "" if self.fold is None else f" fold {self.fold + 1}"
        return f"{self.experiment.name}{fold} seed {self.experiment.seed}"


@dataclass(frozen=True)
class Plan:
    """A table to make.

    Attributes:
        name: Key of the paper's tables.
        reported: What the paper prints.
        rows: In the paper's order.
        runs: Every training, each once, however many rows show it.
        folds: How many; None without.
        protocol: Name of the split.
        data: The data sets at hand that the table uses.
    """

    name: str
    reported: ReportedTable
    rows: tuple[Row, ...]
    runs: tuple[Run, ...]
    folds: int | None
    protocol: str
    data: Mapping[DataName, tuple[Case, ...]]

    def runs_of(self, row: Row) -> list[Run]:
        """The trainings behind a row; one fold's for a row "fold K" of Table 11."""
        runs = [run for run in self.runs if run.experiment.name == row.experiment.name]
        word, _, number = row.reported.variant.partition(" ")
        if word == "fold":
            runs = [run for run in runs if run.fold == int(number) - 1]
        return runs

    @property
    def file_name(self) -> str:
        """What its files are called: other protocols do not overwrite each other."""
        parts = [self.name]
        if self.protocol == "lits_clean":
            parts.append("clean")
        if self.folds is not None and (self.reported.number not in FOLD_TABLES or self.folds != 5):
            parts.append(f"{self.folds}-fold")
        return "_".join(parts)


def find_data(roots: Sequence[Path]) -> dict[DataName, tuple[Case, ...]]:
    """The labelled cases of each folder.

    Args:
        roots: Folders of LiTS and 3D-IRCADb-01, in any order.

    Returns:
        Data set to cases.

    Raises:
        InputError: If a folder is neither, or files are missing.
        UsageError: If two are the same data set.
    """
    found: dict[DataName, tuple[Case, ...]] = {}
    for root in roots:
        layout, cases = find_cases(root)
        if layout not in ("lits", "ircadb"):
            raise InputError(root, "layout", layout, "is not LiTS's or 3D-IRCADb's", "give the data as distributed")
        name: DataName = "lits" if layout == "lits" else "ircadb"
        if name in found:
            raise UsageError(root, "--data", TITLES[name], "is given twice", "give each data set once")
        found[name] = tuple(cases)
    return found


def make_plan(name: str, request: Request, data: Mapping[DataName, tuple[Case, ...]]) -> Plan:
    """Lay out a table.

    Args:
        name: Key of the paper's tables.
        request: What is asked for.
        data: From :func:`find_data`.

    Returns:
        The plan.

    Raises:
        InputError: If a data set the table needs is missing, or a split leaves nothing to train or test on.
        UsageError: If folds are asked for where training and test are two data sets.
    """
    table = TABLES[name]
    trained: DataName = "lits" if table.number in TRANSFER_TABLES else table.data
    for needed in (trained, table.data):
        if needed not in data:
            raise InputError(name, "data", TITLES[needed], "is needed and not given", "add its folder to --data")
    folds = request.folds or (5 if table.number in FOLD_TABLES else None)
    if folds is not None and trained != table.data:
        raise UsageError(name, "--folds", folds, "it is trained on LiTS and tested on 3D-IRCADb", "leave --folds out")
    rows = tuple(
        table_rows(name, scale=request.scale, window_hu=request.window_hu, deep_supervision=request.deep_supervision)
    )
    protocol = request.protocol if folds is None else f"{trained}_cv{folds}"
    cases = {one: tuple(case for case in data[one] if case.label is not None) for one in (trained, table.data)}
    experiments = list({row.experiment.name: row.experiment for row in rows}.values())
    runs = tuple(
        _run(replace(experiment, seed=seed), fold, request, protocol, trained, table.data, split)
        for seed in range(request.seeds)
        for experiment in experiments
        for fold, split in _splits(protocol, folds, cases[trained], cases[table.data])
    )
    return Plan(name, table, rows, runs, folds, protocol, cases)


Split = tuple[tuple[Case, ...], tuple[Case, ...]]


def _splits(
    protocol: str, folds: int | None, trained: tuple[Case, ...], tested: tuple[Case, ...]
) -> Iterator[tuple[int | None, Split]]:
    names = [case.name for case in trained]
    if folds is None:
        train, test = split_cases(protocol, names)
        held = tuple(case for case in trained if case.name in test) if trained == tested else tested
        yield None, _checked(protocol, tuple(case for case in trained if case.name in train), held)
        return
    drawn = protocol_folds(f"{protocol.partition('_')[0]}_cv5", names, folds=folds)
    for fold, test in enumerate(drawn):
        train_cases = tuple(case for case in trained if any(case.name in other for other in drawn if other is not test))
        yield fold, _checked(f"{protocol}:{fold}", train_cases, tuple(case for case in trained if case.name in test))


def _checked(protocol: str, train: tuple[Case, ...], test: tuple[Case, ...]) -> Split:
    for side, cases in (("training", train), ("test", test)):
        if not cases:
            raise InputError(protocol, f"{side} cases", 0, "the split leaves none of the data at hand", "add cases")
    return train, test


def _run(
    experiment: Experiment,
    fold: int | None,
    request: Request,
    protocol: str,
    trained: DataName,
    tested: DataName,
    split: Split,
) -> Run:
    train, test = split
    of = "" if protocol == "lits_paper" else protocol if fold is None else f"{protocol}-{fold + 1}"
    patients = {case.patient or case.name for case in train}
    return Run(
        experiment=experiment,
        fold=fold,
        data=trained,
        train=tuple(case.name for case in train),
        tested_on=tested,
        test=test,
        folder=request.out / "runs" / experiment.name / of / f"seed{experiment.seed}",
        leaked=tuple(case.name for case in test if (case.patient or case.name) in patients),
    )
