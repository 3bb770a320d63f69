"""A miniature of LiTS in its own layout, and the tables' experiments shrunk to two steps of a tiny network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rmaunet.datasets.case import Case
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import read_scan, write_mask, write_volume
from rmaunet.paper.table_experiments import Row, table_rows

SHAPE = (10, 32, 32)
STEPS = 2


def write_case(folder: Path, image: str, label: str, seed: int) -> None:
    made = phantom("abdomen", seed=seed, shape=SHAPE, lesions=2, lesion_radius_mm=(15.0, 25.0))
    write_volume(made.ct, folder / image)
    write_mask(made.mask, folder / label, like=read_scan(folder / image))


def make_lits(root: Path, numbers: Sequence[int] = (0, 1, 27, 28)) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        write_case(root, f"volume-{n}.nii.gz", f"segmentation-{n}.nii.gz", n)
    return root


def ircadb_cases(root: Path, patients: Sequence[int]) -> tuple[Case, ...]:
    """Patients of 3D-IRCADb as plain files; reading their DICOM is tested elsewhere."""
    root.mkdir(parents=True, exist_ok=True)
    found = []
    for n in patients:
        write_case(root, f"ct{n}.nii.gz", f"mask{n}.nii.gz", n + 27)
        name = f"3Dircadb1.{n}"
        found.append(Case(name, root / f"ct{n}.nii.gz", root / f"mask{n}.nii.gz", patient=name))
    return tuple(found)


def tiny_rows(*args: object, **options: object) -> list[Row]:
    """The very rows of the table, small enough for a test."""
    rows = table_rows(*args, **options)  # type: ignore[arg-type]
    return [replace(row, experiment=_tiny(row)) for row in rows]


def _tiny(row: Row):  # type: ignore[no-untyped-def]
    experiment = row.experiment
    return replace(
        experiment,
        network=replace(experiment.network, base=4),
        preprocessing=replace(experiment.preprocessing, size=32),
        training=replace(experiment.training, steps=STEPS, batch=2),
    )


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Make every table of this process a tiny one."""
    patch.setattr("rmaunet.paper.reproduce.plan.table_rows", tiny_rows)
    patch.setattr("rmaunet.paper.reproduce.table_training.STORE_SIZE", 32)
