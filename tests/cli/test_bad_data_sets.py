"""Bad data sets: one clear line, exit code 3, nothing half-written; by `data check`, `prepare` and `evaluate`."""

import json
import re

import numpy as np
import pytest

import trees
from rmaunet.cli.main import main

FAR = np.diag([-16.0, -16, 20, 1])
FAR[0, 3] = 5.0


def relabelled(value, dtype=np.float32):
    def change(root):
        labels = trees.made(3).mask.array.astype(dtype)
        labels[5, 0, :4] = value
        trees.nifti(root / "segmentation-3.nii", labels)

    return change


def missing(root):
    (root / "segmentation-3.nii").unlink()


def shape(root):
    trees.nifti(root / "segmentation-3.nii", trees.made(3).mask.array[:-1])


def affine(root):
    trees.nifti(root / "segmentation-3.nii", trees.made(3).mask.array, FAR)


def duplicate(root):
    for part in ("volume", "segmentation"):
        (root / f"{part}-32.nii").write_bytes((root / f"{part}-3.nii").read_bytes())


def twice(root):
    (root / "more").mkdir()
    (root / "more" / "volume-3.nii").write_bytes(b"")


def cut(root):
    path = root / "volume-3.nii"
    path.write_bytes(path.read_bytes()[:-100])


# name: layout, what is done to a good set, what the line says
SETS = {
    "missing mask": ("lits", missing, r"files = 1: missing, first segmentation-3\.nii"),
    "another shape": ("lits", shape, r"segmentation-3\.nii: shape = "),
    "moved mask": ("lits", affine, r"segmentation-3\.nii: affine = corners up to 5 mm \("),
    "label 3": ("lits", relabelled(3, np.uint8), r"labels = 3 \(4 voxels\): are none of"),
    "label -1": ("lits", relabelled(-1, np.int16), r"labels = -1 \(4 voxels\): are none of"),
    "label 255": ("lits", relabelled(255, np.uint8), r"labels = 255 \(4 voxels\): are none of"),
    "label 0.5": ("lits", relabelled(0.5), r"labels = 0\.5 \(4 voxels\): are no whole numbers"),
    "same image twice": ("lits", duplicate, r"volume-32: image: holds the same voxels as volume-3's"),
    "same number twice": ("lits", twice, r"volume-3 = volume-3\.nii: stands there twice"),
    "cut image": ("lits", cut, r"volume-3\.nii: data: is cut off"),
}

ENTRY = {"image": "./imagesTr/liver_3.nii.gz", "label": "./labelsTr/liver_3.nii.gz"}
DESCRIPTIONS = {
    "path with ..": ({"training": [{**ENTRY, "image": "../x.nii.gz"}]}, r"path = \.\./x\.nii\.gz: leaves the data set"),
    "absolute path": ({"training": [{**ENTRY, "label": "/etc/hosts"}]}, r"path = /etc/hosts: leaves the data set"),
    "entry twice": ({"training": [ENTRY, ENTRY]}, r"training = liver_3: is named twice"),
    "cut JSON": ('{"training": [{"ima', r"dataset\.json: content: is not valid JSON"),
    "nested JSON": ('{"training": ' + "[" * 60_000, r"dataset\.json: content: is not valid JSON"),
}


def one_line(capsys, pattern):
    lines = [line for line in capsys.readouterr().err.splitlines() if re.match("error: |failed: ", line)]
    assert len(lines) == 1, lines
    assert re.search(pattern, lines[0]), lines[0]
    assert "Traceback" not in lines[0]


@pytest.fixture(params=SETS)
def bad_set(request, tmp_path):
    layout, spoil, pattern = SETS[request.param]
    root = trees.TREES[layout].write(tmp_path / "set")
    spoil(root)
    return root, pattern


def test_check_says_it_in_one_line(bad_set, capsys):
    root, pattern = bad_set
    assert main(["data", "check", str(root)]) == 3
    one_line(capsys, pattern)


def test_prepare_says_it_in_one_line_and_stores_the_rest(bad_set, tmp_path, capsys):
    root, pattern = bad_set
    assert main(["prepare", "lits", str(root), "-o", str(tmp_path / "store"), "--size", "32"]) == 3
    one_line(capsys, pattern)
    index = tmp_path / "store" / "index.json"
    if index.is_file():  # the other case is whole; the bad one is not in it
        assert len(json.loads(index.read_text())["cases"]) == 1
    else:
        assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", DESCRIPTIONS)
@pytest.mark.parametrize("command", ["check", "prepare"])
def test_bad_descriptions(name, command, tmp_path, capsys):
    content, pattern = DESCRIPTIONS[name]
    root = trees.msd(tmp_path / "set")
    (root / "dataset.json").write_text(content if isinstance(content, str) else json.dumps(content))
    words = (
        ["data", "check", str(root)] if command == "check" else ["prepare", "msd", str(root), "-o", str(tmp_path / "s")]
    )
    assert main(words) == 3
    one_line(capsys, pattern)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["another shape", "label 3", "label -1", "label 255", "label 0.5"])
def test_evaluate_goes_on_and_lists_the_bad_mask(name, tmp_path, capsys):
    layout, spoil, pattern = SETS[name]
    good, bad = trees.TREES[layout].write(tmp_path / "good"), trees.TREES[layout].write(tmp_path / "bad")
    spoil(bad)
    words = ["evaluate", "-r", str(good), "-p", str(bad), "-o", str(tmp_path / "out"), "--no-surface"]
    assert main(words) == 3
    failures = (tmp_path / "out" / "failures.csv").read_text().splitlines()
    assert len(failures) == 2
    assert re.search(pattern if "labels" in pattern else "shape", failures[1]), failures
    assert len((tmp_path / "out" / "cases.csv").read_text().splitlines()) == 2


def test_a_patient_in_two_folds(tmp_path, capsys):
    root = trees.folder(tmp_path)
    (root / "splits_final.json").write_text(json.dumps([{"train": ["a"], "val": ["a", "b"]}]))
    assert main(["data", "check", str(root)]) == 3
    one_line(capsys, r"splits_final\.json: cases = a: are trained on and tested on")


def test_a_bad_set_with_fix_writes_the_rest_and_names_what_it_left_out(tmp_path, capsys):
    root = trees.lits(tmp_path / "set")
    relabelled(3, np.uint8)(root)
    assert main(["data", "check", str(root), "--fix", str(tmp_path / "out"), "--json"]) == 3
    content = json.loads(capsys.readouterr().out)
    assert list(content["fix"]["refused"]) == ["volume-3"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "audit.csv", "segmentation-32.nii.gz", "volume-32.nii.gz",
    ]  # fmt: skip
    missing(root)
    assert main(["data", "check", str(root), "--fix", str(tmp_path / "other")]) == 3
    assert not (tmp_path / "other").exists()


def test_a_good_set(tmp_path, capsys):
    assert main(["data", "check", str(trees.lits(tmp_path)), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["layout"], content["errors"]) == ("lits", 0)
    assert [case["name"] for case in content["cases"]] == ["volume-3", "volume-32"]


def test_the_table_has_a_row_a_case(tmp_path, capsys):
    relabelled(3, np.uint8)(trees.lits(tmp_path))
    assert main(["data", "check", str(tmp_path)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert re.match(r"case +slices +matrix", lines[0])
    assert re.match(r"volume-3 +E labels$", lines[1])
    assert re.match(r"volume-32 +12 +24 x 24 +20 x 16 x 16 +HPL ", lines[2])


def test_usage(capsys):
    assert main(["data"]) == 2
    assert main(["data", "--help"]) == 0
    assert "overlap" in capsys.readouterr().out
