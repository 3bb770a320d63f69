"""``rmaunet evaluate`` from files to files."""

import csv
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from rmaunet.cli.main import main

SPACING = (0.8, 0.8, 2.5)


def write(path: Path, labels: np.ndarray, spacing: tuple[float, ...] = SPACING) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(labels, np.diag([*spacing, 1.0]))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, path)
    return path


def labels(shift: int = 0) -> np.ndarray:
    array = np.zeros((16, 14, 12), np.uint8)
    array[3:12, 3:11, 2:9] = 1
    array[5:8, 5:8, 4:7] = 2
    return np.roll(array, shift, axis=0)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    for number in (1, 2, 10):
        write(tmp_path / "r" / f"segmentation-{number}.nii.gz", labels())
        write(tmp_path / "p" / f"volume-{number}_seg.nii.gz", labels(number % 3))
    return tmp_path / "r", tmp_path / "p", tmp_path / "out"


def run(reference: Path, prediction: Path, output: Path, *more: str) -> int:
    return main(["evaluate", "-r", str(reference), "-p", str(prediction), "-o", str(output), *more])


def test_two_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference, prediction = write(tmp_path / "a.nii.gz", labels()), write(tmp_path / "b.nii", labels(1))
    assert run(reference, prediction, tmp_path / "out") == 0
    (row,) = rows(tmp_path / "out" / "cases.csv")
    assert row["name"] == "a"
    assert float(row["liver_dice"]) == pytest.approx(8 / 9)
    assert float(row["liver_msd_mm"]) == pytest.approx(0.8, abs=1e-4)
    assert float(row["tumor_dice"]) == pytest.approx(2 / 3)
    assert float(row["liver_reference_ml"]) == pytest.approx(9 * 8 * 7 * 0.8 * 0.8 * 2.5 / 1000, rel=1e-5)
    printed = capsys.readouterr()
    assert "| Liver DSC" in printed.out
    assert "0.8889" in printed.out
    assert "[1/1] a: liver dice 0.8889" in printed.err
    assert printed.out == (tmp_path / "out" / "table.md").read_text()


def test_folders(folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    _, prediction, output = folders
    write(prediction / "volume-99_seg.nii.gz", labels())
    assert run(*folders, "--json", "--per-slice") == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert summary == json.loads((output / "summary.json").read_text())
    assert summary["cases"] == 3
    assert summary["per_case"]["liver_dice"]["n"] == 3
    assert summary["per_case"]["liver_dice"]["mean"] == pytest.approx((8 / 9 + 7 / 9 + 8 / 9) / 3)
    assert "99" in printed.err
    assert [row["name"] for row in rows(output / "cases.csv")] == ["1", "2", "10"]
    assert len(rows(output / "slices.csv")) == 3 * 12
    assert summary["per_slice"]["liver_dice"]["n"] == 3 * 7
    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["command"][:2] == ["rmaunet", "evaluate"]
    assert manifest["only_prediction"] == ["99"]
    assert manifest["conventions"]["convention"] == "paper"
    assert [entry["case"] for entry in manifest["inputs"]] == ["1", "2", "10"]
    assert len(manifest["inputs"][0]["reference"]["sha256"]) == 64
    assert manifest["inputs"][0]["reference"]["file"] == "segmentation-1.nii.gz"
    assert not (output / "failures.csv").exists()


def test_bad_cases_cost_only_themselves(folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    reference, prediction, output = folders
    write(prediction / "volume-2_seg.nii.gz", labels()[:, :, :-1])
    (prediction / "volume-10_seg.nii.gz").write_bytes(b"not a NIfTI")
    write(reference / "segmentation-11.nii.gz", labels())
    write(prediction / "11.nii.gz", labels() * 3)
    write(reference / "segmentation-12.nii.gz", labels())
    write(prediction / "12.nii.gz", labels())
    write(prediction / "12_seg.nii.gz", labels())
    assert run(*folders) == 3
    assert [row["name"] for row in rows(output / "cases.csv")] == ["1"]
    failures = {row["case"]: row["reason"] for row in rows(output / "failures.csv")}
    assert sorted(failures) == ["10", "11", "12", "2"]
    assert "(11, 14, 16) against (12, 14, 16)" in failures["2"]
    assert "several masks of one case" in failures["12"]
    assert "[3/4] 10: failed" in capsys.readouterr().err
    # Repaired, the same command leaves no trace of the failures.
    for path in [*prediction.iterdir()]:
        path.unlink()
    write(prediction / "1.nii.gz", labels())
    assert run(*folders) == 0
    assert not (output / "failures.csv").exists()


def test_a_single_bad_case_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reference, prediction = write(tmp_path / "a.nii", labels()), write(tmp_path / "b.nii", labels(), (1.0, 0.8, 2.5))
    assert run(reference, prediction, tmp_path / "out") == 3
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith(f"error: {prediction}: affine = corners up to 3 mm (3.75 voxels) apart")
    assert not (tmp_path / "out" / "cases.csv").exists()


@pytest.mark.parametrize(
    ("more", "code", "line"),
    [
        (["--tolerance-mm", "-1"], 2, "error: evaluate: --tolerance-mm = -1.0"),
        (["-o", "taken"], 4, "output folder"),
        (["-p", "gone"], 3, "error: gone: prediction: no such file or folder"),
    ],
)
def test_bad_arguments(
    folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    more: list[str], code: int, line: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(folders[0].parent)
    Path("taken").touch()
    assert run(*folders, *more) == code
    assert line in capsys.readouterr().err


def test_an_option_without_effect_warns(folders: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*folders, "--no-surface", "--tolerance-mm", "3") == 0
    assert "--tolerance-mm: has no effect with --no-surface" in capsys.readouterr().err
    assert "liver_assd_mm" not in rows(folders[2] / "cases.csv")[0]
