"""Matching predictions to references by file name."""

from pathlib import Path

import pytest

from rmaunet.core.errors import InputError, UsageError
from rmaunet.metrics.pairing import case_name, match_files


def folder(parent: Path, name: str, *files: str) -> Path:
    path = parent / name
    path.mkdir()
    for file in files:
        (path / file).touch()
    return path


@pytest.mark.parametrize(
    ("file", "case"),
    [
        ("volume-7.nii", "7"),
        ("segmentation-7.nii.gz", "7"),
        ("volume-7_seg.nii.gz", "7"),
        ("test-volume-7.nii", "test-7"),
        ("test-segmentation-7.nii", "test-7"),
        ("liver_012_0000.nii.gz", "liver_012"),
        ("liver_012.nii.gz", "liver_012"),
        ("liver_012_0000_seg.nii.gz", "liver_012"),
        ("Case A.seg.nrrd", "Case A"),
        ("a-mask.NII.GZ", "a"),
        ("a_labels.mha", "a"),
        ("patient.1.nii", "patient.1"),
        ("segmentation.nii.gz", "segmentation"),
        ("volume-.nii", "volume-"),
        ("_seg.nii", "_seg"),
    ],
)
def test_rule(file: str, case: str) -> None:
    assert case_name(file) == case


def test_two_files_need_no_like_names(tmp_path: Path) -> None:
    here = folder(tmp_path, "x", "truth.nii.gz", "guess.nii.gz")
    (pair,) = match_files(here / "truth.nii.gz", here / "guess.nii.gz").pairs
    assert (pair.name, pair.reference.name, pair.prediction.name) == ("truth", "truth.nii.gz", "guess.nii.gz")


def test_folders(tmp_path: Path) -> None:
    reference = folder(
        tmp_path, "r", "volume-2.nii", "segmentation-2.nii", "segmentation-10.nii", "segmentation-3.nii", "notes.txt"
    )
    prediction = folder(
        tmp_path, "p", "volume-10_seg.nii.gz", "volume-2.nii.gz", "volume-99.nii.gz", ".partial-1.nii.gz", "run.json"
    )
    found = match_files(reference, prediction)
    assert [(p.name, p.reference.name, p.prediction.name) for p in found.pairs] == [
        ("2", "segmentation-2.nii", "volume-2.nii.gz"),
        ("10", "segmentation-10.nii", "volume-10_seg.nii.gz"),
    ]
    assert found.only_reference == ("3",)
    assert found.only_prediction == ("99",)
    assert found.duplicates == ()


def test_duplicates_are_named(tmp_path: Path) -> None:
    reference = folder(tmp_path, "r", "a.nii", "b.nii")
    prediction = folder(tmp_path, "p", "a_seg.nii", "a.nii.gz", "b.nii")
    found = match_files(reference, prediction)
    assert [pair.name for pair in found.pairs] == ["b"]
    assert found.duplicates == (("a", ("a.nii.gz", "a_seg.nii")),)


def test_nothing_matches(tmp_path: Path) -> None:
    reference, prediction = folder(tmp_path, "r", "a.nii"), folder(tmp_path, "p", "b.nii")
    with pytest.raises(InputError, match=r"no case is in both folders; name files alike"):
        match_files(reference, prediction)
    with pytest.raises(InputError, match="no masks"):
        match_files(reference, folder(tmp_path, "empty"))


def test_missing_and_mixed(tmp_path: Path) -> None:
    reference = folder(tmp_path, "r", "a.nii")
    with pytest.raises(InputError, match=r"gone: prediction: no such file or folder"):
        match_files(reference, tmp_path / "gone")
    with pytest.raises(UsageError, match="give two of a kind"):
        match_files(reference, reference / "a.nii")
