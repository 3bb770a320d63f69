"""A lesion of one liver, or of none, is set into another liver, or beside it; or liver is laid over it."""

from dataclasses import replace

import numpy as np
import pytest

from rmaunet.train.augment.synthetic_lesions import (
    DISTRACTOR,
    LARGE,
    Lesion,
    cut_lesion,
    draw_lesion,
    heal_lesions,
    set_distractor,
    set_lesion,
)

SIDE = 60


def donor():
    """A bright liver of 0.5 with a lesion of 8 x 10 pixels, 0.3 darker, in the middle of three slices and one beside it."""
    labels = np.zeros((3, SIDE, SIDE), np.uint8)
    labels[:, 5:55, 5:55] = 1
    labels[1:, 20:28, 20:30] = 2
    image = np.where(labels > 0, np.float32(0.5), np.float32(-1))
    image[labels == 2] = 0.2
    return image, labels


def liver():
    """A dark liver of 0.1 in surroundings of 0.4; the first slice has none."""
    labels = np.zeros((3, SIDE, SIDE), np.uint8)
    labels[1:, 10:50, 10:50] = 1
    return np.where(labels > 0, np.float32(0.1), np.float32(0.4)), labels


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_lesion_keeps_its_difference_and_shape():
    lesion = cut_lesion(*donor(), rng())
    assert lesion.inside[1].sum() == 80
    assert lesion.inside[0].sum() == 0
    assert lesion.difference[1][lesion.inside[1]] == pytest.approx(-0.3, abs=1e-6)
    assert lesion.opacity.max() == pytest.approx(1, abs=1e-3)


def test_it_is_set_into_the_liver_only_and_marked_in_the_slices_that_have_it():
    image, labels = liver()
    before, old = image.copy(), labels.copy()
    assert set_lesion(image, labels, cut_lesion(*donor(), rng()), rng())
    tumor = labels == 2
    assert 40 <= tumor[1].sum() <= 80
    assert tumor[1].sum() == tumor[2].sum()
    assert not tumor[0].any()
    assert (old[tumor] == 1).all()
    assert image[tumor].min() == pytest.approx(0.1 - 0.3, abs=1e-3)
    assert np.array_equal(image[0], before[0])
    assert np.abs(image - before)[old == 0].max() < 0.2  # fades over the border
    assert np.abs(image - before)[:, :7].max() == 0


def test_what_cannot_be_seen_or_is_a_speck_is_not_cut():
    image, labels = donor()
    assert cut_lesion(np.full_like(image, 0.5), labels, rng()) is None
    labels[1][labels[1] == 2] = 1
    assert cut_lesion(image, labels, rng()) is None  # none in the middle slice
    labels[1, 30, 30:33] = 2
    assert cut_lesion(image * (labels < 2), labels, rng()) is None


def test_no_room_changes_nothing():
    image, labels = liver()
    labels[1] = 0
    labels[1, 20:23, 20:23] = 1  # smaller than half of the lesion
    before, old = image.copy(), labels.copy()
    assert not set_lesion(image, labels, cut_lesion(*donor(), rng()), rng())
    assert not set_lesion(image, labels * 0, cut_lesion(*donor(), rng()), rng())
    assert np.array_equal(image, before)
    assert np.array_equal(labels, old)


def test_a_lesion_hangs_over_the_patchs_border():
    image, labels = np.zeros((1, 20, 20), np.float32), np.ones((1, 20, 20), np.uint8)
    big = np.ones((1, 31, 31), bool)
    lesion = Lesion(np.full(big.shape, -0.5, np.float32), big, big.astype(np.float32))
    assert not set_lesion(image, labels, lesion, rng())  # half of it must fit
    small = Lesion(*(part[:, :15, :15] for part in (lesion.difference, lesion.inside, lesion.opacity)))
    assert set_lesion(image, labels, small, rng())
    assert 113 <= (labels == 2).sum() <= 225
    assert image.min() == pytest.approx(-0.5)


def test_drawn_lesions_are_of_all_sizes_mostly_darker_and_thinner_away_from_the_middle():
    drawn = [draw_lesion(3, between_mm=5.0, pixel_mm=1.5, rng=rng(seed)) for seed in range(300)]
    areas = np.array([one.inside[1].sum() * 1.5**2 for one in drawn])
    assert np.percentile(areas, 10) < 60  # mm2: a diameter of 9 mm
    assert np.percentile(areas, 90) > 600  # 28 mm
    dark = [one.difference[1][one.inside[1]].mean() < 0 for one in drawn if one.inside[1].any()]
    assert 0.85 < np.mean(dark) < 1
    assert sum(one.inside[1].sum() for one in drawn) > 1.1 * sum(one.inside[0].sum() for one in drawn)
    again = draw_lesion(3, between_mm=5.0, pixel_mm=1.5, rng=rng(7))
    assert np.array_equal(again.difference, drawn[7].difference)


