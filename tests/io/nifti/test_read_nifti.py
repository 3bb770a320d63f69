"""Every row of the tables of single-file inputs is written, handed over, and does what docs/inputs.md says."""

import re
import time
from pathlib import Path

import pytest

from file_case import FileCase
from grid_cases import CASES as GRID_CASES
from nifti_cases import CASES as NIFTI_CASES
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices
from rmaunet.io import read_scan

CASES = [*NIFTI_CASES, *GRID_CASES]


def check_case(case: FileCase, folder: Path, read) -> None:
    path = case.write(folder)
    start = time.perf_counter()
    with collect_notices() as notices:
        if case.outcome == "refused":
            with pytest.raises(InputError) as caught:
                read(path, **case.options)
            text = str(caught.value)
            assert re.search(case.text, text), text
            assert path.name in text
            assert "\n" not in text
        else:
            scan = read(path, **case.options)
    assert time.perf_counter() - start < 2
    if case.outcome == "warned":
        assert any(re.search(case.text, line) for line in notices), notices
    elif case.outcome == "handled":
        assert notices == []
    if case.outcome != "refused" and case.check is not None:
        case.check(scan, path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_single_file_input(case: FileCase, tmp_path: Path) -> None:
    check_case(case, tmp_path, read_scan)


def test_ids_are_unique() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
