"""A lesion that cannot be told from the liver around it becomes liver."""

import cc3d
import numpy as np
import pytest

from rmaunet.predict import Postprocessing
from rmaunet.predict.postprocess.clean_labels import postprocess
from rmaunet.predict.postprocess.faint_lesions import faint_lesions

MM = (2.0, 1.0, 1.5)


def scan(**lesions_hu):
    """A liver of 100 HU on the left and of 140 on the right, with lesions as asked for."""
    labels = np.zeros((12, 80, 80), np.uint8)
    labels[:, 5:75, 5:75] = 1
    ct = np.full(labels.shape, -100, np.int16)
    ct[:, 5:75, 5:75] = 110
    ct[:, 5:75, 5:35], ct[:, 5:75, 45:75] = 100, 140
    places = {"left": (slice(4, 8), slice(30, 40), slice(15, 25)), "right": (slice(4, 8), slice(30, 40), slice(58, 68))}
    for name, hu in lesions_hu.items():
        labels[places[name]] = 2
        ct[places[name]] = hu
    return labels, ct


def faint(labels, ct, by_hu=10.0):
    lesions = cc3d.connected_components((labels == 2).astype(np.uint8))
    return faint_lesions(labels, lesions, ct, by_hu, spacing_mm=MM).tolist()


@pytest.mark.parametrize(
    ("hu", "expected"), [(70, False), (91, True), (100, True), (109, True), (111, False), (160, False)]
)
def test_a_lesion_must_be_darker_or_brighter_than_the_liver(hu, expected):
    assert faint(*scan(left=hu)) == [False, expected]


def test_the_liver_beside_it_counts_and_not_the_whole():
    assert faint(*scan(left=125, right=125)) == [False, False, False]
    assert faint(*scan(left=102, right=138)) == [False, True, True]
    assert faint(*scan(right=110)) == [False, False]  # as bright as the median


def test_a_part_of_a_large_tumor_is_not_faint_for_the_rest_around_it():
    labels, ct = scan(left=70)
    ct[:, 15:55, 5:35] = 70  # as dark as the lesion, and not marked
    assert faint(labels, ct) == [False, False]
    ct[:, 15:55, 5:35] = ct[labels == 2] = 105
    assert faint(labels, ct) == [False, True]


def test_its_soft_border_does_not_count():
    labels, ct = scan(left=70)
    ct[4:8, 28:42, 14:26] = 70  # two millimetres around it are as dark
    assert faint(labels, ct) == [False, False]


def test_with_little_liver_beside_it_the_whole_is_compared():
    labels, ct = scan()
    labels[:, 20:50, 45:] = 0
    labels[4:8, 30:34, 60:64] = 2  # a lesion apart from the liver
    ct[4:8, 30:34, 60:64] = 105  # the median is 100
    assert faint(labels, ct) == [False, True]


def test_a_liver_that_is_all_lesion_stays():
    labels = np.full((3, 9, 9), 2, np.uint8)
    assert faint(labels, np.zeros(labels.shape, np.int16)) == [False, False]


def test_postprocessing_makes_it_liver_and_needs_the_ct():
    labels, ct = scan(left=95, right=70)
    settings = Postprocessing(tumor_contrast_hu=10.0)
    with pytest.raises(ValueError, match=r"tumor_contrast_hu = 10\.0: needs the CT"):
        postprocess(labels.copy(), settings, spacing_mm=MM)
    tidy = postprocess(labels.copy(), settings, spacing_mm=MM, ct=ct)
    assert (tidy > 0).sum() == (labels > 0).sum()
    assert not (tidy[:, :, :40] == 2).any()
    assert np.array_equal(tidy[:, :, 40:], labels[:, :, 40:])