def test_large_lesions_are_large_and_uneven():
    drawn = [draw_lesion(1, between_mm=5, pixel_mm=2, rng=rng(seed), look=LARGE) for seed in range(40)]
    areas_mm2 = [lesion.inside.sum() * 4 for lesion in drawn]
    assert min(areas_mm2) > np.pi * 10**2
    assert max(areas_mm2) > np.pi * 45**2
    plain = replace(LARGE, uneven=0.0)
    flat = [draw_lesion(1, between_mm=5, pixel_mm=2, rng=rng(seed), look=plain) for seed in range(40)]
    spread, flat_spread = (np.mean([one.difference[one.inside].std() for one in some]) for some in (drawn, flat))
    assert spread > 1.3 * flat_spread


def test_a_bulging_lesion_takes_the_place_of_what_is_beside_the_liver():
    lesion = cut_lesion(*donor(), rng())
    reached = 0
    for seed in range(20):
        image, labels = liver()
        old = labels.copy()
        assert set_lesion(image, labels, lesion, rng(seed), bulging=True)
        tumor = labels == 2
        assert tumor[1].sum() == 80
        assert not tumor[0].any()
        assert image[tumor].max() < 0.1  # darker than the liver on both sides of its surface
        reached += bool((tumor & (old == 0)).any())
    assert 0 < reached < 20


def test_a_distractor_is_set_beside_the_liver_and_not_marked():
    image, labels = liver()
    image[:, :, 52:] = -1  # fat and air have no room for one
    before, old = image.copy(), labels.copy()
    assert set_distractor(image, labels, cut_lesion(*donor(), rng()), rng())
    changed = np.abs(image - before)
    assert np.array_equal(labels, old)
    assert (changed[1] > 0.29).sum() >= 40
    assert changed[1][old[1] == 0].max() == pytest.approx(0.3, abs=0.02)
    assert changed[:, 12:48, 12:48][old[:, 12:48, 12:48] > 0].max() < 1e-3  # the liver but for its border
    assert changed[:, :, 55:].max() == 0


def test_without_soft_tissue_there_is_no_distractor():
    image, labels = liver()
    image[labels == 0] = -1
    before = image.copy()
    assert not set_distractor(image, labels, cut_lesion(*donor(), rng()), rng())
    assert np.array_equal(image, before)


def test_drawn_distractors_are_larger_and_often_brighter():
    drawn = [draw_lesion(1, between_mm=5.0, pixel_mm=1.5, rng=rng(seed), look=DISTRACTOR) for seed in range(300)]
    areas = np.array([one.inside.sum() * 1.5**2 for one in drawn])
    means = np.array([one.difference[one.inside].mean() for one in drawn if one.inside.any()])
    assert np.percentile(areas, 90) > 2000  # mm2: a diameter of 50 mm
    assert 0.3 < (means > 0).mean() < 0.5
    assert np.percentile(np.abs(means), 90) > 1


def test_liver_from_elsewhere_covers_a_lesion_in_every_slice():
    image, labels = donor()
    image += rng(1).normal(0, 0.02, image.shape).astype(np.float32)
    before, old = image.copy(), labels.copy()
    assert heal_lesions(image, labels, 1.0, rng()) == 1
    assert not (labels == 2).any()
    assert np.array_equal(labels > 0, old > 0)
    assert image[old == 2].mean() == pytest.approx(0.5, abs=0.01)
    assert image[old == 2].std() == pytest.approx(0.02, abs=0.005)  # liver, not paint
    changed = np.abs(image - before) > 0
    assert not changed[:, :10].any()
    assert not changed[:, 40:].any()


def test_a_lesion_stays_without_liver_to_cover_it_and_by_chance():
    image, labels = donor()
    labels[:, 5:55, 5:55][labels[:, 5:55, 5:55] == 1] = 2  # all of the liver is tumor
    for share, marked in ((1.0, labels), (0.0, donor()[1])):
        before, old = image.copy(), marked.copy()
        assert heal_lesions(image, marked, share, rng()) == 0
        assert np.array_equal(image, before)
        assert np.array_equal(marked, old)


def test_only_some_lesions_are_healed():
    image, labels = donor()
    for row in (35, 45):
        labels[1, row : row + 4, 10:14] = 2
    image[labels == 2] = 0.2
    counts = [heal_lesions(image.copy(), labels.copy(), 0.5, rng(seed)) for seed in range(40)]
    assert set(counts) == {0, 1, 2, 3}
    assert np.mean(counts) == pytest.approx(1.5, abs=0.5)
