"""Links: a target's name is written nowhere; linked folders are followed by everything that looks for files."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.io import read_mask, read_scan
from small import CT, known_network, write_ct, write_dicom, write_labels

PERSON = "DOE_JANE_1950"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PWD", str(tmp_path / "work"))
    write_dicom(tmp_path / "archive" / PERSON)
    write_ct(tmp_path / "archive" / f"{PERSON}.nii.gz")
    write_labels(tmp_path / "archive" / f"{PERSON}_seg.nii.gz")
    with known_network():
        yield tmp_path


def link(target: str, name: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(Path("..").absolute() / target)
    return path


def nobody_is_named(folder: Path, said: str) -> None:
    assert PERSON not in said
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert PERSON not in str(path)
        assert PERSON.encode() not in path.read_bytes(), path


WAYS = {  # what is linked, and the words
    "a DICOM folder": ("archive/" + PERSON, "case7", ["segment", "-i", "case7", "-o", "o", "--report"]),
    "a DICOM folder as SEG": (
        "archive/" + PERSON, "case7", ["segment", "-i", "case7", "-o", "o", "--format", "dicom-seg", "nrrd"]
    ),
    "a file": (f"archive/{PERSON}.nii.gz", "case7.nii.gz", ["segment", "-i", "case7.nii.gz", "-o", "o", "--report"]),
    "a cohort of links": ("archive/" + PERSON, "scans/case7", ["segment", "-i", "scans", "-o", "o", "--report"]),
    "measure": ("archive/" + PERSON, "case7", ["measure", "-i", "case7", "-s", "mask.nii.gz", "-o", "o"]),
    "report": ("archive/" + PERSON, "case7", ["report", "-i", "case7", "-s", "mask.nii.gz", "-o", "o/page.html"]),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_name_of_a_links_target_is_written_nowhere(
    way: str, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, name, words = WAYS[way]
    link(target, name)
    link(f"archive/{PERSON}_seg.nii.gz", "mask.nii.gz")
    if way == "a cohort of links":
        link(f"archive/{PERSON}.nii.gz", "scans/case8.nii.gz")
    assert main(words) == 0
    said = capsys.readouterr()
    nobody_is_named(Path("o"), said.out + said.err)
    if words[0] == "segment":
        assert Path("o/case7_run.json").exists()
        assert json.loads(Path("o/case7_run.json").read_text())["input"].startswith("case7")


@pytest.mark.parametrize("given", [".", "./"])
def test_a_link_that_is_the_current_folder(
    given: str, world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    link("archive/" + PERSON, "case7")
    monkeypatch.setenv("PWD", os.path.join(os.environ["PWD"], "case7"))  # noqa: PTH118
    monkeypatch.chdir("case7")
    out = world / "work" / "o"
    assert main(["segment", "-i", given, "-o", str(out), "--report"]) == 0
    said = capsys.readouterr()
    nobody_is_named(out, said.out + said.err)
    assert (out / "case7_seg.nii.gz").exists()


def test_a_cohort_follows_links_and_names_those_that_lead_nowhere(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ct(Path("scans/a.nii.gz"))
    link(f"archive/{PERSON}.nii.gz", "scans/b.nii.gz")
    link("archive/" + PERSON, "scans/c")
    Path("scans/loop").symlink_to(Path("scans").absolute())
    Path("scans/lost").symlink_to("nowhere")
    assert main(["segment", "-i", "scans", "-o", "o", "--no-overlay", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["done"] == ["a", "b", "c"]
    assert said.err.count("warning: scans: 1 link left out for leading nowhere: lost") == 1
    assert PERSON not in said.err
    (world / "archive" / PERSON / "000.dcm").touch()  # changed since, behind the link
    os.utime(world / "archive" / PERSON / "001.dcm", (1, 1))
    assert main(["segment", "-i", "scans", "-o", "o", "--no-overlay", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["done"], again["kept"]) == (["c"], ["a", "b"])


def test_half_a_series_in_a_linked_folder_is_no_shorter_scan(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = sorted((world / "archive" / PERSON).iterdir())
    (world / "other").mkdir()
    for path in whole[10:]:
        path.rename(world / "other" / path.name)
    (world / "archive" / PERSON / "rest").symlink_to(world / "other")
    link("archive/" + PERSON, "case7")
    scan = read_scan("case7")
    assert np.array_equal(scan.volume.array, CT.array)
    assert main(["info", "case7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scans"][0]["slices"] == 20
    assert main(["segment", "-i", "case7", "-o", "o", "--no-overlay"]) == 0
    assert read_mask("o/case7_seg.nii.gz").spatial_shape == CT.spatial_shape


def test_data_sets_with_linked_folders(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (0, 1):
        write_ct(world / f"part{n}/volume-{n}.nii.gz", plus=n)
        write_labels(world / f"part{n}/segmentation-{n}.nii.gz")
        link(f"part{n}", f"lits/part{n}")
    assert main(["data", "check", "lits", "--json"]) == 0
    assert [case["name"] for case in json.loads(capsys.readouterr().out)["cases"]] == ["volume-0", "volume-1"]
    assert main(["prepare", "lits", "lits", "-o", "store", "--size", "32", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cases"] == 2
    assert main(["info", "lits", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["scans"]) == 4
