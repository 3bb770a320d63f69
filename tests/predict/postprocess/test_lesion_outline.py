"""Voxels at a lesion's border leave or join it by their HU."""

from dataclasses import replace

import numpy as np
import pytest

from rmaunet.predict import Postprocessing
from rmaunet.predict.postprocess.clean_labels import labels_from_probabilities, postprocess
from rmaunet.predict.postprocess.lesion_outline import outline_lesions

MM = (2.0, 1.0, 1.0)
LIVER_HU = 110


def ball(middle, radius_mm, shape=(30, 120, 120)):
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    return sum(((i - m) * mm) ** 2 for i, m, mm in zip((z, y, x), middle, MM, strict=True)) <= radius_mm**2


def liver(noise=15.0):
    """A liver with 2 cm of fat around it in the slices, and noise."""
    labels = np.zeros((30, 120, 120), np.uint8)
    labels[:, 20:100, 20:100] = 1
    ct = np.where(labels > 0, LIVER_HU, -100).astype(np.float32)
    return labels, ct + np.random.default_rng(0).normal(0, noise, ct.shape).astype(np.float32)


def dice(one, other):
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.mark.parametrize("by_hu", [-45, 40])
def test_a_ring_of_liver_leaves_a_small_lesion(by_hu):
    labels, ct = liver()
    truth, marked = ball((15, 60, 60), 7), ball((15, 60, 60), 10)
    ct[truth] += by_hu
    labels[marked] = 2
    assert dice(labels == 2, truth) < 0.6
    outline_lesions(labels, ct, spacing_mm=MM)
    assert dice(labels == 2, truth) > 0.8
    assert (labels[marked] > 0).all()  # what leaves is liver


@pytest.mark.parametrize("by_hu", [-45, 40])
def test_the_rest_of_a_large_lesion_joins_what_is_marked(by_hu):
    labels, ct = liver()
    truth, marked = ball((15, 60, 60), 26), ball((15, 52, 60), 16)
    ct[truth] += by_hu
    labels[marked] = 2
    assert dice(labels == 2, truth) < 0.5
    outline_lesions(labels, ct, spacing_mm=MM)
    assert dice(labels == 2, truth) > 0.85


def test_nothing_joins_at_the_surface_nor_along_a_vessel_nor_beyond_the_liver():
    labels, ct = liver(noise=0)
    truth = ball((15, 60, 60), 10)
    ct[truth] -= 50
    ct[:, 58:62, 60:100] -= 50  # 4 mm wide, from the lesion to the surface
    ct[:, 98:100, 20:100] -= 50  # the surface, mixed with fat
    ct[:, 100:, :] = LIVER_HU - 50
    labels[truth] = 2
    before = labels.copy()
    outline_lesions(labels, ct, spacing_mm=MM)
    assert dice(labels == 2, truth) > 0.9
    assert not (labels[:, 58:62, 75:] == 2).any()
    assert not (labels[:, 95:] == 2).any()
    assert np.array_equal(labels > 0, before > 0)


def test_other_lesions_of_the_same_darkness_stay_what_they_are():
    labels, ct = liver()
    marked, unmarked = ball((15, 40, 40), 8), ball((15, 75, 75), 12)
    ct[marked | unmarked] -= 50
    labels[marked] = 2
    outline_lesions(labels, ct, spacing_mm=MM)
    assert not (labels[unmarked] == 2).any()
    assert dice(labels == 2, marked) > 0.85


def test_a_lesion_as_bright_as_the_liver_and_a_liver_that_is_all_lesion_stay():
    labels, ct = liver()
    labels[ball((15, 60, 60), 10)] = 2
    before = labels.copy()
    outline_lesions(labels, ct, spacing_mm=MM)
    assert np.array_equal(labels, before)
    labels[labels == 1] = 2
    before = labels.copy()
    outline_lesions(labels, ct, spacing_mm=MM)
    assert np.array_equal(labels, before)


def test_postprocessing_does_it_last_and_needs_the_ct():
    labels, ct = liver()
    truth = ball((15, 60, 60), 7)
    ct[truth] -= 45
    labels[ball((15, 60, 60), 10)] = 2
    settings = Postprocessing(outline_lesions=True)
    with pytest.raises(ValueError, match="outline_lesions = True: needs the CT"):
        postprocess(labels.copy(), settings, spacing_mm=MM)
    tidy = postprocess(labels, settings, spacing_mm=MM, ct=ct)
    assert dice(tidy == 2, truth) > 0.8


def test_what_the_outline_cuts_off_from_a_lesions_peak_becomes_liver():
    labels, ct = liver(noise=0)
    truth, other = ball((15, 60, 50), 9), ball((15, 60, 72), 5)
    ct[truth | other] -= 45
    probabilities = np.zeros((2, *labels.shape), np.float32)
    probabilities[0] = labels
    marked = truth | other
    marked[15, 60, 50:72] = True  # a bridge of liver
    probabilities[1][marked] = 0.5
    probabilities[1][truth] = 0.97
    settings = Postprocessing(tumor_threshold=0.2, outline_lesions=True, tumor_inside_liver=True)
    for peak, left in ((0.0, True), (0.95, False)):
        asked = replace(settings, tumor_peak=peak)
        tidy = postprocess(labels_from_probabilities(probabilities, asked), asked, spacing_mm=MM, ct=ct)
        assert (tidy[15, 60, 72] == 2) == left
        assert dice((tidy == 2) & ball((15, 60, 50), 11), truth) > 0.9
