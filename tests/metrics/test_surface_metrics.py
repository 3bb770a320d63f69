"""Surface distances against brute force, SimpleITK's surface, closed forms and identities."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.distance import cdist

from rmaunet.core.volume.box import union_box
from rmaunet.metrics import (
    LITS_PENALTY,
    assd,
    hd95_larger,
    hd95_pooled,
    msd,
    rmsd,
    surface_dice,
    surface_distances,
    surface_voxels,
)

SPACING = st.tuples(*[st.floats(0.3, 8.0)] * 3)
SHAPES = st.tuples(*[st.integers(1, 6)] * 3)


def masks_of_one_shape(shape: tuple[int, int, int]) -> st.SearchStrategy:
    return st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))


def slow_surface(mask: np.ndarray) -> np.ndarray:
    return mask ^ ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 2))


def slow_distances(one: np.ndarray, other: np.ndarray, spacing: tuple) -> tuple[np.ndarray, np.ndarray]:
    table = cdist(*(np.argwhere(slow_surface(mask)) * np.array(spacing) for mask in (one, other)))
    return table.min(axis=1), table.min(axis=0)


@given(hnp.arrays(bool, st.tuples(*[st.integers(1, 7)] * 3)))
def test_surface_is_the_18_neighbourhoods(mask: np.ndarray) -> None:
    assert np.array_equal(surface_voxels(mask), slow_surface(mask))


def test_surface_of_a_cube() -> None:
    assert surface_voxels(np.pad(np.ones((5, 5, 5), bool), 2)).sum() == 125 - 27
    one_corner_missing = np.ones((5, 5, 5), bool)
    one_corner_missing[0, 0, 0] = False  # only a 26-neighbour of the voxel (1, 1, 1)
    assert not surface_voxels(np.pad(one_corner_missing, 1))[2, 2, 2]


@given(SHAPES.flatmap(masks_of_one_shape), SPACING)
@settings(deadline=None)
def test_equal_to_brute_force(masks: tuple[np.ndarray, np.ndarray], spacing: tuple) -> None:
    assume(masks[0].any() and masks[1].any())
    there, back = slow_distances(*masks, spacing)
    both = np.concatenate([there, back])
    found = surface_distances(*masks, spacing)
    assert found.reference_to_prediction_mm == pytest.approx(there, abs=1e-6)
    assert found.prediction_to_reference_mm == pytest.approx(back, abs=1e-6)
    assert assd(found) == pytest.approx(both.mean(), abs=1e-6)
    assert rmsd(found) == pytest.approx(math.sqrt((both**2).mean()), abs=1e-6)
    assert msd(found) == pytest.approx(max(there.max(), back.max()), abs=1e-6)
    assert hd95_pooled(found) == pytest.approx(np.percentile(both, 95), abs=1e-6)
    assert hd95_larger(found) == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), abs=1e-6)
    assert surface_dice(found, 1.0) == pytest.approx((both <= 1.0 + 1e-6).mean())
    assert assd(found) <= rmsd(found) + 1e-9 <= msd(found) + 2e-9


@given(SHAPES.flatmap(masks_of_one_shape), SPACING)
@settings(deadline=None, max_examples=50)
def test_symmetric(masks: tuple[np.ndarray, np.ndarray], spacing: tuple) -> None:
    one, other = surface_distances(*masks, spacing), surface_distances(*masks[::-1], spacing)
    for metric in (assd, rmsd, msd, hd95_pooled, hd95_larger):
        assert metric(one) == pytest.approx(metric(other), nan_ok=True)


@given(st.integers(0, 5), st.integers(0, 2), SPACING)
@settings(deadline=None)
def test_shift_by_k_voxels_moves_by_k_spacings(k: int, axis: int, spacing: tuple) -> None:
    slab = np.zeros((16, 16, 16), bool)
    slab[5:8, 5:8, 5:8] = True
    found = surface_distances(slab, np.roll(slab, k, axis), spacing)
    # The far face moves by k spacings, and no point of the box is nearer to the moved one.
    assert msd(found) == pytest.approx(k * spacing[axis], abs=1e-9)
    assert surface_dice(found, k * spacing[axis]) == 1.0


def test_parallel_planes() -> None:
    one, other = np.zeros((2, 9, 6, 6), bool)
    one[1], other[5] = True, True
    found = surface_distances(one, other, (2.5, 0.7, 0.7))
    for metric in (assd, rmsd, msd, hd95_pooled, hd95_larger):
        assert metric(found) == pytest.approx(10.0)
    assert surface_dice(found, 9.99) == 0
    assert surface_dice(found, 10.0) == 1


def test_concentric_balls() -> None:
    z, y, x = np.ogrid[-24:25, -24:25, -24:25]
    radius = np.sqrt((z * 1.5) ** 2 + (y * 1.0) ** 2 + (x * 1.0) ** 2)
    found = surface_distances(radius <= 20, radius <= 14, (1.5, 1.0, 1.0))
    # Surface voxels lie inside their ball by up to a voxel.
    assert assd(found) == pytest.approx(6.0, abs=1.0)
    assert msd(found) == pytest.approx(6.0, abs=1.5)


def test_pooled_and_larger_hd95_differ_as_their_names_say() -> None:
    # One voxel against a line of 100: one direction sees 0, the other 0 ... 99.
    one, other = np.zeros((2, 1, 1, 100), bool)
    one[..., 0], other[...] = True, True
    found = surface_distances(one, other, (1.0, 1.0, 1.0))
    assert hd95_larger(found) == pytest.approx(np.percentile(np.arange(100), 95))
    assert hd95_pooled(found) == pytest.approx(np.percentile([0, *range(100)], 95))
    assert hd95_pooled(found) < hd95_larger(found)


EMPTY, FULL = np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)


@pytest.mark.parametrize(
    ("one", "other", "convention", "distance", "share"),
    [
        (EMPTY, EMPTY, "paper", math.nan, 1.0),
        (EMPTY, EMPTY, "lits", math.nan, 1.0),
        (EMPTY, EMPTY, "nnunet", math.nan, math.nan),
        (EMPTY, FULL, "paper", math.nan, 0.0),
        (FULL, EMPTY, "paper", math.nan, 0.0),
        (FULL, EMPTY, "nnunet", math.nan, 0.0),
        (EMPTY, FULL, "lits", LITS_PENALTY, 0.0),
        (FULL, EMPTY, "lits", LITS_PENALTY, 0.0),
    ],
)
def test_empty_masks(one: np.ndarray, other: np.ndarray, convention: str, distance: float, share: float) -> None:
    found = surface_distances(one, other, (1.0, 1.0, 1.0))
    for metric in (assd, rmsd, msd, hd95_pooled, hd95_larger):
        assert metric(found, convention=convention) == pytest.approx(distance, nan_ok=True)
    assert surface_dice(found, 2.0, convention=convention) == pytest.approx(share, nan_ok=True)


def test_arguments_that_make_no_sense_are_refused() -> None:
    for spacing in ((1.0, 1.0), (1.0, 0.0, 1.0), (1.0, math.nan, 1.0)):
        with pytest.raises(ValueError, match="spacing_mm"):
            surface_distances(FULL, FULL, spacing)
    with pytest.raises(ValueError, match="shapes"):
        surface_distances(FULL, FULL[:2], (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="tolerance_mm"):
        surface_dice(surface_distances(FULL, FULL, (1.0, 1.0, 1.0)), -1.0)


@given(SHAPES.flatmap(masks_of_one_shape))
def test_union_box_is_the_smallest(masks: tuple[np.ndarray, np.ndarray]) -> None:
    union = masks[0] | masks[1]
    box = union_box(*masks)
    assert union[box].sum() == union.sum()
    if union.any():
        where = np.argwhere(union)
        assert box == tuple(slice(a, b + 1) for a, b in zip(where.min(0), where.max(0), strict=True))
    else:
        assert union[box].size == 0
