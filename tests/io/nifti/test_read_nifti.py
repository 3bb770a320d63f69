"""Every row of the tables of single-file inputs is written, handed over, and does what lab/logs/inputs.md says."""

from pathlib import Path

import pytest

from file_case import FileCase, check_case
from grid_cases import CASES as GRID_CASES
from nifti_cases import CASES as NIFTI_CASES
from rmaunet.io import read_scan

CASES = [*NIFTI_CASES, *GRID_CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_single_file_input(case: FileCase, tmp_path: Path) -> None:
    check_case(case, tmp_path, read_scan)


def test_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
