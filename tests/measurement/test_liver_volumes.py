"""Volumes, burden and HU against what was put in."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmaunet.core.errors import InputError
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.measurement import measure
from rmaunet.measurement.liver_volumes import intensity


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (3.0, 1.6, 1.6)])
def test_phantom_volumes(spacing: tuple[float, float, float]) -> None:
    shape = tuple(int(n / s) for n, s in zip((256, 300, 384), spacing, strict=True))
    made = phantom(seed=4, shape=shape, spacing_mm=spacing, noise_hu=5.0)
    found = measure(made.ct, made.mask)
    assert found.liver_ml == pytest.approx(made.liver_ml, rel=0.005)
    assert found.tumor_ml == pytest.approx(made.tumor_ml, rel=0.03)
    assert found.parenchyma_ml == pytest.approx(found.liver_ml - found.tumor_ml)
    assert found.burden_percent == pytest.approx(100 * found.tumor_ml / found.liver_ml)
    assert found.burden_convention == "tumor / (liver with tumor)"
    assert found.parenchyma_hu.mean == pytest.approx(made.liver_hu, abs=0.2)
    assert found.parenchyma_hu.sd == pytest.approx(5.0, abs=0.2)
    assert found.spacing_mm == pytest.approx(spacing)
    assert found.shape == shape


def test_counted_by_hand() -> None:
    ct = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    labels = np.zeros((2, 3, 4), np.uint8)
    labels[0, 0], labels[1, 2, 3] = 1, 2  # HU 0 to 3, and 23
    affine = np.array([[0, 0, 2.0, 0], [0, 5, 0, 0], [10, 0, 0, 0], [0, 0, 0, 1]])
    found = measure(make_volume(ct, affine), make_volume(labels, affine))
    assert (found.voxel_ml, found.liver_ml, found.parenchyma_ml, found.tumor_ml) == pytest.approx((0.1, 0.5, 0.4, 0.1))
    assert found.burden_percent == pytest.approx(20)
    parenchyma = found.parenchyma_hu
    assert (parenchyma.voxels, parenchyma.mean, parenchyma.sd, parenchyma.p50) == pytest.approx(
        (4, 1.5, 1.25**0.5, 1.5)
    )
    assert (parenchyma.p05, parenchyma.p95) == pytest.approx((0.15, 2.85))
    assert (found.tumor_hu.voxels, found.tumor_hu.mean, found.tumor_hu.sd) == (1, 23, 0)


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.1, 4), orientation=st.sampled_from(["HPL", "FAR", "LHP", "PRF"]))
def test_volume_scales_with_the_cube_of_spacing(scale: float, orientation: str) -> None:
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1], labels[2, 2] = 1, 2
    one = make_volume(labels)
    affine = np.asarray(one.affine).copy()
    affine[:3, :3] *= scale
    other = make_volume(labels, affine).to_patient_orientation(orientation)
    assert measure(None, other).liver_ml == pytest.approx(measure(None, one).liver_ml * scale**3)
    assert measure(None, other).burden_percent == pytest.approx(20)


def test_the_border_takes_nothing_away() -> None:
    assert measure(None, make_volume(np.full((10, 10, 10), 2, np.uint8))).tumor_ml == pytest.approx(1.0)


def test_empty_is_undefined_not_zero() -> None:
    volume = make_volume(np.zeros((2, 2, 2), np.uint8))
    found = measure(volume, volume)
    assert found.liver_ml == 0
    assert math.isnan(found.burden_percent)
    assert found.parenchyma_hu.voxels == 0
    assert math.isnan(found.parenchyma_hu.p50)
    assert math.isnan(measure(None, make_volume(np.ones((2, 2, 2), np.uint8))).parenchyma_hu.mean)


def test_values_that_are_not_finite_are_left_out() -> None:
    found = intensity(np.array([1.0, np.nan, 3.0, np.inf]))
    assert (found.voxels, found.mean) == (2, 2.0)


def test_json_able() -> None:
    made = phantom(seed=1, shape=(16, 24, 24))
    content = measure(made.ct, made.mask).to_dict()
    assert json.loads(json.dumps(content))["parenchyma_hu"]["voxels"] == np.count_nonzero(made.mask.array == 1)


def test_another_grid_is_refused() -> None:
    with pytest.raises(InputError, match="is not the CT's grid"):
        measure(make_volume(np.zeros((2, 2, 2), np.int16)), make_volume(np.zeros((2, 2, 3), np.uint8)))
