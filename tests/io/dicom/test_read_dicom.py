"""Every class of DICOM input: read right, read right and said, or refused, never silently wrong."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import dicom_writer as w
from cases import Case
from dicom_cases import CASES as PLAIN_CASES
from dicom_odd_cases import CASES as ODD_CASES
from dicom_odd_cases import COSINES
from dicom_odd_cases import EXPECTED as ODD_EXPECTED
from dicom_pixel_cases import CASES as PIXEL_CASES
from dicom_pixel_cases import EXPECTED as PIXEL_EXPECTED
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices
from rmaunet.io.dicom.read_dicom import read_dicom

CASES = [*PLAIN_CASES, *ODD_CASES, *PIXEL_CASES]
EXPECTED = ODD_EXPECTED | PIXEL_EXPECTED
OTHER_GEOMETRY = {"one-slice", "tilt"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    path = case.write(tmp_path / "in" if (tmp_path / "in").mkdir() is None else tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with collect_notices() as said:
        if case.outcome == "refused":
            with pytest.raises(InputError) as caught:
                read_dicom(path)
            said.append(str(caught.value))
            assert case.text in str(caught.value)
        else:
            scan = read_dicom(path)
            if case.id not in OTHER_GEOMETRY:
                expected, tolerance = EXPECTED.get(case.id, (w.hu(), 0))
                assert np.abs(scan.volume.array - expected.astype(float)).max() <= tolerance
                assert scan.volume.array.dtype == (np.float32 if case.id == "half-slope" else np.int16)
                place = w.affine(COSINES.get(case.id, w.AXIAL))
                assert np.abs(scan.volume.affine - place).max() < (0.03 if case.id == "jitter" else 1e-6)
            said.append(scan.name)
            assert len(said) - 1 == (case.outcome == "warned")
            assert any(case.text in line for line in said)
    for line in said:
        assert "DOE" not in line
        assert "JANE" not in line
        assert "PID" not in line
        assert "1950" not in line
        assert "\n" not in line
    assert sorted(tmp_path.rglob("*")) == before, "something was left behind"


def test_tilted_gantry_keeps_a_ramp_in_patient_space(tmp_path: Path) -> None:
    """HU = 100 + 2 y in patient space stays that after the stack has been made upright."""

    def mutate(index: int, data: object) -> None:
        y = w.ORIGIN[1] + 0.6 * index + np.arange(w.ROWS) * w.SPACING[1]
        w.set_pixels(data, np.repeat(np.round(1124 + 20 * y)[:, None], w.COLUMNS, 1).astype(np.int16))
        data.ImagePositionPatient = [w.ORIGIN[0], w.ORIGIN[1] + 0.6 * index, w.ORIGIN[2] + index * w.SPACING[0]]

    volume = read_dicom(w.series(tmp_path / "ct", mutate)).volume
    d, h, _ = np.indices(volume.spatial_shape)
    y = volume.affine[1, 1] * h + volume.affine[1, 3] + volume.affine[1, 0] * d
    first = w.ORIGIN[1] + 0.6 * d  # of each original slice
    inside = (y >= first) & (y <= first + (w.ROWS - 1) * w.SPACING[1])
    assert inside.sum() > 0.8 * w.DEPTH * w.ROWS * w.COLUMNS
    assert np.abs(volume.array - (100 + 20 * y))[inside].max() <= 1.01
    assert np.allclose(volume.spacing, w.SPACING)


def test_a_series_is_chosen_by_uid_and_acquisition(tmp_path: Path) -> None:
    cases = {case.id: case for case in CASES}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    two = cases["two-series"].write(tmp_path / "a")
    assert np.array_equal(read_dicom(two, series=f"{w.UID}.1.2").volume.array, w.hu())
    with pytest.raises(InputError, match=r"is not there, but: .*portal venous.* 6 slices"):
        read_dicom(two, series="1.2.3")
    phases = cases["two-phases"].write(tmp_path / "b")
    assert np.array_equal(read_dicom(phases, series=f"{w.UID}.1.1#2").volume.array, w.hu() + 1)


def test_control_characters_of_a_description_do_not_reach_the_terminal(tmp_path: Path) -> None:
    def mutate(index: int, data: object) -> None:
        data.SeriesDescription = "a\x1b[31mb"

    w.series(tmp_path / "ct", mutate)
    w.series(tmp_path / "ct", number=2, name="o{}")
    with pytest.raises(InputError) as caught:
        read_dicom(tmp_path / "ct")
    assert "\x1b" not in str(caught.value)


def test_no_file_is_written_outside_by_a_hostile_zip(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for case in CASES:
        if case.id in ("zip-leaves", "zip-absolute"):
            with pytest.raises(InputError):
                read_dicom(case.write(tmp_path / "deep"))
            assert not list(tmp_path.rglob("evil*"))
            shutil.rmtree(tmp_path / "deep")
            (tmp_path / "deep").mkdir()
    assert not Path("/tmp/evil.dcm").exists()
