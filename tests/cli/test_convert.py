"""rmaunet convert and rmaunet info, as a user calls them."""

import json
from pathlib import Path

import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import GridSource, Scan, read_mask, write_mask, write_volume


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path, np.ndarray]:
    made = phantom(seed=1, shape=(16, 48, 48))
    write_volume(made.ct, tmp_path / "ct.nii.gz")
    scan = Scan(made.ct, "ct", GridSource(tmp_path / "ct.nrrd"))
    write_mask(made.mask, tmp_path / "mask.nii.gz", like=scan)
    return tmp_path / "ct.nii.gz", tmp_path / "mask.nii.gz", made.mask.array


def test_a_mask_survives_slicer_and_comes_back(case: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    ct, mask, truth = case
    slicer, back = tmp_path / "m.seg.nrrd", tmp_path / "back.nii.gz"
    assert main(["convert", "-i", str(mask), "-o", str(slicer)]) == 0
    assert main(["convert", "-i", str(slicer), "-o", str(back), "--like", str(ct)]) == 0
    np.testing.assert_array_equal(read_mask(back).array, truth)
    assert back.read_bytes() == mask.read_bytes()


def test_foreign_values_are_mapped_by_name(case: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    _, mask, truth = case
    foreign = make_volume(truth * 5, read_mask(mask).affine)
    write_volume(foreign, tmp_path / "foreign.nii.gz")
    out = tmp_path / "out.nii.gz"
    given = ["convert", "-i", str(tmp_path / "foreign.nii.gz"), "-o", str(out)]
    assert main(given) == 3
    assert not out.exists()
    assert main([*given, "--label", "5=liver", "10=tumor"]) == 0
    np.testing.assert_array_equal(read_mask(out).array, truth)
    assert main([*given, "--label", "5=spleen"]) == 2


def test_a_dicom_seg_needs_a_dicom_ct(case: tuple[Path, Path, np.ndarray], tmp_path: Path, capsys) -> None:
    ct, mask, _ = case
    assert main(["convert", "-i", str(mask), "-o", str(tmp_path / "m.seg.dcm"), "--like", str(ct)]) == 2
    assert "DICOM" in capsys.readouterr().err
    assert not (tmp_path / "m.seg.dcm").exists()


def test_info_tells_geometry_and_hu(case: tuple[Path, Path, np.ndarray], capsys) -> None:
    ct, _, _ = case
    assert main(["info", str(ct), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["scans"]
    made = phantom(seed=1, shape=(16, 48, 48)).ct
    assert row["format"] == "NIfTI-1"
    assert row["voxels"] == [48, 48, 16]
    assert row["axes_grow_toward"] == ["L", "P", "H"]
    np.testing.assert_allclose(row["spacing_mm"], made.spacing[::-1], rtol=1e-5)
    assert row["hu_range"] == [max(-1024, made.array.min()), made.array.max()]
    assert row["refused"] is None


def test_info_counts_the_labels_of_a_mask(case: tuple[Path, Path, np.ndarray], capsys) -> None:
    _, mask, truth = case
    assert main(["info", str(mask), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["scans"]
    values, counts = np.unique(truth, return_counts=True)
    assert row["labels"] == {str(v): n for v, n in zip(values, counts.tolist(), strict=True)}


def test_info_says_why_a_file_would_be_refused(case: tuple[Path, Path, np.ndarray], tmp_path: Path, capsys) -> None:
    ct, _, _ = case
    (tmp_path / "cut.nii.gz").write_bytes(ct.read_bytes()[:-100])
    assert main(["info", str(tmp_path / "cut.nii.gz")]) == 3
    assert "cut off" in capsys.readouterr().out
    assert main(["info", str(tmp_path)]) == 0  # the folder also holds good files
    said = capsys.readouterr().out
    assert "cut off" in said
    assert "labels" in said
    assert main(["info", str(tmp_path / "none.nii")]) == 3
