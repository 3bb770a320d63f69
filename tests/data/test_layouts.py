"""LiTS, MSD, nnU-Net and plain folders: what is read, what is refused, in one line each."""

import json

import numpy as np
import pytest
import trees

from rmaunet.data import folder, lits, msd
from rmaunet.data.detect import find_cases
from rmaunet.data.load import load_case
from rmaunet.errors import InputError


def edit(root, **values):
    path = root / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return root


def entry(image="./imagesTr/liver_3.nii.gz", label="./labelsTr/liver_3.nii.gz"):
    return {"image": image, "label": label}


def test_lits_knows_the_patients_of_ircadb(tmp_path):
    (three, thirty_two) = lits.cases(trees.lits(tmp_path))
    assert (three.patient, thirty_two.patient) == (None, "3Dircadb1.5")


def test_lits_in_two_batches_and_packed(tmp_path):
    one = trees.made(3)
    trees.nifti(tmp_path / "Training Batch 1" / "volume-0.nii", one.ct.array)
    trees.nifti(tmp_path / "Training Batch 1" / "segmentation-0.nii.gz", one.mask.array)
    trees.nifti(tmp_path / "Training Batch 2" / "volume-28.nii.gz", one.ct.array)
    trees.nifti(tmp_path / "Training Batch 2" / "segmentation-28.nii", one.mask.array)
    (tmp_path / "Training Batch 2" / "._volume-28.nii").write_bytes(b"Mac OS X")
    assert [case.name for case in lits.cases(tmp_path)] == ["volume-0", "volume-28"]


def test_lits_counts_what_is_missing_on_either_side(tmp_path):
    trees.lits(tmp_path)
    (tmp_path / "segmentation-3.nii").unlink()
    (tmp_path / "volume-32.nii").unlink()
    with pytest.raises(
        InputError, match=r"files = 2: missing, first segmentation-3.nii, volume-32.nii; complete the set"
    ):
        lits.cases(tmp_path)


def test_lits_volume_twice(tmp_path):
    trees.lits(tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "volume-3.nii").write_bytes((tmp_path / "volume-3.nii").read_bytes())
    with pytest.raises(InputError, match=r"volume-3 = volume-3\.nii: stands there twice"):
        lits.cases(tmp_path)


def test_msd_skips_appledouble_entries(tmp_path):
    trees.msd(tmp_path)
    entries = [entry("./imagesTr/._liver_3.nii.gz", "./labelsTr/._liver_3.nii.gz"), entry()]
    assert [case.name for case in msd.cases(edit(tmp_path, training=entries))] == ["liver_3"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("../outside.nii.gz", "leaves the data set's folder"),
        ("imagesTr/../../x.nii.gz", "leaves the data set's folder"),
        ("/etc/passwd", "leaves the data set's folder"),
        ("imagesTr/link/x.nii.gz", "leaves the data set's folder"),
        (7, "is no file name"),
        ("", "is no file name"),
    ],
)
def test_msd_paths_stay_inside(tmp_path, path, text):
    root = trees.msd(tmp_path / "set")
    (root / "imagesTr" / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match=text):
        msd.cases(edit(root, training=[entry(image=path)]))


def test_msd_duplicate_entries(tmp_path):
    with pytest.raises(InputError, match="training = liver_3: is named twice"):
        msd.cases(edit(trees.msd(tmp_path), training=[entry(), entry()]))


@pytest.mark.parametrize(
    "content",
    [
        '{"training": [{"image": "a"',
        "[" * 100_000,
        '{"a":' * 50_000,
        "",
        "[1, 2]",
        "\x00\xff",
        '{"training": {"image": 3}}',
    ],
)
@pytest.mark.parametrize("layout", ["msd", "auto"])
def test_broken_json_is_one_line(tmp_path, content, layout):
    root = trees.msd(tmp_path)
    (root / "dataset.json").write_text(content)
    with pytest.raises(InputError, match=r"dataset.json") as info:
        find_cases(root) if layout == "auto" else msd.cases(root)
    assert len(str(info.value)) < 400
    assert "\n" not in str(info.value)


def test_folder_maps_its_own_labels(tmp_path):
    (a, b) = folder.cases(trees.folder(tmp_path))
    assert a.labels == {0: 0, 1: 0, 2: 1, 3: 2}
    expected = trees.made(3).mask.array.copy()
    expected[0, :2, :2] = 0
    assert np.array_equal(load_case(a)[1].array, expected)
    assert (a.name, b.name) == ("a", "b")


def test_folder_refuses_labels_without_liver(tmp_path):
    with pytest.raises(InputError, match="none is called liver"):
        folder.cases(edit(trees.folder(tmp_path), labels={"background": 0, "spleen": 1}))


def test_folder_refuses_a_second_channel(tmp_path):
    root = trees.folder(tmp_path)
    trees.nifti(root / "imagesTr" / "a_0001.nii.gz", trees.made(3).ct.array)
    with pytest.raises(InputError, match="second channel"):
        folder.cases(root)


def test_scans_without_masks_are_found_too(tmp_path):
    trees.nifti(tmp_path / "x.nii.gz", trees.made(1).ct.array)
    trees.patient(tmp_path / "y", trees.made(2), tumors=())
    layout, cases = find_cases(tmp_path)
    assert layout == "scans"
    assert [(case.name, case.label) for case in cases] == [("x", None), ("y", None)]


def test_pictures_are_refused_with_the_reason(tmp_path):
    (tmp_path / "masks").mkdir()
    for k in range(3):
        (tmp_path / "masks" / f"{k}.png").write_bytes(b"\x89PNG")
    with pytest.raises(InputError, match=r"files = 3: are pictures of slices: HU and geometry are lost"):
        find_cases(tmp_path)


def test_nothing_known(tmp_path):
    with pytest.raises(InputError, match="no layout known and no CT in it"):
        find_cases(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        find_cases(tmp_path / "x")
