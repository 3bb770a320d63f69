"""Which scans a folder holds, and that finding them reads every header once."""

from collections import Counter
from pathlib import Path

import pytest

import dicom_writer as w
from rmaunet.cohort.find_scans import find_items, is_batch
from rmaunet.io.dicom import dicom_files


def names(root: Path, **options) -> list[str]:
    return [item.name for item in find_items(root, **options)]


def test_every_header_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b", "c"):
        w.series(tmp_path / folder, patient=ord(folder))
    (tmp_path / "d.nii.gz").write_bytes(b"x")
    read: Counter[Path] = Counter()
    parse = dicom_files._parse

    def counted(file, path, shown, *, force):
        read[path] += 1
        return parse(file, path, shown, force=force)

    monkeypatch.setattr(dicom_files, "_parse", counted)
    items = find_items(tmp_path)
    assert is_batch(items)
    assert [item.name for item in items] == ["a", "b", "c", "d"]
    assert len(read) == 3 * w.DEPTH
    assert set(read.values()) == {1}


def test_one_dicom_place_is_one_scan_and_several_series_there_a_question(tmp_path: Path) -> None:
    w.series(tmp_path / "ct")
    assert not is_batch(find_items(tmp_path))
    w.series(tmp_path / "ct", number=2, name="o{}")
    items = find_items(tmp_path)
    assert {item.series for item in items} == {f"{w.UID}.1.1", f"{w.UID}.1.2"}
    assert len({item.name for item in items}) == 2
    assert not is_batch(items)
    w.series(tmp_path / "other", patient=2)
    assert is_batch(find_items(tmp_path))


def test_a_folder_of_nothing_is_no_batch(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / ".hidden.nii.gz").write_text("x")
    assert find_items(tmp_path) == []
    assert not is_batch([])


def test_results_are_left_out_only_where_they_lie_in_the_folder(tmp_path: Path) -> None:
    scans = tmp_path / "all" / "scans"
    (scans / "out").mkdir(parents=True)
    for name in ("a.nii.gz", "out/a_seg.nii.gz"):
        (scans / name).write_bytes(b"x")
    assert names(scans, leave_out=scans / "out") == ["a"]
    assert names(scans, leave_out=tmp_path / "all") == ["a", "out__a_seg"]
    assert names(scans, leave_out=scans) == ["a", "out__a_seg"]


def test_files_that_differ_in_suffix_only_keep_apart(tmp_path: Path) -> None:
    for name in ("a.nii", "a.nrrd", "b/a.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert len(set(names(tmp_path))) == 3
