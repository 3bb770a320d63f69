"""Masks written on the CT's own grid, in every orientation, and read back by other libraries."""

import itertools
import resource
import signal
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from made_nifti import CT, RAS, encoded, write
from mask_cases import MASK
from rmaunet.core.errors import OutputError, UsageError
from rmaunet.core.volume import axial, make_volume, same_grid
from rmaunet.io import GridSource, Scan, read_mask, read_scan, write_mask, write_volume

FIELDS = ("srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
          "pixdim", "sform_code", "qform_code", "xyzt_units")  # fmt: skip


def oriented(axes: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    affine = np.eye(4)
    spacing = (0.7, 0.9, 2.5)
    for column, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[:3, column] = 0
        affine[axis, column] = sign * spacing[column]
    affine[:3, 3] = (12.5, -40, 300)
    return affine


def oblique() -> np.ndarray:
    turn = sitk.Euler3DTransform((0, 0, 0), 0.35, -0.2, 0.6)
    affine = np.eye(4)
    affine[:3, :3] = np.array(turn.GetMatrix()).reshape(3, 3) * (0.7, 0.9, 2.5)
    affine[:3, 3] = (12.5, -40, 300)
    return affine


ALL_48 = [oriented(a, s) for a in itertools.permutations(range(3)) for s in itertools.product((1, -1), repeat=3)]


@pytest.mark.parametrize("affine", [*ALL_48, oblique()], ids=[*map(str, range(48)), "oblique"])
def test_mask_lies_on_the_ct_in_every_orientation(tmp_path: Path, affine: np.ndarray) -> None:
    ct = write(tmp_path, affine=affine)
    scan = read_scan(ct)
    # A mask drawn where HU > 100, in axial order, as the predictor returns it.
    upright = axial(scan.volume)
    drawn = make_volume((upright.array > 100).astype(np.uint8), upright.affine)
    out = tmp_path / "mask.nii.gz"
    write_mask(drawn, out, like=scan)
    before, after = nib.load(ct), nib.load(out)
    for field in FIELDS:
        np.testing.assert_array_equal(before.header[field], after.header[field], err_msg=field)
    np.testing.assert_array_equal(np.asarray(after.dataobj), np.asarray(before.dataobj) > 100)
    back = read_mask(out, like=scan)
    np.testing.assert_array_equal(back.array, scan.volume.array > 100)
    for suffix in (".seg.nrrd", ".nii"):
        write_mask(drawn, tmp_path / f"m{suffix}", like=scan)
        np.testing.assert_array_equal(read_mask(tmp_path / f"m{suffix}", like=scan).array, back.array)


@pytest.mark.parametrize("affine", [*ALL_48[::7], oblique()])
def test_nibabel_and_simpleitk_put_voxels_at_the_same_place(tmp_path: Path, affine: np.ndarray) -> None:
    path = write(tmp_path, affine=affine)
    volume = read_scan(path).volume
    image, itk = nib.load(path), sitk.ReadImage(str(path))
    for i, j, k in ((0, 0, 0), (8, 7, 6), (3, 5, 1)):
        ours = (volume.affine @ (k, j, i, 1))[:3]
        np.testing.assert_allclose(ours, (image.affine @ (i, j, k, 1))[:3] * (-1, -1, 1), atol=1e-4)
        np.testing.assert_allclose(ours, itk.TransformIndexToPhysicalPoint((i, j, k)), atol=1e-3)
        assert volume.array[k, j, i] == itk[i, j, k] == image.dataobj[i, j, k]


@pytest.mark.parametrize("how", [{"two": True}, {"order": ">"}, {"qform": 0}, {"sform": 0}, {"sform": 4, "qform": 2}])
def test_header_fields_are_kept_bit_for_bit(tmp_path: Path, how: dict) -> None:
    ct = write(tmp_path, affine=oblique(), descrip=b"DOE^JANE", aux_file=b"1970", **how)
    out = tmp_path / "mask.nii"
    write_mask(make_volume(MASK.T, read_scan(ct).volume.affine), out, like=read_scan(ct))
    before, after = nib.load(ct).header, nib.load(out).header
    for field in FIELDS:
        np.testing.assert_array_equal(before[field], after[field], err_msg=field)
    assert b"DOE" not in out.read_bytes()
    assert after.sizeof_hdr == before.sizeof_hdr


def test_the_extension_is_a_label_table_and_none_is_copied(tmp_path: Path) -> None:
    secret = np.array([32, 6], "<i4").tobytes() + b"Name^Of^Person".ljust(24)
    scan = read_scan(write(tmp_path, extension=secret))
    write_mask(make_volume(MASK.T, scan.volume.affine), tmp_path / "m.nii", like=scan)
    (table,) = nib.load(tmp_path / "m.nii").header.extensions
    text = table.get_content().decode()
    assert table.get_code() == 0
    assert '<Label Key="2"' in text
    assert "<![CDATA[tumor]]>" in text
    assert b"Person" not in (tmp_path / "m.nii").read_bytes()


def test_a_mask_of_a_tilted_scan_goes_back_to_its_own_grid(tmp_path: Path) -> None:
    tilted = RAS.copy()
    tilted[1, 2] = 0.6
    shape = (20, 24, 16)
    ct = np.full(shape, -1000, np.int16)
    ct[4:16, 5:18, 3:13] = 60
    path = write(tmp_path, ct, affine=tilted, qform=0)
    scan = read_scan(path)
    mask = make_volume((scan.volume.array > -400).astype(np.uint8), scan.volume.affine)
    write_mask(mask, tmp_path / "m.nii.gz", like=scan)
    back = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_array_equal(back.affine, nib.load(path).affine)
    drawn, truth = np.asarray(back.dataobj) > 0, ct > 0
    assert 2 * (drawn & truth).sum() / (drawn.sum() + truth.sum()) > 0.95
    assert same_grid(read_mask(tmp_path / "m.nii.gz", like=scan), scan.volume)


def test_slicer_file_reads_back_through_simpleitk(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path, affine=oblique()))
    write_mask(make_volume(MASK.T, scan.volume.affine), tmp_path / "m.seg.nrrd", like=scan)
    image = sitk.ReadImage(str(tmp_path / "m.seg.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), MASK.T)
    for index in ((0, 0, 0), (8, 7, 6)):
        place = (scan.volume.affine @ (*index[::-1], 1))[:3]
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(index), place, atol=1e-9)
    assert image.GetMetaData("Segment1_Name") == "tumor"
    assert image.GetMetaData("Segment1_LabelValue") == "2"
    assert "SCT^108369006^Neoplasm" in image.GetMetaData("Segment1_Tags")
    assert "SCT^10200004^Liver" in image.GetMetaData("Segment0_Tags")


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_a_ct_written_and_read_is_the_same(tmp_path: Path, dtype: type) -> None:
    values = CT.T.astype(dtype) + (0.25 if dtype is np.float32 else 0)
    volume = make_volume(values, read_scan(write(tmp_path, affine=oblique())).volume.affine)
    write_volume(volume, tmp_path / "out.nii.gz")
    back = read_scan(tmp_path / "out.nii.gz").volume
    np.testing.assert_array_equal(back.array, values)
    assert same_grid(back, volume)
    itk = sitk.ReadImage(str(tmp_path / "out.nii.gz"))
    np.testing.assert_allclose(
        itk.TransformIndexToPhysicalPoint((8, 7, 6)), (volume.affine @ (6, 7, 8, 1))[:3], atol=1e-3
    )


def test_from_a_scan_of_another_format_the_nifti_says_the_same_place(tmp_path: Path) -> None:
    volume = make_volume(CT.T, np.diag([-1.0, -1, 1, 1]) @ oblique()[:, [2, 1, 0, 3]])
    scan = Scan(volume, "ct", GridSource(tmp_path / "ct.nrrd"))
    write_mask(make_volume(MASK.T, volume.affine), tmp_path / "m.nii.gz", like=scan)
    image = nib.load(tmp_path / "m.nii.gz")
    np.testing.assert_allclose(image.affine, oblique(), atol=1e-5)
    np.testing.assert_allclose(image.header.get_qform(), oblique(), atol=1e-3)
    assert image.header["sform_code"] == image.header["qform_code"] == 1
    assert same_grid(read_mask(tmp_path / "m.nii.gz", like=scan), volume)


def test_equal_masks_give_equal_bytes(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_mask(make_volume(MASK.T, scan.volume.affine), tmp_path / name, like=scan)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_what_is_no_mask_of_the_ct_is_refused(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path))
    good = make_volume(MASK.T, scan.volume.affine)
    with pytest.raises(UsageError, match="no mask format"):
        write_mask(good, tmp_path / "m.png", like=scan)
    with pytest.raises(UsageError, match="uint8 labels"):
        write_mask(make_volume(MASK.T * 2, scan.volume.affine), tmp_path / "m.nii", like=scan)
    with pytest.raises(UsageError, match="grid"):
        write_mask(make_volume(MASK.T), tmp_path / "m.nii", like=scan)
    with pytest.raises(UsageError, match="written as NIfTI"):
        write_volume(scan.volume, tmp_path / "m.nrrd")


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.seg.nrrd"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 3, (64, 64, 64)).astype(np.uint8)
    scan = Scan(make_volume(noise), "ct", GridSource(tmp_path / "ct.nrrd"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, limits[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            write_mask(scan.volume, tmp_path / name, like=scan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_the_header_helper_writes_what_nibabel_reads(tmp_path: Path) -> None:
    head, data = encoded(CT)
    (tmp_path / "x.nii").write_bytes(head + data)
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "x.nii").dataobj), CT)
