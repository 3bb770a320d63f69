"""``rmaunet measure`` and ``rmaunet figures`` from files to files."""

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.core.volume import Volume
from rmaunet.datasets.phantoms.phantom import Phantom, phantom
from rmaunet.measurement import measure


def write(volume: Volume, path: Path, values: dict[int, int] | None = None) -> Path:
    """As NIfTI, which counts columns first and in RAS."""
    array = np.asarray(volume.array)
    for old, new in (values or {}).items():
        array = np.where(volume.array == old, np.uint8(new), array)
    affine = np.diag([-1.0, -1, 1, 1]) @ np.asarray(volume.affine)[:, [2, 1, 0, 3]]
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(array.transpose(2, 1, 0), affine), path)
    return path


@pytest.fixture(scope="module")
def made() -> Phantom:
    return phantom(seed=7, shape=(32, 48, 48))


def test_one_scan(made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ct, mask = (
        write(made.ct, tmp_path / "ct.nii.gz"),
        write(made.mask.to_patient_orientation("FAR"), tmp_path / "m.nii.gz"),
    )
    out = tmp_path / "out"
    assert main(["measure", "-i", str(ct), "-s", str(mask), "-o", str(out)]) == 0
    expected = measure(made.ct, made.mask)
    assert f"liver with tumor  {expected.liver_ml:9.1f} ml" in capsys.readouterr().out
    assert sorted(file.name for file in out.iterdir()) == [
        "lesions.csv", "measures.csv", "measures.json", "overlay.png", "run.json",
    ]  # fmt: skip
    content = json.loads((out / "measures.json").read_text())
    assert content["name"] == "ct"
    assert content["liver_ml"] == pytest.approx(expected.liver_ml)
    assert content["parenchyma_hu"]["mean"] == pytest.approx(expected.parenchyma_hu.mean)
    assert len(content["lesions"]) == 3
    manifest = json.loads((out / "run.json").read_text())
    assert set(manifest["outputs"]) == {"lesions.csv", "measures.csv", "measures.json", "overlay.png"}
    assert set(manifest["inputs"]) == {"ct", "mask"}
    assert str(tmp_path) not in (out / "run.json").read_text()


def test_foreign_labels_without_ct_as_json(made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = write(made.mask, tmp_path / "total.nii.gz", {1: 5, 2: 9})
    words = ["measure", "-s", str(mask), "-o", str(tmp_path / "o"), "--label", "5=liver", "9=Tumor", "--json"]
    assert main(words) == 0
    content = json.loads(capsys.readouterr().out)
    expected = measure(None, made.mask)
    assert (content["liver_ml"], content["tumor_ml"]) == pytest.approx((expected.liver_ml, expected.tumor_ml))
    assert content["parenchyma_hu"]["mean"] is None
    assert not (tmp_path / "o" / "overlay.png").exists()
    assert main([*words[:6], "5=liver", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tumor_ml"] == 0


def test_folders_are_matched_and_one_bad_case_costs_only_itself(
    made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans, masks, out = tmp_path / "scans", tmp_path / "masks", tmp_path / "out"
    for name in ("a_0000", "volume-2", "lonely", "bad"):
        write(made.ct, scans / f"{name}.nii.gz")
    write(made.mask, masks / "a.nii.gz")
    write(made.mask, masks / "segmentation-2.nii.gz")
    (masks / "bad_seg.nii.gz").write_bytes(b"no nifti")
    assert main(["measure", "-i", str(scans), "-s", str(masks), "-o", str(out), "--no-overlay"]) == 3
    captured = capsys.readouterr()
    assert "1 cases have no mask and are left out: lonely" in captured.err
    assert "2 measured, 1 failed" in captured.out
    rows = list(csv.DictReader((out / "cohort.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["2", "a"]
    assert float(rows[0]["liver_ml"]) == pytest.approx(measure(None, made.mask).liver_ml)
    lesions = list(csv.DictReader((out / "lesions.csv").read_text().splitlines()))
    assert [row["name"] for row in lesions] == ["2"] * 3 + ["a"] * 3
    (failure,) = csv.DictReader((out / "failures.csv").read_text().splitlines())
    assert failure["name"] == "bad"
    assert "bad_seg.nii.gz" in failure["error"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--label", "5=spleen"], 2, "--label = 5=spleen: is not VALUE=NAME"),
        (["--label", "5=liver", "5=tumor"], 2, "names a value twice"),
        (["-i", "missing.nii"], 3, "missing.nii: path: does not exist"),
    ],
)
def test_refusals(
    words: list[str], code: int, message: str, made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = write(made.mask, tmp_path / "m.nii.gz")
    assert main(["measure", "-s", str(mask), "-o", str(tmp_path / "o"), *words]) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_two_masks_of_one_case_and_one_folder_for_both(
    made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans, masks = tmp_path / "scans", tmp_path / "masks"
    write(made.ct, scans / "a.nii.gz")
    write(made.mask, masks / "a.nii.gz")
    assert main(["measure", "-i", str(masks), "-s", str(masks), "-o", str(tmp_path / "o")]) == 2
    write(made.mask, masks / "a_seg.nii.gz")
    assert main(["measure", "-i", str(scans), "-s", str(masks), "-o", str(tmp_path / "o")]) == 3
    assert "masks of case a = a.nii.gz, a_seg.nii.gz: are two" in capsys.readouterr().err


def test_figures(made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ct, mask = write(made.ct, tmp_path / "ct.nii.gz"), write(made.mask, tmp_path / "m.nii.gz")
    evaluated, out = tmp_path / "scores", tmp_path / "figures"
    assert main(["evaluate", "-r", str(mask), "-p", str(mask), "-o", str(evaluated), "--no-surface"]) == 0
    capsys.readouterr()
    words = [
        "figures",
        "--cases",
        str(evaluated / "cases.csv"),
        "--metrics",
        "dice",
        "voe",
        "-o",
        str(out),
        "--dpi",
        "60",
    ]
    assert main([*words, "-i", str(ct), "--masks", f"ours={mask}"]) == 0
    names = ["bland_altman", "box_dice", "box_voe", "contours", "dice_by_size"]
    assert sorted(file.name for file in out.iterdir()) == sorted(f"{n}{s}" for n in names for s in (".png", ".pdf"))
    assert capsys.readouterr().out.splitlines()[0].endswith("box_dice.png")
    assert main(["figures", "-o", str(out)]) == 2
    assert main(["figures", "--masks", str(mask), "-o", str(out)]) == 2
    assert "-i, --masks: go together" in capsys.readouterr().err
    assert main(["figures", "--cases", "x=missing.csv", "-o", str(out)]) == 3


def test_a_folder_of_pictures_is_refused_with_the_way_out(
    made: Phantom, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(made.ct, tmp_path / "scans" / "ct.nii.gz")
    (tmp_path / "masks").mkdir()
    for index in range(3):
        (tmp_path / "masks" / f"liver_GT_{index:03d}.PNG").write_bytes(b"\x89PNG")
    command = ["measure", "-i", str(tmp_path / "scans"), "-s", str(tmp_path / "masks"), "-o", str(tmp_path / "out")]
    assert main(command) == 3
    assert "masks = 3 pictures: tell neither where" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
