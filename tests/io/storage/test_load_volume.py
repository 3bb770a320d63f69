"""What rows of a table cannot say: memory, 4-D order, oracles for shear, both names of one pair, other headers."""

import gzip
import re
import tracemalloc
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from made_nifti import CT, RAS, encoded, write
from nifti_cases import sitk_file
from rmaunet.core.errors import InputError, UsageError
from rmaunet.io import read_nifti, read_scan
from rmaunet.io.storage.affine_checks import orthogonal_grid, orthonormalised, resampled


@pytest.mark.parametrize("name", ["ct.nii", "ct.nii.gz"])
def test_reading_takes_little_more_memory_than_the_voxels(tmp_path: Path, name: str) -> None:
    array = np.tile(np.arange(-1000, 1000, dtype=np.int16), 20 << 10).reshape(512, 400, 200)
    path = tmp_path / name
    head, data = encoded(array)
    path.write_bytes(gzip.compress(head + data, 1) if name.endswith("gz") else head + data)
    del data, head
    read_scan(write(tmp_path, name="warm.nii"))  # imports
    tracemalloc.start()
    volume = read_scan(path).volume
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.3 * array.nbytes
    assert volume.array.nbytes == array.nbytes
    assert volume.array.flags.c_contiguous


def test_a_claimed_size_takes_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path, dim=[3, 1200, 1200, 1200, 1, 1, 1, 1])
    read_scan(write(tmp_path, name="warm.nii"))
    tracemalloc.start()
    with pytest.raises(InputError):
        read_scan(path)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    head, data = encoded(CT)
    whole = head + data
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(b"".join(gzip.compress(whole[start : start + 300]) for start in range(0, len(whole), 300)))
    np.testing.assert_array_equal(read_scan(path).volume.array, CT.T)


def test_volumes_of_five_dimensions_count_on(tmp_path: Path) -> None:
    array = np.stack([np.stack([CT + 10 * t + u for t in range(2)], 3) for u in range(3)], 4)
    path = write(tmp_path, array)
    for u in range(3):
        for t in range(2):
            found = read_scan(path, volume=t + 2 * u).volume.array
            np.testing.assert_array_equal(found, array[..., t, u].T)


def test_a_vector_image_gives_its_channels(tmp_path: Path) -> None:
    image = sitk.JoinSeries([sitk.GetImageFromArray(np.ascontiguousarray((CT + n).T)) for n in range(2)])
    vector = sitk.Compose([sitk.GetImageFromArray(np.ascontiguousarray((CT + n).T)) for n in range(2)])
    sitk.WriteImage(vector, str(tmp_path / "v.mha"))
    sitk.WriteImage(image, str(tmp_path / "s.mha"))
    sitk.WriteImage(vector, str(tmp_path / "v.nrrd"))
    for name in ("v.mha", "s.mha", "v.nrrd"):
        np.testing.assert_array_equal(read_scan(tmp_path / name, volume=1).volume.array, (CT + 1).T)
        with pytest.raises(InputError, match="--volume K"):
            read_scan(tmp_path / name)


@pytest.mark.parametrize("name", ["ct.nrrd", "ct.mha", "ct.mhd", "ct.nhdr"])
def test_grids_lie_where_simpleitk_puts_them(tmp_path: Path, name: str) -> None:
    path = sitk_file(name)(tmp_path)
    image = sitk.ReadImage(str(path))
    turn = sitk.Euler3DTransform((0, 0, 0), 0.3, -0.2, 0.5)
    image.SetDirection(turn.GetMatrix())
    sitk.WriteImage(image, str(path))
    volume = read_scan(path).volume
    for i, j, k in ((0, 0, 0), (8, 7, 6), (3, 5, 1)):
        place = image.TransformIndexToPhysicalPoint((i, j, k))
        np.testing.assert_allclose((volume.affine @ (k, j, i, 1))[:3], place, atol=1e-9)
        assert volume.array[k, j, i] == image[i, j, k]


