"""A mask without its CT: what it knows of its grid is used, and what it does not know is asked or said."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from made_nifti import CT, RAS, write
from rmaunet.core.errors import InputError
from rmaunet.core.notices import collect_notices
from rmaunet.core.volume import same_grid, voxel_volume_ml
from rmaunet.io import read_mask, read_scan
from rmaunet.io.masks.mask_reader import describe_mask, read_mask_pair
from seg_cases import MASK, foreign, some


@pytest.mark.parametrize(
    ("slices", "between", "said"),
    [
        ((3,), 2.5, None),
        ((1, 2, 4), 2.5, None),
        ((1, 4), 2.5, "no two of its 2 slices are neighbors"),
        ((0, 2, 4), 2.5, "no two of its 3 slices are neighbors"),
        ((0, 1, 2, 3), None, "SpacingBetweenSlices is missing: the least distance of its slices, 2.5 mm"),
        ((0, 1, 4), None, "SpacingBetweenSlices is missing"),
        ((0, 1, 2, 3), 6.0, "SpacingBetweenSlices = 6 mm does not fit the positions"),
    ],
)
def test_the_distance_of_slices_is_the_files_own(
    slices: tuple[int, ...], between: float | None, said: str | None, tmp_path: Path
) -> None:
    path = foreign(some(*slices), between=between)(tmp_path)
    with collect_notices() as notices:
        mask = read_mask(path)
    assert mask.spacing[0] == pytest.approx(2.5)
    assert np.count_nonzero(mask.array) == np.count_nonzero(some(*slices))
    assert voxel_volume_ml(mask) == pytest.approx(2.5 * 0.75 * 0.5 / 1000)
    assert any(said in line for line in notices) if said else notices == []


@pytest.mark.parametrize(("slices", "text"), [((3,), "one slice does not tell"), ((1, 4), "two slices 7.5 mm apart")])
def test_an_unknown_distance_is_asked(slices: tuple[int, ...], text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=text) as caught:
        read_mask(foreign(some(*slices))(tmp_path))
    assert caught.value.field == "SpacingBetweenSlices"
    assert "give the CT with it" in caught.value.remedy


def structures(folder: Path, **files: np.ndarray) -> Path:
    folder.mkdir()
    for name, array in files.items():
        write(folder, array=array.astype(np.uint8), name=f"{name}.nii.gz")
    return folder


LIVER = np.zeros(CT.shape, bool)
LIVER[1:8, 1:7, 1:6] = True
LESION = np.zeros(CT.shape, bool)
LESION[3:5, 2:4, 2:4] = True
TRUTH = (LIVER.astype(np.uint8) + LESION).T


@pytest.mark.parametrize(
    ("files", "labels", "left_out"),
    [
        ({"liver": LIVER, "liver_lesion": LESION}, None, []),
        ({"liver": LIVER * 255, "liver_tumor": LESION * 255, "spleen": ~LIVER}, None, ["'spleen'"]),
        ({"Leber": LIVER, "Lebermetastasen": LESION}, None, []),
        ({"liver": LIVER, "tumor_1": LESION, "tumor_2": LESION * 0}, None, []),
        ({"organ": LIVER, "spot": LESION}, {"organ": 1, "spot": 2}, []),
        ({"liver": LIVER, "spot": LESION, "liver_vessels": LESION}, {"liver": 1, "spot": 2}, ["'liver_vessels'"]),
    ],
)
def test_one_file_per_structure(
    files: dict[str, np.ndarray], labels: dict[str, int] | None, left_out: list[str], tmp_path: Path
) -> None:
    ct = read_scan(write(tmp_path))
    folder = structures(tmp_path / "masks", **files)
    reading = describe_mask(folder, like=ct, labels=labels)
    np.testing.assert_array_equal(reading.volume.array, TRUTH)
    np.testing.assert_array_equal(describe_mask(folder, labels=labels).volume.array, TRUTH)
    assert [use.segment for use in reading.uses if use.label is None] == left_out
    assert {use.segment for use in reading.uses} == {f"'{name}'" for name in files}
    shutil.make_archive(str(tmp_path / "zipped"), "zip", folder)
    np.testing.assert_array_equal(read_mask(tmp_path / "zipped.zip", like=ct, labels=labels).array, TRUTH)


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"a": LIVER, "b": LESION}, "are several, and none is named liver"),
        ({"liver": LIVER + 2 * LESION, "liver_tumor": LESION}, "are several; a file of one structure"),
        ({"liver tumor": LESION, "liver without tumor": LIVER}, "no segment is known to be the liver"),
        ({"liver_0": LIVER, "liver_1": LIVER}, "are several, and none is named liver"),
        ({"liver": LIVER, "liver_tumor": LESION[:-1]}, "is not that of the other structures"),
    ],
)
def test_structures_that_are_none(files: dict[str, np.ndarray], text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=text):
        read_mask(structures(tmp_path / "masks", **files))


def sheared(path: Path, array: np.ndarray, *, flip: int | None) -> Path:
    """A NIfTI whose slices are shifted, one axis stored the other way round."""
    affine = RAS.copy()
    affine[1, 2] = -0.6
    if flip is not None:
        array = np.flip(array, flip)
        affine[:3, 3] += affine[:3, flip] * (array.shape[flip] - 1)
        affine[:3, flip] *= -1
    image = nib.Nifti1Image(array, None)
    image.set_sform(affine, 1)
    image.header["qform_code"] = 0
    image.header["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
    nib.save(image, path)
    return path


@pytest.mark.parametrize("flip", [None, 0, 1, 2])
def test_a_sheared_mask_is_compared_before_resampling(flip: int | None, tmp_path: Path) -> None:
    ct = read_scan(sheared(tmp_path / "ct.nii", CT, flip=None))
    straight = read_mask(sheared(tmp_path / "a.nii", TRUTH.T, flip=None), like=ct)
    turned = read_mask(sheared(tmp_path / "b.nii", TRUTH.T, flip=flip), like=ct)
    np.testing.assert_array_equal(turned.array, straight.array)
    assert same_grid(turned, ct.volume)
    assert np.count_nonzero(turned.array) > 0.9 * np.count_nonzero(TRUTH)


def test_two_masks_that_leave_out_empty_slices_meet_on_one_grid(tmp_path: Path) -> None:
    one = foreign(some(0, 1, 2), between=2.5, name="one.dcm")(tmp_path)
    other = foreign(some(2, 3), between=2.5, name="other.dcm")(tmp_path)
    first, second = (reading.volume for reading in read_mask_pair(one, other))
    assert same_grid(first, second)
    np.testing.assert_array_equal(first.array, MASK[:4] * (np.arange(4) < 3)[:, None, None])
    np.testing.assert_array_equal(second.array, MASK[:4] * (np.arange(4) > 1)[:, None, None])
