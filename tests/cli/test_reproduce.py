"""``rmaunet reproduce``: dry runs with the paper's facts, and one line for what is wrong."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from made_lits import make_lits, shrink
from rmaunet.cli.main import main
from rmaunet.core.errors import InputError
from rmaunet.core.volume import make_volume
from rmaunet.io import read_scan, write_mask
from rmaunet.paper.table_experiments import PAPER_BASES
from rmaunet.train import HowToTrain
from rmaunet.train import step_timing as timing
from rmaunet.train.step_timing import StepTime


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All 131 names of LiTS; the files are empty, a dry run does not need more."""
    root = tmp_path_factory.mktemp("lits")
    for n in range(131):
        (root / f"volume-{n}.nii").touch()
        (root / f"segmentation-{n}.nii").touch()
    return root


def dry(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["reproduce", *map(str, words), "--dry-run", "--no-timing"]) == 0
    return capsys.readouterr().out


def test_the_plan_of_table_7_is_the_papers(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(dry(capsys, "table7", "--data", layout, "-o", tmp_path / "out", "--json"))[0]
    assert [row["as_reported"] for row in plan["rows"]] == [
        "U-Net", "U-Net++", "RA-UNet", "ASU-Net", "SAA-Net", "HFRU-Net", "RMAU-Net",
    ]  # fmt: skip
    assert [row["title"] for row in plan["rows"]][4:6] == ["SAA-Net (reconstruction)", "HFRU-Net (reconstruction)"]
    for run in plan["runs"]:
        assert (run["train_cases"], run["test_cases"], run["leaked_cases"]) == (104, 27, 0)
        assert (run["batch"], run["learning_rate"], run["loss"]) == (8, 1e-4, "focal_dice")
        assert run["base"] == PAPER_BASES[run["network"]]
        assert run["steps"] == math.ceil(run["slices_per_epoch"] / 8) * 250
        assert run["epochs"] == pytest.approx(250, abs=0.2)
        # LiTS has about 19,159 slices with liver; the 104 training volumes hold most of them.
        assert 14_000 < run["slices_per_epoch"] < 17_000
    training = plan["rows"][-1]["experiment"]["training"]
    assert (training["epochs"], training["optimiser"], training["schedule"]) == (250, "adam", "constant")
    assert plan["rows"][-1]["experiment"]["preprocessing"]["window_hu"] == [-200.0, 200.0]
    assert next(run for run in plan["runs"] if run["network"] == "rmaunet")["parameters"] == 43_676_550
    assert plan["hours"] is None
    assert plan["bytes"] > 131 * 300 * 2 * 256**2  # the store alone
    assert not (tmp_path / "out").exists()


def test_the_plan_in_words(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = dry(capsys, "ablation", "--data", layout, "-o", tmp_path / "out", "--seeds", 2)
    assert text.startswith("Table 5: Ablation of the modules\ntrained on LiTS (104 cases), tested on LiTS (27 cases)")
    assert "8 runs, 8 to train" in text
    assert text.count("43,676,550") == 2


def test_five_folds_of_all_cases(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = json.loads(dry(capsys, "table11-lits", "--data", layout, "-o", tmp_path / "out", "--json"))[0]
    assert [run["fold"] for run in plan["runs"]] == [0, 1, 2, 3, 4]
    assert sum(run["test_cases"] for run in plan["runs"]) == 131


def wrong(capsys: pytest.CaptureFixture[str], code: int, *words: object) -> str:
    assert main(["reproduce", *map(str, words)]) == code
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    return line


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["table3"], 2, "table = table3: is no table or figure"),
        (["tabel7"], 2, "did you mean table7?"),
        (["table8"], 3, "3D-IRCADb: is needed and not given"),
        (["table7", "--seeds", "0"], 2, "--seeds = 0"),
        (["table7", "--folds", "1"], 2, "--folds = 1"),
        (["table7", "--window", "160", "-40"], 2, "--window"),
        (["table7", "--patients", "missing.json"], 3, "missing.json: patients: cannot be read"),
    ],
)
def test_wrong_requests(
    words: list[str], code: int, message: str, layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in wrong(capsys, code, *words, "--data", layout, "-o", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*"))


@pytest.mark.parametrize("fault", ["missing mask", "label 3", "label 0.5", "shape", "no test cases", "duplicate"])
def test_wrong_data_give_one_line_and_leave_no_table(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shrink(monkeypatch)
    root = make_lits(tmp_path / "LiTS", (27, 28) if fault == "no test cases" else (0, 27))
    label = root / "segmentation-27.nii.gz"
    if fault == "missing mask":
        label.unlink()
    elif fault == "duplicate":
        (root / "again").mkdir()
        (root / "again" / "volume-27.nii.gz").write_bytes((root / "volume-27.nii.gz").read_bytes())
    elif fault in ("label 3", "label 0.5"):
        import nibabel

        image = nibabel.load(label)
        values = np.asarray(image.dataobj).astype(np.float32)
        values[0, 0, 0] = float(fault.split()[1])
        nibabel.save(nibabel.Nifti1Image(values, image.affine), label)
    elif fault == "shape":
        ct = read_scan(root / "volume-27.nii.gz")
        smaller = make_volume(np.zeros((5, 32, 32), np.uint8), np.asarray(ct.volume.affine))
        write_mask(smaller, label, like=ct.__class__(smaller, "x", None))  # type: ignore[arg-type]
    line = wrong(capsys, 3, "table6", "--data", root, "-o", tmp_path / "out")
    shown = {"missing mask": "segmentation-27.nii", "label 3": "3", "label 0.5": "0.5", "shape": "27",
             "no test cases": "test cases = 0", "duplicate": "twice"}  # fmt: skip
    assert shown[fault] in line
    left = [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert left == []


def test_hours_are_scaled_from_the_timed_step(
    layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timed: 1 s for the gradient, 0.5 s for the update, 0.25 s forward, on one slice of 128 x 128."""
    monkeypatch.setattr(
        "rmaunet.train.step_timing.time_step", lambda experiment, size, batch, device: StepTime(1.0, 0.5, 0.25)
    )
    words = ["reproduce", "loss", "--data", str(layout), "-o", str(tmp_path / "out"), "--dry-run", "--json"]
    assert main(words) == 0
    for run in json.loads(capsys.readouterr().out)[0]["runs"]:
        assert run["seconds_per_step"] == 8 * 4 * 1.0 + 0.5
        assert run["train_hours"] == pytest.approx(run["steps"] * 32.5 / 3600)
        assert run["test_hours"] == pytest.approx(27 * 0.25 * 4 * (58_638 - 2823) / 111 / 3600)


def test_the_protocols_epochs_are_printed(layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not the passes that whole batches make of them, which were 254."""
    words = [
        "reproduce",
        "loss",
        "--data",
        str(layout),
        "-o",
        str(tmp_path / "out"),
        "--dry-run",
        "--no-timing",
        "--json",
    ]
    assert main(words) == 0
    assert {run["epochs"] for run in json.loads(capsys.readouterr().out)[0]["runs"]} == {250.0}
    assert main([*words, "--scale", "small"]) == 0  # which counts steps
    runs = json.loads(capsys.readouterr().out)[0]["runs"]
    assert all(run["epochs"] == round(run["steps"] * run["batch"] / run["slices_per_epoch"], 1) for run in runs)


def test_the_device_is_timed_and_trained_on(
    layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def timed(experiment: object, size: int, batch: int, device: str) -> StepTime:
        seen.append(device)
        return StepTime(1.0, 0.5, 0.25)

    def trained(*_: object, how: HowToTrain, **__: object) -> None:
        seen.append(how.device)
        raise InputError("a test", "training", None, "ends here", "nothing")

    monkeypatch.setattr("rmaunet.cli.reproduce.check_device", lambda *_, **__: None)
    monkeypatch.setattr("rmaunet.train.step_timing.time_step", timed)
    monkeypatch.setattr("rmaunet.paper.reproduce.table_training.train", trained)
    words = ["reproduce", "loss", "--data", str(layout), "-o", str(tmp_path / "out"), "--device", "cuda:1"]
    assert main([*words, "--dry-run"]) == 0
    monkeypatch.setattr("rmaunet.paper.reproduce.table_training.prepared_store", lambda *_: None)
    assert main(words) == 3
    assert set(seen) == {"cuda:1"}


def test_the_estimate_is_the_median_of_steps_after_a_warm_up() -> None:
    answers = iter([(100.0,), (3.0,), (1.0,), (2.0,), (9.0,), (2.5,), (1.5,), (2.0,), (50.0,)])
    assert timing._median(lambda: next(answers)) == (2.0,)
    assert next(answers) == (50.0,)  # one to warm up, and seven
