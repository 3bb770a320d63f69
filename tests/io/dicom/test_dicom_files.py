"""What a folder holds, and what a batch takes from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset

import dicom_writer as w
from dicom_cases import CASES
from rmaunet.core.errors import InputError
from rmaunet.io.dicom.read_dicom import find_scans, list_series, read_dicom
from rmaunet.io.storage.zip_archive import extracted

BY_ID = {case.id: case for case in CASES}


def test_a_sound_series_is_listed_with_its_geometry(tmp_path: Path) -> None:
    def contrast(index: int, data: Dataset) -> None:
        data.ContrastBolusAgent = "IODINE"

    (info,) = list_series(w.series(tmp_path / "ct", contrast))
    assert (info.uid, info.description, info.modality) == (f"{w.UID}.1.1", "Abdomen portal venous", "CT")
    assert (info.slices, info.shape) == (w.DEPTH, (w.DEPTH, w.ROWS, w.COLUMNS))
    assert info.spacing_mm == pytest.approx(w.SPACING)
    assert info.affine == pytest.approx(w.affine())
    assert (info.kept, info.reason, info.contrast, info.phase_hint) == (True, "", True, "portal venous")


@pytest.mark.parametrize(
    ("id_", "reason"),
    [
        ("gap", "missing between"),
        ("mr", "not CT"),
        ("no-position", "ImagePositionPatient"),
        ("two-phases", "two phases"),
    ],
)
def test_a_refused_series_says_why(id_: str, reason: str, tmp_path: Path) -> None:
    (info,) = list_series(BY_ID[id_].write(tmp_path))
    assert not info.kept
    assert reason in info.reason


def test_damaged_files_and_archives_are_listed(tmp_path: Path) -> None:
    rows = list_series(BY_ID["cut-header"].write(tmp_path))
    assert any(not row.kept and "IM0003.dcm" in row.reason for row in rows)
    (tmp_path / "z").mkdir()
    (row,) = list_series(BY_ID["zip"].write(tmp_path / "z"))
    assert row.kept


def test_every_series_of_a_tree_is_found_and_read(tmp_path: Path) -> None:
    w.series(tmp_path / "a" / "1")
    w.series(tmp_path / "a" / "1", number=2, name="x{}")
    w.series(tmp_path / "b", patient=2)
    BY_ID["mr"].write(tmp_path / "mr")
    w.series(tmp_path / "split" / "left", skip=(0, 1, 2), patient=3)
    w.series(tmp_path / "split" / "right", skip=(3, 4, 5), patient=3)
    found = find_scans(tmp_path)
    assert found == [
        (tmp_path / "a" / "1", f"{w.UID}.1.1"),
        (tmp_path / "a" / "1", f"{w.UID}.1.2"),
        (tmp_path / "b", f"{w.UID}.2.1"),
        (tmp_path / "split", f"{w.UID}.3.1"),
    ]
    for path, uid in found:
        assert read_dicom(path, series=uid).volume.spatial_shape == (w.DEPTH, w.ROWS, w.COLUMNS)


def test_a_folder_of_damaged_files_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    w.series(tmp_path / "good")
    bad = w.series(tmp_path / "bad")
    for path in bad.iterdir():
        path.write_bytes(path.read_bytes()[:400])
    assert find_scans(tmp_path) == [(bad, ""), (tmp_path / "good", f"{w.UID}.1.1")]
    with pytest.raises(InputError):
        read_dicom(bad, series="")


def test_a_damaged_file_elsewhere_does_not_spoil_a_series(tmp_path: Path) -> None:
    w.series(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    pairs = dict(find_scans(tmp_path))
    assert read_dicom(tmp_path / "good", series=pairs[tmp_path / "good"]).name == "good"


def test_an_archive_is_gone_afterwards(tmp_path: Path) -> None:
    path = BY_ID["zip"].write(tmp_path)
    with extracted(path) as folder:
        assert len(list(folder.rglob("*.dcm"))) == w.DEPTH
    assert not folder.exists()


def test_paths_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read_dicom(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError):
        read_dicom(tmp_path / "loop")
    with pytest.raises(InputError):
        read_dicom(Path("/dev/null"))
