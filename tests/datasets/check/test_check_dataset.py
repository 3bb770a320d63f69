"""What `data check` finds, and that a repaired copy is right: flips, lost spacing, lost mask geometry, rounded labels."""

import csv
import shutil

import nibabel
import numpy as np
import pytest

import trees
from rmaunet.core.errors import UsageError
from rmaunet.core.volume import axial, make_volume
from rmaunet.datasets import folder
from rmaunet.datasets.check.check_dataset import check_set
from rmaunet.datasets.check.liver_orientation import check_orientation
from rmaunet.datasets.check.repair_dataset import repair_set
from rmaunet.datasets.lits import known_spacing
from rmaunet.datasets.load_case import load_case
from rmaunet.datasets.phantoms.phantom import phantom

PATIENT = phantom(seed=4, shape=(33, 32, 32), spacing_mm=(6.4, 12.0, 12.0))
RAS = np.diag([-12.0, -12.0, 6.4, 1])


def tree(root, *, image=PATIENT.ct.array, mask=PATIENT.mask.array, affine=RAS, mask_affine=None, n=28):
    trees.nifti(root / f"volume-{n}.nii", image, affine)
    trees.nifti(root / f"segmentation-{n}.nii", mask, affine if mask_affine is None else mask_affine)
    return root


def found(root):
    return {problem.code: (problem.severity, problem.text) for _, problem in check_set(root).everything()}


def audit(out):
    return {row["field"]: row for row in csv.DictReader((out / "audit.csv").read_text().splitlines())}


def only_case(out):
    (report,) = check_set(out).cases
    from rmaunet.datasets import lits

    (case,) = lits.cases(out)
    scan, mask = load_case(case)
    return report, axial(scan.volume), axial(mask)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_mirrored_axis_is_seen_or_left_open(axis):
    whole = phantom(seed=4)
    flip = tuple(slice(None, None, -1) if k == axis else slice(None) for k in range(3))
    right = check_orientation(whole.ct, whole.mask)
    wrong = check_orientation(make_volume(whole.ct.array[flip]), make_volume(whole.mask.array[flip]))
    names = ["head-feet", "front-back", "left-right"]
    for before, after in zip(right, wrong, strict=True):
        assert before.verdict != "reversed"
        if after.axis == names[axis]:
            assert after.score == pytest.approx(-before.score, abs=1e-6)
            assert after.verdict == {"right": "reversed", "unclear": "unclear"}[before.verdict]
        else:
            assert after.verdict == before.verdict


