"""A mask is accepted wherever a command takes one, and every command says what it took for liver and tumor."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import dicom_writer as w
import seg_cases
from made_nifti import write
from rmaunet.cli.main import main
from rmaunet.core.errors import InputError
from rmaunet.core.volume import make_volume
from rmaunet.io import read_mask, read_scan, write_mask, write_volume

Capture = pytest.CaptureFixture[str]
MASK = seg_cases.MASK
LIVER_ML = int((MASK > 0).sum()) * 2.5 * 0.75 * 0.5 / 1000
TUMOR_ML = int((MASK == 2).sum()) * 2.5 * 0.75 * 0.5 / 1000


def as_file(folder: Path) -> Path:
    return seg_cases.foreign()(folder)


def as_folder(folder: Path) -> Path:
    return seg_cases.foreign(name="masks/IM1")(folder).parent


def as_zip(folder: Path) -> Path:
    path = as_file(folder)
    with zipfile.ZipFile(folder / "m.zip", "w") as archive:
        archive.write(path, "x/y.dcm")
    return folder / "m.zip"


def as_study(folder: Path) -> Path:
    """The CT and the SEG in one folder, which is scan and mask."""
    return seg_cases.foreign(name="ct/seg.dcm")(folder).parent


def as_structures(folder: Path) -> Path:
    as_file(folder)
    scan = read_scan(folder / "ct")
    for name, inside in (("liver", MASK > 0), ("liver_tumor", MASK == 2), ("spleen", MASK < 0)):
        mask = make_volume(inside.astype(np.uint8), scan.volume.affine)
        write_mask(mask, folder / "structures" / f"{name}.nii.gz", like=scan)
    return folder / "structures"


SHAPES: dict[str, Callable[[Path], Path]] = {
    "file": as_file, "folder": as_folder, "zip": as_zip, "study": as_study, "structures": as_structures,
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_measure_report_and_convert(shape: str, tmp_path: Path, capsys: Capture) -> None:
    mask = SHAPES[shape](tmp_path)
    ct, out = str(tmp_path / "ct"), tmp_path / "o"
    assert main(["measure", "-i", ct, "-s", str(mask), "-o", str(out), "--no-overlay"]) == 0
    assert f"{mask.name}: liver = " in capsys.readouterr().err
    measures = json.loads((out / "measures.json").read_text())
    assert measures["liver_ml"] == pytest.approx(LIVER_ML)
    assert measures["tumor_ml"] == pytest.approx(TUMOR_ML)
    segments = json.loads((out / "run.json").read_text())["segments"]
    assert [row["used_as"] for row in segments][:2] == ["liver", "tumor"]
    assert sum(row["voxels"] or 0 for row in segments) >= int((MASK > 0).sum())
    assert main(["report", "-i", ct, "-s", str(mask), "-o", str(tmp_path / "r.html")]) == 0
    assert f"{mask.name}: liver = " in capsys.readouterr().err
    assert main(["convert", "-i", str(mask), "--like", ct, "-o", str(tmp_path / "c.nii.gz")]) == 0
    assert f"{mask.name}: liver = " in capsys.readouterr().err
    np.testing.assert_array_equal(read_mask(tmp_path / "c.nii.gz", like=read_scan(tmp_path / "ct")).array, MASK)


@pytest.mark.parametrize("shape", ["folder", "zip", "structures"])
def test_evaluate_figures_and_info(shape: str, tmp_path: Path, capsys: Capture) -> None:
    mask = SHAPES[shape](tmp_path)
    scan = read_scan(tmp_path / "ct")
    write_mask(make_volume(MASK, scan.volume.affine), tmp_path / "ref.nii.gz", like=scan)
    words = ["evaluate", "-r", str(tmp_path / "ref.nii.gz"), "-p", str(mask), "-o", str(tmp_path / "e"), "--no-surface"]
    if shape == "structures":
        assert main([*words, "--no-leaks"]) == 0
        manifest = json.loads((tmp_path / "e" / "manifest.json").read_text())
        assert manifest["inputs"][0]["segments"]["prediction"][1]["used_as"] == "tumor"
        assert "tumor dice 1.0000" in capsys.readouterr().err
    ct = str(tmp_path / "ct")
    assert main(["figures", "-i", ct, "--masks", f"a={mask}", "-o", str(tmp_path / "f"), "--dpi", "40"]) == 0
    capsys.readouterr()
    assert main(["info", str(mask), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["scans"][0]
    assert row["refused"] is None
    assert "mask: liver = " in row["use"]


def test_evaluate_takes_a_folder_with_one_seg(tmp_path: Path, capsys: Capture) -> None:
    mask = seg_cases.foreign(between=2.5, name="masks/IM1")(tmp_path).parent
    scan = read_scan(tmp_path / "ct")
    write_mask(make_volume(MASK, scan.volume.affine), tmp_path / "ref.nii.gz", like=scan)
    for pair in ((mask, tmp_path / "ref.nii.gz"), (tmp_path / "ref.nii.gz", mask), (mask, mask)):
        out = tmp_path / "e"
        words = ["evaluate", "-r", str(pair[0]), "-p", str(pair[1]), "-o", str(out), "--no-surface", "--no-leaks"]
        assert main(words) == 0
        assert "liver dice 1.0000, tumor dice 1.0000" in capsys.readouterr().err


def generic(folder: Path) -> Path:
    return seg_cases.foreign(names=("Segment 1", "Segment 2"), codes=(seg_cases.TISSUE, seg_cases.TISSUE))(folder)


def test_segments_of_a_seg_are_mapped_by_number(tmp_path: Path, capsys: Capture) -> None:
    mask = generic(tmp_path)
    words = ["measure", "-i", str(tmp_path / "ct"), "-s", str(mask), "-o", str(tmp_path / "o"), "--no-overlay"]
    assert main(words) == 3
    assert "--label 1=liver 2=tumor" in capsys.readouterr().err
    assert not (tmp_path / "o" / "measures.json").exists()
    assert main([*words, "--label", "1=liver", "2=tumor"]) == 0
    run = json.loads((tmp_path / "o" / "run.json").read_text())
    assert run["labels"] == {"1": 1, "2": 2}
    assert [row["used_as"] for row in run["segments"]] == ["liver", "tumor"]
    assert main(["info", str(mask)]) == 0
    assert "--label 1=liver 2=tumor" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["measure", "measure alone", "report", "convert", "evaluate", "info"])
def test_contours_are_named_everywhere(command: str, tmp_path: Path, capsys: Capture) -> None:
    contours, ct = seg_cases.contours(tmp_path), str(tmp_path / "ct")
    out = str(tmp_path / "o")
    words = {
        "measure": ["measure", "-i", ct, "-s", str(contours), "-o", out],
        "measure alone": ["measure", "-s", str(contours), "-o", out],
        "report": ["report", "-i", ct, "-s", str(contours), "-o", out + ".html"],
        "convert": ["convert", "-i", str(contours), "-o", out + ".nii.gz"],
        "evaluate": ["evaluate", "-r", str(contours), "-p", str(contours), "-o", out, "--no-leaks"],
        "info": ["info", str(contours)],
    }[command]
    assert main(words) == 3
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert "RTSTRUCT: contours (Leber) are not supported yet; convert it to DICOM SEG or NIfTI" in said


def test_contours_given_as_a_scan_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="RTSTRUCT: contours"):
        read_scan(seg_cases.contours(tmp_path))


def test_a_study_without_a_segmentation_says_what_it_holds(tmp_path: Path, capsys: Capture) -> None:
    ct = str(w.series(tmp_path / "ct"))
    assert main(["measure", "-i", ct, "-s", ct, "-o", str(tmp_path / "o")]) == 3
    assert "there is no segmentation in it (6 CT files)" in capsys.readouterr().err


def test_cases_of_a_cohort_may_be_folders(tmp_path: Path, capsys: Capture) -> None:
    """Two patients; the masks of one are files of one structure, those of the other a SEG in a folder."""
    (tmp_path / "scans").mkdir()
    (tmp_path / "masks").mkdir()
    for name, make in (("a", as_structures), ("b", as_folder)):
        work = tmp_path / "work" / name
        work.mkdir(parents=True)
        shutil.copytree(make(work), tmp_path / "masks" / name)
        write_volume(read_scan(work / "ct").volume, tmp_path / "scans" / f"{name}.nii.gz")
    words = ["measure", "-i", str(tmp_path / "scans"), "-s", str(tmp_path / "masks"), "-o", str(tmp_path / "o")]
    assert main([*words, "--no-overlay"]) == 0
    rows = (tmp_path / "o" / "cohort.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["a", "b"]
    assert rows[1].split(",")[1:4] == rows[2].split(",")[1:4]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("a", 1, "mask (1 liver, 2 tumor)"),
        ("b", 5, "--label 5=liver"),
        ("liver_tumor", 1, "--label 1=tumor` reads it"),
        ("spleen", 1, "not the liver"),
    ],
)
def test_info_tells_what_a_label_map_is_for(name: str, value: int, said: str, tmp_path: Path, capsys: Capture) -> None:
    array = np.zeros((5, 6, 7), np.uint8)
    array[1:3, 2:4, 3:5] = value
    assert main(["info", str(write(tmp_path, array=array, name=f"{name}.nii.gz"))]) == 0
    assert said in capsys.readouterr().out
