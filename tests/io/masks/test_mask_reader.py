"""Every row of the table of masks is written, handed over with its CT, and does what lab/logs/inputs.md says."""

from pathlib import Path

import pytest

import mask_cases
import seg_cases
from file_case import FileCase, check_case
from made_nifti import write
from rmaunet.core.errors import UsageError
from rmaunet.core.notices import collect_notices
from rmaunet.io import read_mask, read_scan


@pytest.mark.parametrize("case", mask_cases.CASES, ids=lambda case: case.id)
def test_mask_input(case: FileCase, tmp_path: Path) -> None:
    ct = read_scan(write(tmp_path))
    check_case(case, tmp_path, lambda path, **options: read_mask(path, like=ct, **options))


@pytest.mark.parametrize("case", seg_cases.CASES, ids=lambda case: case.id)
def test_dicom_seg_input(case: FileCase, tmp_path: Path) -> None:
    check_case(case, tmp_path, lambda path, **options: read_mask(path, like=read_scan(tmp_path / "ct"), **options))


def test_a_mapping_to_a_foreign_label_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="targets must be 0, 1"):
        read_mask(write(tmp_path, mask_cases.MASK), labels={5: 3})


def test_a_mask_alone_says_what_is_odd_about_its_geometry(tmp_path: Path) -> None:
    path = write(tmp_path, mask_cases.MASK, qform=0)
    with collect_notices() as said:
        read_mask(path)
    assert any("only the sform is set" in line for line in said)
    with collect_notices() as said:
        read_mask(path, like=read_scan(write(tmp_path, name="b.nii")))
    assert said == []
