"""A lesion as dark as water is a cyst, or bile, and becomes liver."""

import cc3d
import numpy as np
import pytest

from rmaunet.predict import Postprocessing
from rmaunet.predict.postprocess.clean_labels import postprocess
from rmaunet.predict.postprocess.fluid_lesions import fluid_lesions

MM = (2.0, 1.0, 1.0)
PLACES = {"left": (slice(4, 12), slice(30, 46), slice(15, 31)), "right": (slice(4, 12), slice(30, 46), slice(50, 66))}


def scan(liver_hu=100, ring=0, **lesions_hu):
    """A liver with noise and lesions of 4 ml, each marked with ``ring`` pixels of liver around it."""
    labels = np.zeros((16, 80, 80), np.uint8)
    labels[:, 5:75, 5:75] = 1
    ct = np.where(labels > 0, liver_hu, -100).astype(np.float32)
    for name, hu in lesions_hu.items():
        z, *plane = PLACES[name]
        ct[PLACES[name]] = hu
        labels[(z, *(slice(one.start - ring, one.stop + ring) for one in plane))] = 2
    return labels, ct + np.random.default_rng(0).normal(0, 15, ct.shape).astype(np.float32)


def fluid(labels, ct, below_hu=20.0, spacing_mm=MM):
    lesions = cc3d.connected_components((labels == 2).astype(np.uint8))
    return fluid_lesions(labels, lesions, ct, below_hu, spacing_mm=spacing_mm).tolist()


@pytest.mark.parametrize(("hu", "expected"), [(-5, True), (10, True), (45, False), (60, False)])
@pytest.mark.parametrize("ring", [0, 2])
def test_water_is_told_from_tumor_with_and_without_a_ring_of_liver(hu, expected, ring):
    assert fluid(*scan(ring=ring, left=hu)) == [False, expected]


def test_each_lesion_is_judged_by_itself():
    assert fluid(*scan(left=5, right=55)) == [False, True, False]
    assert fluid(*scan(left=55, right=5)) == [False, False, True]


def test_in_a_fatty_liver_and_in_a_large_tumor_nothing_is_fluid():
    assert fluid(*scan(liver_hu=35, left=5)) == [False, False]
    assert fluid(*scan(left=5), spacing_mm=(10.0, 3.0, 3.0)) == [False, False]  # 184 ml


def test_a_liver_that_is_all_lesion_stays():
    labels = np.full((3, 9, 9), 2, np.uint8)
    assert fluid(labels, np.zeros(labels.shape, np.int16)) == [False, False]


def test_postprocessing_makes_it_liver_and_needs_the_ct():
    labels, ct = scan(left=5, right=55)
    settings = Postprocessing(fluid_below_hu=20.0)
    with pytest.raises(ValueError, match=r"fluid_below_hu = 20\.0: needs the CT"):
        postprocess(labels.copy(), settings, spacing_mm=MM)
    tidy = postprocess(labels.copy(), settings, spacing_mm=MM, ct=ct)
    assert (tidy > 0).sum() == (labels > 0).sum()
    assert not (tidy[:, :, :40] == 2).any()
    assert np.array_equal(tidy[:, :, 40:], labels[:, :, 40:])