def test_a_liver_heavy_at_the_top_is_upright():
    mask = np.zeros((20, 16, 16), np.uint8)
    for z in range(3, 17):  # sections grow towards the head
        mask[z, 4 : 5 + z // 2, 4 : 5 + z // 2] = 1
    ct = make_volume(np.full(mask.shape, 60, np.int16))
    assert check_orientation(ct, make_volume(mask))[2].verdict == "right"
    assert check_orientation(ct, make_volume(mask[::-1]))[2].verdict == "reversed"
    cut = mask[:12]  # the liver leaves the scan: nothing can be said
    assert check_orientation(make_volume(ct.array[:12]), make_volume(cut))[2].verdict == "unclear"


def test_lost_spacing_and_turned_axes_are_restored(tmp_path):
    # 33 slices are every fourth of patient 1's 129; with an identity affine the file claims the patient lies turned.
    root = tree(tmp_path / "set", affine=np.eye(4))
    codes = found(root)
    assert codes["identity_affine"][0] == "warning"
    assert "3D-IRCADb-01 patient 1 has 6.4 x 9.12 x 9.12 mm" in codes["identity_affine"][1]
    assert codes["reversed"][0] == "warning"
    changes, refused = repair_set(root, tmp_path / "out")
    assert refused == []
    report, ct, mask = only_case(tmp_path / "out")
    assert report.problems == []
    assert np.array_equal(ct.array, PATIENT.ct.array)
    assert np.array_equal(mask.array, PATIENT.mask.array)
    assert ct.spacing == pytest.approx((6.4, 9.12, 9.12))
    assert {"spacing_mm", "left-right", "front-back", "file"} <= {change.field for change in changes}
    assert audit(tmp_path / "out")["spacing_mm"]["after"] == "6.4 x 9.12 x 9.12"


def test_lost_spacing_that_nobody_knows_is_refused(tmp_path):
    root = tree(tmp_path / "set", affine=np.eye(4), n=60)
    assert "not known from elsewhere" in found(root)["identity_affine"][1]
    _, refused = repair_set(root, tmp_path / "out")
    assert "spacing is lost and not known" in str(refused[0][1])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["audit.csv"]
    assert audit(tmp_path / "out")["affine"]["after"] == "refused, not in the copy"


def test_a_mirrored_patient_is_put_right(tmp_path):
    root = tree(tmp_path / "set", image=PATIENT.ct.array[:, :, ::-1], mask=PATIENT.mask.array[:, :, ::-1], n=60)
    assert "left-right" in found(root)["reversed"][1]
    repair_set(root, tmp_path / "out")
    _, ct, mask = only_case(tmp_path / "out")
    assert np.array_equal(ct.array, PATIENT.ct.array)
    assert np.array_equal(mask.array, PATIENT.mask.array)
    assert "liver lay on the left" in audit(tmp_path / "out")["left-right"]["why"]


def test_another_orientation_is_no_defect_and_becomes_one(tmp_path):
    turned = RAS.copy()
    turned[:3, :2] *= -1
    turned[:2, 3] = 12.0 * 31 * np.array([-1, -1])
    root = tree(tmp_path / "set", image=PATIENT.ct.array[:, ::-1, ::-1], mask=PATIENT.mask.array[:, ::-1, ::-1],
                affine=turned, n=60)  # fmt: skip
    tree(root, n=61)
    codes = found(root)
    assert "HPL 1, HAR 1" in codes["mixed_orientation"][1] or "HAR 1, HPL 1" in codes["mixed_orientation"][1]
    assert "reversed" not in codes


def test_a_mask_that_lost_its_geometry_takes_its_cts(tmp_path):
    root = tree(tmp_path / "set", mask_affine=np.eye(4), n=60)
    assert found(root)["affine"][0] == "error"
    repair_set(root, tmp_path / "out")
    _, _, mask = only_case(tmp_path / "out")
    assert np.array_equal(mask.array, PATIENT.mask.array)
    assert audit(tmp_path / "out")["affine of the mask"]["after"] == "the CT's"


def test_a_mask_on_other_tissue_is_not_taken(tmp_path):
    wrong = np.roll(PATIENT.mask.array, 12, axis=2)
    root = tree(tmp_path / "set", mask=wrong, mask_affine=np.eye(4), n=60)
    _, refused = repair_set(root, tmp_path / "out")
    assert "affine of the mask" in str(refused[0][1])


def test_float_labels_are_rounded_and_padding_is_said(tmp_path):
    image = PATIENT.ct.array.copy()
    image[0, :3, 0] = -2000
    root = tree(tmp_path / "set", image=image, mask=PATIENT.mask.array * np.float32(0.9999), n=60)
    repair_set(root, tmp_path / "out")
    rows = audit(tmp_path / "out")
    assert rows["labels"]["after"] == "rounded"
    assert rows["HU"]["before"] == "3 voxels down to -2000"
    _, ct, mask = only_case(tmp_path / "out")
    assert np.array_equal(mask.array, PATIENT.mask.array)
    assert ct.array[0, :3, 0].tolist() == [-1024] * 3


def test_tumor_apart_from_liver_not_hu_and_empty(tmp_path):
    mask = PATIENT.mask.array.copy()
    mask[2:4, 2:4, 2:4] = 2
    assert "1 of its parts touch no liver" in found(tree(tmp_path / "a", mask=mask, n=60))["tumor_outside_liver"][1]
    assert found(tree(tmp_path / "b", image=PATIENT.ct.array + np.int16(1024), n=60))["liver_hu"][0] == "warning"
    empty = found(tree(tmp_path / "c", mask=np.zeros_like(mask), n=60))
    assert empty["empty_mask"][0] == "warning"
    clipped = found(tree(tmp_path / "d", image=np.clip(PATIENT.ct.array, -40, 160), n=60))
    assert "lie between -40 and 160: clipped" in clipped["clipped"][1]


def test_a_tumor_in_a_tumor_free_volume_is_said(tmp_path):
    assert "known to have none" in found(tree(tmp_path, n=87))["tumor_free"][1]


def test_other_layouts_become_one_layout(tmp_path):
    for name in ("msd", "folder", "ircadb"):
        root = trees.TREES[name].write(tmp_path / name)
        _, refused = repair_set(root, tmp_path / f"{name}-out")
        assert refused == []
        report = check_set(tmp_path / f"{name}-out")
        assert (report.layout, report.count("error")) == ("folder", 0)
        assert tuple(case.name for case in report.cases) == trees.TREES[name].names
        scan, mask = load_case(folder.cases(tmp_path / f"{name}-out")[0])
        expected = trees.made(1 if name == "ircadb" else 3)
        if name == "folder":
            expected.mask.array[0, :2, :2] = 0
        assert np.array_equal(axial(mask).array, expected.mask.array)
        assert np.array_equal(axial(scan.volume).array, expected.ct.array)


def test_the_copy_never_touches_the_set_or_other_files(tmp_path):
    root = trees.lits(tmp_path / "set")
    before = {path: path.read_bytes() for path in root.iterdir()}
    for bad in (root, root / "inside", tmp_path):
        with pytest.raises(UsageError, match="overlaps the data set"):
            repair_set(root, bad)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match=r"first thesis\.txt; give an empty folder"):
        repair_set(root, tmp_path / "full")
    repair_set(root, tmp_path / "out")
    once = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    repair_set(root, tmp_path / "out")  # the same again is allowed, and gives the same bytes
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == once
    assert {path: path.read_bytes() for path in root.iterdir()} == before


def test_a_copy_that_fails_leaves_no_half_case(tmp_path, monkeypatch):
    root = trees.lits(tmp_path / "set")

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rmaunet.datasets.check.repair_dataset.write_mask", full)
    with pytest.raises(OSError, match="No space"):
        repair_set(root, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_known_spacing_follows_the_matrix_and_every_kth_slice():
    assert known_spacing(47, (225, 512, 512)) == (2.0, 0.81, 0.81)
    assert known_spacing(47, (113, 256, 256)) == (4.0, 1.62, 1.62)
    assert known_spacing(47, (200, 512, 512)) is None
    assert known_spacing(48, (225, 512, 512)) is None
    assert known_spacing(47, (225, 512, 500)) is None


def test_the_writer_of_trees_gives_the_same_scan_again(tmp_path):
    root = trees.lits(tmp_path / "a")
    shutil.copytree(root, tmp_path / "b")
    image = nibabel.load(root / "volume-3.nii")
    assert image.shape == trees.SHAPE[::-1]
