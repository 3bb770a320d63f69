"""rmaunet train --config FILE --dry-run: what no experiment can be is refused by one line that names the setting."""

import json
import os
from pathlib import Path

import pytest

from rmaunet.cli.main import main


def training(**values: object) -> dict[str, object]:
    return {"training": values}


def stage(**values: object) -> dict[str, object]:
    return training(stages=[{"share": 1, "size": 16, "batch": 1, **values}])


REFUSED: list[tuple[object, str]] = [
    # unknown keys name the nearest
    ({"netwrok": {}}, "netwrok: unknown setting; did you mean 'network'?"),
    ({"network": {"nme": "x"}}, "network.nme: unknown setting; did you mean 'name'?"),
    (training(stepz=3), "training.stepz: unknown setting; did you mean 'steps'?"),
    (stage(sahre=1), "training.stages[0].sahre: unknown setting; did you mean 'share'?"),
    ({"loss": "focal_dise"}, "did you mean 'focal_dice'?"),
    ({"network": {"name": "rmaunte"}}, "did you mean 'rmaunet'?"),
    ({"network": {"options": {"mab": True}}}, "did you mean 'mab_at'?"),
    (training(schedule="cosine"), "training.schedule = 'cosine': unknown value; choose from 'constant'"),
    # wrong types
    ([], "content = []: is not a JSON object"),
    (None, "is not a JSON object"),
    ("paper", "is not a JSON object"),
    ({"network": 3}, "network = 3: is not a JSON object"),
    (training(learning_rate="1e-4"), "training.learning_rate = '1e-4': is not float"),
    (training(batch=True), "training.batch = True: is not int"),
    (training(batch=8.0), "training.batch = 8.0: is not int"),
    (training(batch=None), "training.batch = None: is not int"),
    (training(stages=[{"share": 1}]), "training.stages[0].size: is missing"),
    (training(stages="all"), "training.stages = 'all': is not tuple"),
    ({"preprocessing": {"window_hu": [1, 2, 3]}}, "preprocessing.window_hu = [1, 2, 3]"),
    ({"network": {"options": {"mab_at": [1]}}}, "network.options.mab_at = [1]"),
    ({"seed": 0.5}, "seed = 0.5: is not int"),
    ({"seed": "x" * 9999}, "is not int"),
    # out of range
    (training(learning_rate=-1), "learning_rate = -1.0"),
    (training(learning_rate=1.0), "learning_rate = 1.0"),
    (training(batch=0), "batch = 0"),
    (training(batch=10**30), "batch = 1e+30"),
    (training(epochs=0), "epochs = 0"),
    (training(steps=-1), "steps = -1"),
    (training(weight_decay=-1), "weight_decay"),
    (training(weight_decay=1e300), "weight_decay"),
    (training(gradient_clip=-2), "gradient_clip"),
    (training(decay_share=0), "decay_share"),
    (training(ema_decay=1), "ema_decay"),
    (stage(size=17), "size = 17"),
    (stage(size=-16), "size = -16"),
    (stage(batch=0), "batch = 0"),
    (stage(share=-1), "share = -1"),
    (stage(share=0.5), "their shares sum to 0.5"),
    ({"network": {"base": 0}}, "base = 0"),
    ({"network": {"base": 10**9}}, "base = 1000000000"),
    ({"network": {"options": {"in_channels": 7}}}, "network.options.in_channels"),
    ({"network": {"name": "os:system"}}, "os:system"),
    ({"preprocessing": {"window_hu": [200, -200]}}, "window_hu"),
    ({"preprocessing": {"size": 250}}, "size = 250"),
    ({"preprocessing": {"size": 16 * 10**9}}, "size = 16000000000"),
    ({"preprocessing": {"context_slices": 99}}, "context_slices = 99"),
    ({"augmentation": {"flip_horizontal": 2}}, "flip_horizontal = 2"),
    ({"augmentation": {"rotation_degrees": [30, 0]}}, "rotation_degrees"),
    ({"augmentation": {"noise": -1}}, "noise = -1"),
    ({"sampling": {"tumor_share": 0.9}}, "tumor_share = 0.9"),
    ({"postprocessing": {"liver_threshold": 1}}, "liver_threshold"),
    ({"seed": -1}, "seed = -1"),
    ({"seed": 2**70}, "seed = "),
    ({"name": "../../etc"}, "name = '../../etc'"),
    ({"name": "a\nb"}, "name = "),
    ({"name": ""}, "name = ''"),
]
RAW: dict[str, tuple[bytes, str]] = {
    "NaN": (b'{"training": {"learning_rate": NaN}}', "training.learning_rate = nan: is not a finite number"),
    "infinity": (b'{"preprocessing": {"window_hu": [-Infinity, 200]}}', "preprocessing.window_hu[0] = -inf"),
    "1e999": (b'{"training": {"learning_rate": 1e999}}', "is not a finite number"),
    "5000 digits": (b'{"training": {"batch": ' + b"9" * 5000 + b"}}", "is not valid JSON"),
    "100000 brackets": (b"[" * 100_000, "nested too deeply"),
    "100000 objects": (b'{"a":' * 100_000, "nested too deeply"),
    "a closed bomb": (b'{"training": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
    "a key twice": (b'{"seed": 1, "seed": 2}', "seed: duplicate key"),
    "no UTF-8": (b"\xff\xfe{}", "no UTF-8"),
    "empty": (b"", "is not valid JSON"),
    "trailing text": (b"{} x", "is not valid JSON"),
    "a comment": (b"// x\n{}", "is not valid JSON"),
    "17 MiB": (b'{"name": "' + b"a" * (17 << 20) + b'"}', "bytes = "),
}


def refused(path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--config", str(path), "--dry-run", "-o", str(path.parent / "o")]) in (2, 3)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("error: ")
    assert text in line
    assert len(line) < 600
    assert not (path.parent / "o").exists()


@pytest.mark.parametrize(("content", "text"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_a_setting_is_refused(content: object, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.json"
    path.write_text(json.dumps(content))
    refused(path, text, capsys)


@pytest.mark.parametrize("name", RAW)
def test_a_file_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, text = RAW[name]
    (tmp_path / "e.json").write_bytes(data)
    refused(tmp_path / "e.json", text, capsys)


def test_what_is_no_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, text in (("none", "cannot be read"), (".", "no regular file"), ("fifo", "no regular file"), ("loop", "")):
        refused(tmp_path / name, text, capsys)


def test_what_a_run_stores_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--experiment", "whole", "--dry-run", "-o", str(tmp_path / "o")]) == 0
    plan = json.loads(capsys.readouterr().out)
    (tmp_path / "experiment.json").write_text(json.dumps(plan["experiment"]))
    words = ["train", "--config", str(tmp_path / "experiment.json"), "--dry-run", "-o", str(tmp_path / "o")]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == plan


@pytest.mark.parametrize("words", [["--steps", "0"], ["--seed", "-1"], ["-e", "papr"]])
def test_options_out_of_range_are_usage_errors(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words, "--dry-run", "-o", str(tmp_path / "o")]) == 2
    assert capsys.readouterr().err.startswith("error: train: ")
