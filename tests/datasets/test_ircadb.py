"""3D-IRCADb-01: which structures are tumor, and what is said when slices are missing."""

import numpy as np
import pytest

import trees
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.notices import collect_notices
from rmaunet.datasets import ircadb, lits
from rmaunet.datasets.case import Case
from rmaunet.datasets.load_case import load_case


@pytest.mark.parametrize(
    "name", ["livertumor", "livertumors", "livertumor01", "LiverTumor7", "livertumors2", "LIVERTUMORS"]
)
def test_liver_tumors(name):
    assert ircadb.is_tumor(name)


@pytest.mark.parametrize(
    "name",
    ["tumor", "leftsurretumor", "rightsurretumor", "livercyst", "liverkyste", "metastasectomie", "livertumor_old",
     "mylivertumor", "livertumor01b", "liver", "adrenaltumor", "livertumour01"],
)  # fmt: skip
def test_everything_else_is_no_tumor(name):
    assert not ircadb.is_tumor(name)


def test_the_tumor_free_patients_are_the_tumor_free_volumes():
    assert {5, 7, 11, 14, 20} == ircadb.TUMOR_FREE
    assert {n + 27 for n in ircadb.TUMOR_FREE} == lits.TUMOR_FREE & set(lits.IRCADB_VOLUMES)
    assert sum(ircadb.SLICES.values()) == 2823
    assert set(ircadb.SLICES) == set(ircadb.SPACING_MM) == set(range(1, 21))


def test_tumors_are_united_with_the_liver(tmp_path):
    (case, _) = ircadb.cases(trees.ircadb(tmp_path))
    with collect_notices() as said:
        scan, mask = load_case(case)
    assert np.array_equal(mask.array, trees.made(1).mask.array)
    assert np.array_equal(scan.volume.array, trees.made(1).ct.array)
    tumors = int((trees.made(1).mask.array == 2).sum())
    assert any(f"{tumors} tumor voxels lie outside the structure liver" in line for line in said)


def test_zips_as_distributed_give_the_same(tmp_path):
    plain = [load_case(case) for case in ircadb.cases(trees.ircadb(tmp_path / "a"))]
    packed = [load_case(case) for case in ircadb.cases(trees.zipped(trees.ircadb(tmp_path / "b")))]
    for (scan, mask), (scan2, mask2) in zip(plain, packed, strict=True):
        assert np.array_equal(scan.volume.array, scan2.volume.array)
        assert np.array_equal(mask.array, mask2.array)


def test_a_missing_mask_slice_names_structure_and_slice(tmp_path):
    (case, _) = ircadb.cases(trees.ircadb(tmp_path))
    (case.label / "livertumor01" / "image_4").unlink()
    with pytest.raises(InputError, match=r"3Dircadb1.1/MASKS_DICOM/livertumor01: slices = 1: missing, first image_4;"):
        load_case(case)


def test_other_values_and_sizes_name_the_slice(tmp_path):
    (case, second) = ircadb.cases(trees.ircadb(tmp_path))
    trees.save(case.label / "liver" / "image_2", np.full(trees.SHAPE[1:], 7, np.uint8), 2)
    with pytest.raises(InputError, match=r"MASKS_DICOM/liver/image_2: values = \[7\]"):
        load_case(case)
    trees.save(second.label / "liver" / "image_3", np.zeros((5, 6), np.uint8), 3)
    with pytest.raises(InputError, match=r"MASKS_DICOM/liver/image_3: size = 5 x 6: is not the CT's 24 x 24"):
        load_case(second)


def test_a_tumor_in_a_tumor_free_patient_is_said(tmp_path):
    trees.patient(tmp_path / "3Dircadb1.7", trees.made(2), tumors=("livertumor",))
    with collect_notices() as said:
        load_case(ircadb.cases(tmp_path)[0])
    assert any("1 tumor structures, but this patient is known to have no liver tumor" in line for line in said)


def test_a_patient_twice_is_refused(tmp_path):
    for name in ("3Dircadb1.1", "3DIRCADB1.1"):
        (tmp_path / name / "PATIENT_DICOM").mkdir(parents=True)
        (tmp_path / name / "MASKS_DICOM").mkdir()
    with pytest.raises(InputError, match="stands there twice"):
        ircadb.cases(tmp_path)


def test_a_mapping_of_values_does_not_apply(tmp_path):
    case = Case("3Dircadb1.1", tmp_path, tmp_path, labels={5: 1}, mask="ircadb")
    with pytest.raises(UsageError, match="does not apply to 3D-IRCADb"):
        load_case(case)
