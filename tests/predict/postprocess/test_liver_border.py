"""What is brighter or darker than the liver goes where it hangs at the edge, and stays where it lies inside."""

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.core.volume import make_volume
from rmaunet.predict import Postprocessing, Predictor
from rmaunet.predict.postprocess.clean_labels import postprocess
from rmaunet.predict.postprocess.liver_border import drop_unlike
from rmaunet.preprocess import Preprocessing

MM = (2.0, 1.0, 1.0)
LIVER_HU, BOWEL_HU, WATER_HU = 100, 190, 20
LIVER, BOWEL = slice(30, 50), slice(5, 30)  # slices


class AboveZero(nn.Module):
    """Marks as liver what is above 0 HU."""

    def forward(self, x):
        return torch.cat([x[:, :1] * 100, torch.full_like(x[:, :1], -9.0)], dim=1)


def scan(bowel_hu=BOWEL_HU):
    """A liver of 100 HU above; below it and touching it, a bowel, of which some is marked tumor."""
    labels = np.zeros((50, 90, 90), np.uint8)
    labels[LIVER, 10:80, 10:80] = 1
    labels[BOWEL, 30:60, 30:60] = 1
    labels[12:16, 40:50, 40:50] = 2
    ct = np.full(labels.shape, -100, np.int16)
    ct[LIVER][labels[LIVER] > 0] = LIVER_HU
    ct[BOWEL][labels[BOWEL] > 0] = bowel_hu
    return labels, ct


def drop(labels, ct, *, brighter=40.0, darker=25.0):
    return drop_unlike(labels, ct, spacing_mm=MM, brighter_by_hu=brighter, darker_by_hu=darker)


@pytest.mark.parametrize("hu", [BOWEL_HU, WATER_HU])
def test_bowel_below_the_liver_goes_with_what_is_marked_in_it(hu):
    labels, ct = scan(hu)
    ml = drop(labels, ct)
    assert not labels[BOWEL].any()
    assert (labels[LIVER, 10:80, 10:80] == 1).all()
    assert ml == pytest.approx(25 * 30 * 30 * 2 / 1000)


@pytest.mark.parametrize(("hu", "limits"), [(BOWEL_HU, {"brighter": 95.0}), (WATER_HU, {"darker": 85.0})])
def test_it_stays_if_it_is_not_unlike_enough(hu, limits):
    labels, ct = scan(hu)
    before = labels.copy()
    assert drop(labels, ct, **limits) == 0
    assert np.array_equal(labels, before)


@pytest.mark.parametrize(("hu", "limits"), [(BOWEL_HU, {"brighter": 0.0}), (WATER_HU, {"darker": 0.0})])
def test_each_way_is_asked_for_alone(hu, limits):
    labels, ct = scan(hu)
    assert drop(labels, ct, **limits) == 0


@pytest.mark.parametrize("hu", [BOWEL_HU, WATER_HU])
def test_a_lesion_stays_inside_the_liver_and_where_it_bulges_out(hu):
    labels, ct = scan()
    labels[BOWEL] = 0
    ct[35:45, 30:60, 30:60] = hu  # inside
    labels[35:45, 65:88, 30:60] = 2  # bulges out by 8 of 23 mm
    ct[35:45, 65:88, 30:60] = hu
    before = labels.copy()
    assert drop(labels, ct) == 0
    assert np.array_equal(labels, before)


def test_a_huge_dark_mass_stays():
    labels, ct = scan(WATER_HU)
    labels[BOWEL, 15:70, 15:70] = 2  # 76 of 174 thousand voxels
    ct[BOWEL][labels[BOWEL] > 0] = WATER_HU
    assert drop(labels, ct) == 0


def test_vessels_and_rims_are_too_narrow():
    labels, ct = scan()
    labels[BOWEL] = 0
    ct[LIVER, 40:48, 10:80] = 250  # a vessel of 8 mm from edge to edge
    ct[LIVER, 10:13, 10:80] = 250  # ribs in the border's pixels
    ct[LIVER, 60:63, 10:80] = 0  # a fissure
    before = labels.copy()
    drop(labels, ct)
    assert np.array_equal(labels, before)


def test_specks_stay():
    labels, ct = scan()
    labels[BOWEL] = 0
    labels[5:9, 5:15, 5:15] = 1  # 0.8 ml
    ct[5:9, 5:15, 5:15] = BOWEL_HU
    assert drop(labels, ct) == 0


@pytest.mark.parametrize("fill", [0, 2])
def test_without_liver_there_is_nothing_to_compare_with(fill):
    labels = np.full((3, 9, 9), fill, np.uint8)
    assert drop(labels, np.zeros(labels.shape, np.int16)) == 0


@pytest.mark.parametrize(("hu", "asked"), [(BOWEL_HU, {"brighter_by_hu": 40.0}), (WATER_HU, {"darker_by_hu": 25.0})])
def test_postprocessing_needs_the_ct_for_it(hu, asked):
    labels, ct = scan(hu)
    settings = Postprocessing(**asked)
    name, by_hu = next(iter(asked.items()))
    with pytest.raises(ValueError, match=rf"{name} = {by_hu}: needs the CT"):
        postprocess(labels, settings, spacing_mm=MM)
    tidy = postprocess(labels, settings, spacing_mm=MM, ct=ct)
    assert not tidy[BOWEL].any()
    assert tidy[LIVER].any()


def test_a_piece_is_judged_by_what_lies_beyond_the_mask_too():
    labels, ct = scan()
    labels[:19] = 0  # of its neighbours 900 are liver; 900 below and 1320 at its sides are not
    cropped = labels[19:].copy()
    assert drop(cropped, ct[19:]) == 0  # 900 of 2220
    tidy = postprocess(labels, Postprocessing(brighter_by_hu=40.0), spacing_mm=MM, ct=ct)
    assert not tidy[BOWEL].any()  # 900 of 3120


@pytest.mark.parametrize("orientation", ["HPL", "LAF", "PRH"])
def test_the_predictor_compares_with_the_ct_in_any_orientation(orientation):
    labels, ct = scan()
    affine = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])
    volume = make_volume(ct, affine).to_patient_orientation(orientation)
    preprocessing = Preprocessing(grid="spacing", spacing_mm=1.0, window_hu=(-200.0, 200.0))
    for by_hu, kept in ((0.0, np.count_nonzero(labels)), (40.0, np.count_nonzero(labels[LIVER]))):
        settings = Postprocessing(brighter_by_hu=by_hu)
        predictor = Predictor.from_network(AboveZero(), preprocessing, settings)
        assert np.count_nonzero(predictor.predict(volume).mask.array) == kept
