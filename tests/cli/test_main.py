"""The command line's door: help, exit codes, one line for every error."""

import json
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.cli.main import COMMANDS, main
from rmaunet.datasets.store.slice_store import Store


@pytest.fixture
def ct(tmp_path):
    def write(array=None, name="ct.nii.gz", affine=None):
        array = np.zeros((16, 16, 4), np.int16) - 1000 if array is None else array
        path = tmp_path / name
        nib.save(nib.Nifti1Image(array, np.diag([2.0, 2, 3, 1]) if affine is None else affine), path)
        return path

    return write


def refused(capsys, code, words, *texts):
    assert main([str(word) for word in words]) == code
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, captured.err
    assert "Traceback" not in captured.err
    for text in texts:
        assert text in errors[0]


def test_help_names_every_command_and_imports_nothing_heavy():
    code = "import sys; from rmaunet.cli.main import main; main(['--help']); print(sorted(set(sys.modules) & "
    code += "{'torch', 'numpy', 'highdicom', 'nibabel', 'SimpleITK', 'matplotlib', 'tyro'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name, command in COMMANDS.items():
        assert name in done.stdout
        assert command.summary in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name, capsys):
    assert main([name, "--help"]) == 0
    assert len(capsys.readouterr().out) > 100


def test_an_unknown_command_names_the_nearest(capsys):
    refused(capsys, 2, ["segmnt"], "segmnt", "`segment`")


def test_no_command_is_a_usage_error(capsys):
    assert main([]) == 2
    assert "usage:" in capsys.readouterr().out


def test_a_missing_file(capsys, tmp_path):
    refused(capsys, 3, ["segment", "-i", tmp_path / "no.nii", "-o", tmp_path / "o"], "no.nii", "does not exist")


def test_text_in_place_of_nifti(capsys, tmp_path):
    (tmp_path / "ct.nii").write_text("not an image " * 40)
    refused(capsys, 3, ["segment", "-i", tmp_path / "ct.nii", "-o", tmp_path / "o"], "ct.nii")


def test_several_volumes(capsys, ct, tmp_path):
    path = ct(np.zeros((8, 8, 4, 3), np.int16))
    refused(capsys, 3, ["segment", "-i", path, "-o", tmp_path / "o"], "ct.nii.gz", "--volume")


def test_a_spacing_that_is_no_number(capsys, ct, tmp_path):
    path = ct()
    import gzip

    data = bytearray(gzip.decompress(path.read_bytes()))
    data[80:84] = np.float32(np.nan).tobytes()  # pixdim[1]
    path.write_bytes(gzip.compress(bytes(data)))
    refused(capsys, 3, ["segment", "-i", path, "-o", tmp_path / "o"], "ct.nii.gz", "pixdim")


def test_unknown_weights(capsys, ct, tmp_path):
    refused(capsys, 5, ["segment", "-i", ct(), "-o", tmp_path / "o", "-w", "nothing"], "nothing", "card.json")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that even root cannot write")
def test_an_output_folder_that_cannot_be_written(capsys, ct):
    refused(capsys, 4, ["segment", "-i", ct(), "-o", "/proc/no-such-folder"], "/proc/no-such-folder", "choose another")


def test_mask_and_reference_of_different_shape(capsys, ct, tmp_path):
    one = ct(np.zeros((8, 8, 4), np.uint8), "a.nii.gz")
    two = ct(np.zeros((8, 8, 5), np.uint8), "b.nii.gz")
    refused(capsys, 3, ["evaluate", "-r", one, "-p", two, "-o", tmp_path / "o"], "shape")


