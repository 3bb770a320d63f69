"""A folder of scans with masks in it: the masks are recognized by what they hold, and left out with one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.cohort.find_scans import find_items
from rmaunet.core.notices import collect_notices
from rmaunet.io.masks.recognize_masks import is_mask
from small import CT, TRUTH, known_network, write_ct, write_dicom, write_labels

ARRAY = np.asarray(TRUTH.array).T
RNG = np.random.default_rng(3)
NOISY = (CT.array.T + RNG.integers(-9, 10, ARRAY.shape)).astype(np.int16)
EIGHT_BIT = np.clip((NOISY + 200) / 400 * 255, 0, 255).astype(np.uint8)
MANY = (np.indices(ARRAY.shape) // 15 * np.array([1, 7, 19]).reshape(3, 1, 1, 1)).sum(axis=0).astype(np.uint8)
"""About 40 labels, as of a whole body."""

FILES: list[tuple[str, np.ndarray, bool]] = [
    ("a.nii.gz", ARRAY, True),
    ("a_seg.nii.gz", ARRAY, True),
    ("a.nii", ARRAY.astype(np.float32), True),
    ("a.nii.gz", ARRAY.astype(np.float32) * np.float32(0.9999), True),
    ("liver.nii.gz", (ARRAY > 0).astype(np.int16), True),
    ("five.nii.gz", (ARRAY > 0).astype(np.uint8) * 5, True),
    ("img.nii.gz", (ARRAY > 0).astype(np.uint8) * 255, True),
    ("body.nii.gz", MANY, True),
    ("segmentation-3.nii", ARRAY, True),
    ("labelsTr/case.nii.gz", ARRAY, True),
    ("empty_seg.nii.gz", ARRAY * 0, True),
    ("masks/empty.nii.gz", ARRAY * 0, True),
    ("ct.nii.gz", NOISY, False),
    ("ct_seg.nii.gz", NOISY, False),  # named like a mask, and none
    ("segmentation-3.nii", NOISY, False),
    ("labelsTr/ct.nii.gz", NOISY, False),
    ("ct.nii.gz", NOISY.astype(np.float32), False),
    ("shifted.nii.gz", (NOISY + 1024).astype(np.uint16), False),
    ("eight.nii.gz", EIGHT_BIT, False),
    ("normal.nii.gz", EIGHT_BIT.astype(np.float32) / 255, False),
    ("constant.nii.gz", ARRAY * 0, False),
    ("air.nii.gz", ARRAY * 0 - np.int16(1000), False),
    ("nan.nii.gz", np.where(ARRAY > 0, np.nan, NOISY).astype(np.float32), False),
]


@pytest.mark.parametrize(("name", "array", "mask"), FILES, ids=[f"{n}-{a.dtype}-{m}" for n, a, m in FILES])
def test_what_is_a_mask(name: str, array: np.ndarray, mask: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(array, np.eye(4)), path)
    assert is_mask(path) is mask


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nrrd"])
def test_masks_in_nrrd(suffix: str, tmp_path: Path) -> None:
    assert is_mask(write_labels(tmp_path / f"a{suffix}"))


def test_what_cannot_be_read_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "a_seg.nii.gz").write_bytes(b"\x1f\x8bcut")
    whole = write_labels(tmp_path / "b.nii.gz").read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert not is_mask(tmp_path / "a_seg.nii.gz")
    assert not is_mask(tmp_path / "b.nii.gz")
    assert [item.name for item in find_items(tmp_path)] == ["a_seg", "b"]


def lits(root: Path) -> None:
    for n in (0, 36):
        write_ct(root / f"volume-{n}.nii.gz", plus=n)
        write_labels(root / f"segmentation-{n}.nii.gz")


def decathlon(root: Path) -> None:
    for n in (0, 1):
        write_ct(root / f"imagesTr/liver_{n}.nii.gz", plus=n)
        write_labels(root / f"labelsTr/liver_{n}.nii.gz")
    (root / "dataset.json").write_text("{}")


def own_results(root: Path) -> None:
    write_ct(root / "a.nii.gz")
    write_labels(root / "a_seg.nii.gz")
    write_labels(root / "a_seg.seg.nrrd")
    write_labels(root / "old" / "x__b_seg.nii.gz")
    (root / "old" / "cohort.csv").write_text("name\n")


def patients(root: Path, *, zips: bool = False) -> None:
    """As 3D-IRCADb comes: masks and labelled slices say they are CT, of the very series."""
    for n in (1, 2):
        place = root / f"3Dircadb1.{n}"
        write_dicom(place / "PATIENT_DICOM", CT.with_array((CT.array + n).astype(np.int16)))
        for structure, array in (("liver", TRUTH.array > 0), ("livertumor01", TRUTH.array == 2)):
            write_dicom(place / "MASKS_DICOM" / structure, CT.with_array(array.astype(np.int16) * 255))
        write_dicom(place / "LABELLED_DICOM", CT.with_array(TRUTH.array.astype(np.int16) * 97))
        (place / "MESHES_VTK").mkdir()
        (place / "MESHES_VTK" / "liver.vtk").write_text("# vtk DataFile")
        for part in sorted(place.iterdir()) if zips else ():
            shutil.make_archive(str(part), "zip", place, part.name)
            shutil.rmtree(part)


def structures(root: Path) -> None:
    """DICOM masks under other names."""
    write_dicom(root / "p" / "ct")
    write_dicom(root / "p" / "organs" / "liver", CT.with_array((TRUTH.array > 0).astype(np.int16) * 255))
    write_dicom(root / "q")


SETS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "LiTS": (lits, ["volume-0", "volume-36"],
             "2 masks are no CTs and are left out: segmentation-0.nii.gz, segmentation-36.nii.gz"),
    "MSD": (decathlon, ["imagesTr__liver_0", "imagesTr__liver_1"], "labelsTr/liver_0.nii.gz, labelsTr/liver_1.nii.gz"),
    "own results": (own_results, ["a"],
                    "3 masks are no CTs and are left out: a_seg.nii.gz, a_seg.seg.nrrd, old/x__b_seg.nii.gz"),
    "3D-IRCADb": (patients, ["3Dircadb1.1__PATIENT_DICOM", "3Dircadb1.2__PATIENT_DICOM"], "3Dircadb1.1/MASKS_DICOM"),
    "3D-IRCADb zipped": (lambda r: patients(r, zips=True), ["3Dircadb1.1__PATIENT_DICOM", "3Dircadb1.2__PATIENT_DICOM"],
                         "3Dircadb1.1/MASKS_DICOM.zip"),
    "DICOM structures": (structures, ["p__ct", "q"], "1 mask is no CT and is left out: p/organs/liver"),
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_sets_as_they_are_distributed_give_exactly_their_cts(name: str, tmp_path: Path) -> None:
    make, expected, line = SETS[name]
    make(tmp_path)
    with collect_notices() as said:
        assert [item.name for item in find_items(tmp_path)] == expected
    assert len(said) == 1
    assert line in said[0]


def test_one_patient_of_ircadb_is_its_ct(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patients(tmp_path)
    with known_network():
        words = ["segment", "-i", str(tmp_path / "3Dircadb1.1"), "-o", str(tmp_path / "o"), "--no-overlay", "--json"]
        assert main(words) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["name"] == "3Dircadb1.1"
    assert "masks are no CTs and are left out: LABELLED_DICOM, MASKS_DICOM, MESHES_VTK" in said.err
    found = np.asarray(nib.load(tmp_path / "o" / "3Dircadb1.1_seg.nii.gz").dataobj)
    assert np.array_equal(found.transpose(2, 1, 0), TRUTH.array)
    assert main(["info", str(tmp_path / "3Dircadb1.1"), "--json"]) == 0
    assert [scan["slices"] for scan in json.loads(capsys.readouterr().out)["scans"]] == [20]


def test_lits_is_segmented_without_its_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lits(tmp_path / "lits")
    with known_network():
        assert main(["segment", "-i", str(tmp_path / "lits"), "-o", str(tmp_path / "o"), "--no-overlay", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["done"] == ["volume-0", "volume-36"]
    assert said.err.count("left out") == 1


def test_two_names_that_differ_in_case_only_are_two_files_everywhere(tmp_path: Path) -> None:
    for name in ("Case.nii.gz", "case.nii.gz", "CASE.nrrd"):
        write_ct(tmp_path / "x.nii.gz").rename(tmp_path / name)
    names = [item.name for item in find_items(tmp_path)]
    assert len({name.casefold() for name in names}) == 3
