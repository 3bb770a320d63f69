"""What is embedded is what was given: geometry, labels, HU within a step, size within the bound."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import axial, make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.report.embed import PACKED_HU, embed, nifti_bytes

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def opened(data: bytes) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(data))


@pytest.mark.parametrize(("orientation", "oblique"), [("HPL", 0.0), ("PRF", 0.0), ("HPL", 12.0)])
def test_voxels_and_geometry_come_back(orientation: str, oblique: float) -> None:
    made = phantom(seed=1, shape=(40, 64, 72)).turned(orientation, oblique_deg=oblique)
    packed = embed(made.ct, made.mask)
    image, mask = opened(packed.ct_gz), opened(packed.mask_gz)
    assert not packed.reduced
    assert np.allclose(image.affine, mask.affine)
    source, labels = axial(made.ct), axial(made.mask)
    hu, values = image.get_fdata(), np.asarray(mask.dataobj)
    to_source = np.linalg.inv(np.asarray(source.affine)) @ LPS_TO_RAS @ image.affine
    w, h, d = np.indices(hu.shape).reshape(3, -1)
    at = to_source @ np.stack([w, h, d, np.ones_like(w)])
    index = np.rint(at[:3]).astype(int)
    assert np.abs(at[:3] - index).max() < 1e-3
    wanted = np.clip(source.array[tuple(index)], *PACKED_HU)
    assert np.abs(hu.ravel() - wanted).max() <= 1.0 + 1e-6
    assert (values.ravel() == labels.array[tuple(index)]).all()
    assert np.count_nonzero(liver_mask(values)) == np.count_nonzero(liver_mask(labels.array))


def test_a_large_scan_is_averaged_until_it_fits() -> None:
    made = phantom(seed=2, shape=(60, 160, 160), noise_hu=15)
    whole, small = embed(made.ct, made.mask), embed(made.ct, made.mask, most_bytes=60_000)
    assert not whole.reduced
    assert len(whole.ct_gz) > 60_000
    assert small.reduced
    assert len(small.ct_gz) <= 60_000
    # Equal outer edges, volumes within a voxel layer, and mean HU: averaging keeps them.
    for shape, spacing, other_shape, other_spacing in zip(
        whole.ct.array.shape, whole.spacing_mm, small.ct.array.shape, small.spacing_mm, strict=True
    ):
        assert shape * spacing == pytest.approx(other_shape * other_spacing)
    edge = np.array([-0.5, -0.5, -0.5, 1.0])
    assert np.allclose(np.asarray(whole.ct.affine) @ edge, np.asarray(small.ct.affine) @ edge)
    assert small.ct.array.mean() == pytest.approx(whole.ct.array.mean(), abs=1.0)
    volumes = [np.count_nonzero(tumor_mask(one.mask.array)) * np.prod(one.spacing_mm) for one in (whole, small)]
    assert volumes[1] == pytest.approx(volumes[0], rel=0.15)


def test_averaging_a_ramp_gives_the_ramp() -> None:
    ramp = np.broadcast_to(np.arange(0, 100, dtype=np.float32)[:, None, None], (100, 60, 60)).copy()
    labels = np.ones(ramp.shape, np.uint8)
    packed = embed(make_volume(ramp), make_volume(labels), most_bytes=10)
    affine = np.asarray(packed.ct.affine)
    z = np.arange(packed.ct.array.shape[0]) * affine[2, 0] + affine[2, 3]
    assert packed.reduced
    assert np.abs(packed.ct.array[:, 0, 0] * 2.0 + PACKED_HU[0] - z).max() <= 1.0


def test_not_a_number_is_air_and_the_limits_hold() -> None:
    ct = np.full((4, 5, 6), 40, np.float32)
    ct[0, 0, :3] = np.nan, 5000, -5000
    packed = embed(make_volume(ct), make_volume(np.ones(ct.shape, np.uint8)))
    assert packed.ct.array[0, 0, :4].tolist() == [0, 255, 0, 120]


def test_header_holds_voxels_and_geometry_only() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    affine = np.array([[0, 0, 0.7, -100], [0, 0.8, 0, 50], [2.5, 0, 0, -7], [0, 0, 0, 1]])
    image = nib.Nifti1Image.from_bytes(nifti_bytes(array, affine, slope=2, intercept=-200))
    assert (np.asarray(image.dataobj.get_unscaled()) == array.T).all()
    assert image.get_fdata()[3, 2, 1] == 23 * 2 - 200
    assert np.allclose(LPS_TO_RAS @ image.affine @ [1, 2, 1, 1], affine @ [1, 2, 1, 1], atol=1e-5)
    assert image.header.get_zooms() == pytest.approx((0.7, 0.8, 2.5))
    assert bytes(image.header["descrip"]) + bytes(image.header["aux_file"]) == bytes(104)


def test_another_grid_is_refused() -> None:
    with pytest.raises(InputError, match="grid"):
        embed(make_volume(np.zeros((3, 4, 5), np.int16)), make_volume(np.zeros((3, 4, 6), np.uint8)))