def test_segment_writes_mask_picture_and_manifest(capsys, ct, tmp_path):
    path = ct()
    assert main(["segment", "-i", str(path), "-o", str(tmp_path / "o"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    names = [Path(file).name for file in result["files"]]
    assert names == ["ct_seg.nii.gz", "ct_overlay.png", "ct_run.json"]
    source, mask = nib.load(path), nib.load(tmp_path / "o" / "ct_seg.nii.gz")
    assert mask.shape == source.shape
    assert np.array_equal(mask.affine, source.affine)
    assert np.asarray(mask.dataobj).max() == 0  # air holds no liver
    manifest = json.loads((tmp_path / "o" / "ct_run.json").read_text())
    assert manifest["weights"]["name"] == "fast"
    assert set(manifest["outputs"]) == {"ct_seg.nii.gz", "ct_overlay.png"}


def test_what_is_kept_of_a_warning_names_no_folder(capsys, ct, tmp_path):
    (tmp_path / "DOE JOHN").mkdir()
    path = ct(np.full((16, 16, 4), 100, np.int16), "DOE JOHN/ct.nii.gz")  # no air: a warning
    assert main(["segment", "-i", str(path), "-o", str(tmp_path / "o"), "--report"]) == 0
    kept = json.loads((tmp_path / "o" / "ct_run.json").read_text())
    assert kept["notices"]
    assert all(line.startswith("ct.nii.gz: ") for line in kept["notices"])
    for file in (tmp_path / "o").iterdir():
        assert b"DOE JOHN" not in file.read_bytes()


def test_a_folder_goes_past_bad_scans_and_a_second_run_keeps_what_is_done(capsys, ct, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a", "b"):
        ct(None, f"scans/{name}.nii.gz")
    (scans / "bad.nii.gz").write_bytes(b"\x1f\x8b cut")
    words = ["segment", "-i", str(scans), "-o", str(tmp_path / "o"), "--json", "--no-overlay"]
    assert main(words) == 3
    first = json.loads(capsys.readouterr().out)
    assert first["done"] == ["a", "b"]
    assert [row["name"] for row in first["failures"]] == ["bad"]
    rows = (tmp_path / "o" / "cohort.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["name", "a", "b"]
    time.sleep(0.01)
    ct(np.zeros((16, 16, 5), np.int16) - 1000, "scans/b.nii.gz")  # changed since
    assert main(words) == 3
    second = json.loads(capsys.readouterr().out)
    assert (second["done"], second["kept"]) == (["b"], ["a"])


def test_results_inside_the_folder_of_scans_are_no_scans(capsys, ct, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    ct(None, "scans/a.nii.gz")
    (scans / "lost.nii.gz").symlink_to("nowhere")
    words = ["segment", "-i", str(scans), "-o", str(scans / "out"), "--json", "--no-overlay"]
    for expected in ({"done": ["a"], "kept": []}, {"done": [], "kept": ["a"]}):
        assert main(words) == 3
        found = json.loads(capsys.readouterr().out)
        assert {key: found[key] for key in expected} == expected
        assert [row["name"] for row in found["failures"]] == ["lost"]
    refused(capsys, 2, ["segment", "-i", scans, "-o", scans], "folder of the scans")


def test_models_are_listed_and_verified(capsys):
    assert main(["models", "list"]) == 0
    assert "research use only" in capsys.readouterr().out.lower()
    assert main(["models", "verify", "fast"]) == 0
    assert "ok: fast" in capsys.readouterr().out


def test_an_unknown_setting_of_a_configuration_names_the_nearest(capsys, tmp_path):
    path = tmp_path / "e.json"
    path.write_text(json.dumps({"training": {"stepz": 3}}))
    refused(capsys, 3, ["train", "--config", path, "--dry-run", "-o", tmp_path / "r"], "training.stepz", "steps")


def test_a_dry_run_prints_the_papers_experiment(capsys, tmp_path):
    assert main(["train", "--dry-run", "-o", str(tmp_path / "r")]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["parameters"] == 43_676_550
    assert plan["experiment"]["training"]["epochs"] == 250
    assert not (tmp_path / "r").exists()


def test_prepare_and_train_from_lits_layout(capsys, ct, tmp_path):
    scans = tmp_path / "lits"
    scans.mkdir()
    for n in (27, 28):
        labels = np.zeros((16, 16, 4), np.uint8)
        labels[4:12, 4:12, 1:3] = 1
        ct(labels.astype(np.int16) * 100 + np.int16(n), f"lits/volume-{n}.nii.gz")
        ct(labels, f"lits/segmentation-{n}.nii.gz")
    store = tmp_path / "store"
    (tmp_path / "patients.json").write_text('{"volume-27": "A", "volume-28": "A"}')
    words = ["prepare", "lits", scans, "-o", store, "--size", "32", "--json", "--patients", tmp_path / "patients.json"]
    assert main([str(word) for word in words]) == 0
    assert json.loads(capsys.readouterr().out)["liver_slices"] == 4
    assert [case.patient for case in Store(store).cases] == ["A", "A"]
    small = {"name": "t", "network": {"base": 2}, "preprocessing": {"size": 32}, "training": {"steps": 2, "batch": 2}}
    (tmp_path / "t.json").write_text(json.dumps(small))
    words = ["train", "--data", store, "--split", "lits_clean", "--config", tmp_path / "t.json", "-o", tmp_path / "run"]
    assert main([str(word) for word in words]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["cases"] == ["volume-27"]
    assert main(["models", "verify", str(tmp_path / "run" / "weights")]) == 0
    (scans / "segmentation-27.nii.gz").unlink()
    capsys.readouterr()
    refused(capsys, 3, ["prepare", "lits", scans, "-o", store], "segmentation-27.nii", " = 1: ")
