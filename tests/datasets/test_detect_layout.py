"""LiTS, MSD, nnU-Net and plain folders: what is read, what is refused, in one line each."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import trees
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices
from rmaunet.datasets import folder, lits, msd
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_case


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


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        (
            {"background": 0, "liver": 1, "liver_tumor": 2, "kidney": 3, "kidney_tumor": 4},
            {0: 0, 1: 1, 2: 2, 3: 0, 4: 0},
        ),
        ({"background": 0, "liver": 1, "liver_lesion": 2, "colon_lesion": 4}, {0: 0, 1: 1, 2: 2, 4: 0}),
        (
            {"background": 0, "liver": 1, "hepatic tumor": 2, "lung cancer": 3, "no tumor": 4},
            {0: 0, 1: 1, 2: 2, 3: 0, 4: 0},
        ),
        ({"background": 0, "tumor": 1, "liver": 2}, {0: 0, 1: 2, 2: 1}),
        ({"background": 0, "liver": 1, "HCC": 2}, None),
        ({"background": 0, "liver": 1, "metastasis": 2}, None),
        ({"background": 0, "whole liver": 1, "Tumor": 2}, None),
        ({"background": 0, "normal_liver": 1, "mass": 2}, None),
        ({"background": 0, "Leber": 1, "Tumor": 2}, None),
        ({"background": 0, "liver": [1, 2], "tumor": 2}, None),
        ({"background": 0.0, "liver": 1.0, "tumor": 2.0}, None),
        ({"0": "background", "1": "liver", "2": "cancer"}, None),
        ({"background": 0, "liver": 1, "peritumoral": 2}, {0: 0, 1: 1, 2: 0}),
    ],
)
def test_names_of_labels(labels, ours, tmp_path):
    with collect_notices() as said:
        assert folder.label_map(tmp_path / "dataset.json", {"labels": labels}) == ours
    left_out = [value for value, label in (ours or {}).items() if value and not label]
    assert bool(said) == bool(left_out)
    assert all(f"{value} '" in said[0] for value in left_out)
    assert not any("--label" in line for line in said)


@pytest.mark.parametrize(
    "labels", [{"background": 0, "Liver without tumor": 1, "tumor": 2}, {"tumor": 1}, {"spleen": 1}]
)
def test_labels_without_a_liver_are_refused(labels, tmp_path):
    with pytest.raises(InputError, match="none is called liver"):
        folder.label_map(tmp_path / "dataset.json", {"labels": labels})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dataset_json_in_any_unicode(encoding, tmp_path):
    root = trees.folder(tmp_path)
    content = json.loads((root / "dataset.json").read_text()) | {"description": "Läsionen 肝"}
    (root / "dataset.json").write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    assert [case.name for case in folder.cases(root)] == ["a", "b"]


def test_dataset_json_in_latin_1_is_named(tmp_path):
    root = trees.folder(tmp_path)
    (root / "dataset.json").write_bytes('{"description": "Läsionen"}'.encode("latin-1"))
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 18\); save it as UTF-8"):
        folder.cases(root)


def test_dataset_json_under_the_c_locale(tmp_path):
    """Python without UTF-8 mode decodes text as ASCII there."""
    root = trees.folder(tmp_path)
    content = json.loads((root / "dataset.json").read_text()) | {"description": "Läsionen"}
    (root / "dataset.json").write_bytes(json.dumps(content, ensure_ascii=False).encode())
    code = (
        "import sys, pathlib; from rmaunet.datasets.folder import cases; print(len(cases(pathlib.Path(sys.argv[1]))))"
    )
    setting = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], env=setting, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "2", done.stderr


LITS = {
    "together": ("volume-{}.nii", "segmentation-{}.nii"),
    "apart": ("volumes_{}/volume-{}.nii", "segmentations/segmentation-{}.nii"),
    "in folders of their name": ("volume-{0}.nii/volume-{0}.nii", "segmentation-{0}.nii/segmentation-{0}.nii"),
    "capitals": ("Volume-{}.nii", "Segmentation-{}.nii"),
}


@pytest.mark.parametrize("layout", LITS)
def test_lits_masks_are_paired_by_number(layout, tmp_path):
    for n in (0, 7):
        for pattern in LITS[layout]:
            path = tmp_path / pattern.format(n, n)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    found, cases = find_cases(tmp_path)
    assert found == "lits"
    assert [(c.image.name.lower(), c.label.name.lower()) for c in cases] == [
        (f"volume-{n}.nii", f"segmentation-{n}.nii") for n in (0, 7)
    ]


def test_two_masks_of_a_number_elsewhere_are_refused(tmp_path):
    for name in ("a/volume-1.nii", "b/segmentation-1.nii", "c/segmentation-1.nii"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"segmentation-1 = b/segmentation-1.nii, c/segmentation-1.nii: stands there twice"
    ):
        find_cases(tmp_path)
    (tmp_path / "a" / "segmentation-1.nii").write_bytes(b"x")  # the one beside the volume is meant
    assert find_cases(tmp_path)[1][0].label == tmp_path / "a" / "segmentation-1.nii"