@pytest.mark.parametrize("shift", [0.2, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", [np.int16, np.int32])
def test_interpolated_whole_hu_are_rounded(kind: type, sign: int, shift: float) -> None:
    """Neither truncated towards zero nor biased: 0.6 becomes 1, -0.6 becomes -1."""
    ramp = np.broadcast_to(sign * 10 * np.arange(6), (4, 3, 6)).astype(kind)
    moved = np.eye(4)
    moved[0, 3] = shift / 10 + 0.01  # in voxels along the ramp
    out = resampled(ramp, np.eye(4), moved, (5, 3, 4), outside=-1024, nearest=False)
    assert out.dtype == kind
    expected = np.rint(sign * (10 * np.arange(5) + shift + 0.1))
    np.testing.assert_array_equal(out, np.broadcast_to(expected, (4, 3, 5)))


def test_a_sheared_ramp_keeps_its_values_at_their_places() -> None:
    """HU that are a linear function of position are reproduced exactly by linear resampling inside the grid."""
    affine = RAS.copy()
    affine[1, 2] = 0.5
    shape = (12, 14, 10)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    world = index @ affine[:3, :3].T + affine[:3, 3]
    ramp = (world @ (1.0, 2.0, -0.5)).astype(np.float32)
    upright, size = orthogonal_grid(affine, shape)
    out = resampled(ramp.T, affine, upright, size, outside=-1024, nearest=False).T
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), -1) @ upright[:3, :3].T + upright[:3, 3]
    stored = (places - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T  # where that is in the sheared grid
    inside = ((stored > -1e-6) & (stored < np.array(shape) - 1 + 1e-6)).all(-1)
    assert inside.mean() > 0.6
    far = ((stored < -0.51) | (stored > np.array(shape) - 0.49)).any(-1)
    assert (out[far] == -1024).all()
    np.testing.assert_allclose(out[inside], (places @ (1.0, 2.0, -0.5))[inside], atol=2e-3)
    corners = np.array([[0, 0, 0], [size[0] - 1, size[1] - 1, size[2] - 1]]) @ upright[:3, :3].T + upright[:3, 3]
    assert (np.abs(corners).max(0) >= np.abs(world.reshape(-1, 3)).max(0) - 2.5).all()


def test_rounding_is_turned_to_exact_right_angles() -> None:
    rough = RAS.copy()
    rough[:3, :3] += 1e-6 * np.random.default_rng(1).normal(size=(3, 3))
    smooth = orthonormalised(rough)
    spacing = np.linalg.norm(smooth[:3, :3], axis=0)
    unit = smooth[:3, :3] / spacing
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(smooth, rough, atol=1e-5)


def test_what_a_nibabel_file_says_is_what_we_read(tmp_path: Path) -> None:
    image = nib.Nifti1Image(CT, RAS)
    nib.save(image, tmp_path / "a.nii.gz")
    scan = read_nifti(tmp_path / "a.nii.gz")
    assert scan.name == "a"
    np.testing.assert_allclose(scan.volume.affine[:, [2, 1, 0, 3]], np.diag([-1, -1, 1, 1]) @ RAS, atol=1e-5)


def test_options_that_do_not_apply_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(UsageError, match="DICOM only"):
        read_scan(path, series="1.2.3")
    with pytest.raises(UsageError, match="must be a number"):
        read_scan(path, hu_offset=float("nan"))
    with pytest.raises(UsageError, match="does not apply to DICOM"):
        read_scan(tmp_path, hu_offset=-1024)


def test_messages_name_file_field_value_and_remedy(tmp_path: Path) -> None:
    path = write(tmp_path, datatype=128)
    with pytest.raises(InputError) as caught:
        read_scan(path)
    assert re.fullmatch(rf"{re.escape(str(path))}: datatype = 128: .+; .+", str(caught.value))
