"""``import rmaunet``: quick to import, and every function does what its name says through the path a user takes."""

import re
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import rmaunet
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_volume

ROOT = Path(__file__).parents[1]
HEAVY = {"numpy", "torch", "highdicom", "openvino", "cv2", "scipy", "matplotlib", "pydicom"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A phantom CT, ``ct.nii.gz``, of few voxels."""
    place = tmp_path_factory.mktemp("api")
    write_volume(phantom("abdomen", seed=1, shape=(24, 80, 80)).ct, place / "ct.nii.gz")
    return place


@pytest.fixture(scope="module")
def result(folder):
    return rmaunet.segment(folder / "ct.nii.gz", device="cpu")


def test_importing_loads_nothing_heavy():
    code = f"import sys, rmaunet; print(sorted(set(sys.modules) & {HEAVY!r}), len(rmaunet.__all__))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", str(len(rmaunet.__all__))]


def test_every_name_is_there():
    assert {"segment", "read_scan", "read_mask", "write_mask", "Predictor", "measure", "evaluate", "compare"} <= set(
        rmaunet.__all__
    )
    assert all(getattr(rmaunet, name).__doc__ for name in rmaunet.__all__)


def test_the_readme_example_is_five_lines_and_runs(folder, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 5
    monkeypatch.chdir(folder)
    exec(compile(code, "README.md", "exec"), {})
    liver_ml, lesions = capsys.readouterr().out.split()
    assert float(liver_ml) > 500
    assert int(lesions) >= 1
    assert nib.load(folder / "ct_seg.nii.gz").shape == nib.load(folder / "ct.nii.gz").shape


def test_a_result_is_what_the_mask_says(result, folder):
    mask = rmaunet.read_mask(result.save(folder / "own.nii.gz"))
    assert np.array_equal(mask.array, result.mask.array)
    again = rmaunet.measure(mask, folder / "ct.nii.gz")
    assert again.to_dict() == result.measured.to_dict()
    unit = np.prod(mask.spacing) / 1000
    assert result.measures.liver_ml == pytest.approx(unit * np.count_nonzero(mask.array))
    assert result.report(folder / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize("kind", [np.int16, np.float64])
def test_arrays_give_the_mask_of_the_file(result, folder, kind):
    image = nib.load(folder / "ct.nii.gz")
    found = rmaunet.segment((np.asarray(image.dataobj).astype(kind), image.affine), rmaunet.Predictor(device="cpu"))
    found.save(folder / "array.nii.gz")
    result.save(folder / "file.nii.gz")
    one, other = (nib.load(folder / f"{name}.nii.gz") for name in ("array", "file"))
    assert np.array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
    assert np.allclose(one.affine, other.affine, atol=1e-4)


def test_evaluate_and_compare(result, folder):
    path = result.save(folder / "p.nii.gz")
    same = rmaunet.evaluate(path, result.mask, surface=False)
    assert same.liver_dice == 1.0
    difference = rmaunet.compare([0.9, 0.8, 0.7, 0.9], [0.8, 0.7, 0.6, 0.8], resamples=100)
    assert difference.mean_difference == pytest.approx(0.1)


def test_wrong_arguments_are_named(folder):
    with pytest.raises(TypeError, match=r"unknown option 'gpu'; choose from device, runtime"):
        rmaunet.segment(folder / "ct.nii.gz", gpu=True)
    with pytest.raises(TypeError, match="belong to the predictor"):
        rmaunet.segment(folder / "ct.nii.gz", rmaunet.Predictor(), device="cpu")
    with pytest.raises(ValueError, match=r"expected \(X, Y, Z\) and \(4, 4\)"):
        rmaunet.segment((np.zeros((2, 2)), np.eye(4)))
    with pytest.raises(rmaunet.RmaunetError, match="does not exist"):
        rmaunet.segment(folder / "none.nii.gz")


@pytest.mark.timeout(300)
def test_the_notebook_shows_pictures_of_a_scan_a_mask_and_a_result(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    notebook = nbformat.read(ROOT / "docs" / "start" / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [
        output["data"]["text/html"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "text/html" in output.get("data", {})
    ]
    assert len(shown) == 3
    assert all('<img alt="axial, coronal, sagittal" src="data:image/png;base64,' in text for text in shown)
    assert all(kind in text for kind, text in zip(("&lt;Scan", "&lt;Mask", "tumor burden"), shown, strict=True))
