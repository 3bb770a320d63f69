"""Lesions: hand-made bridges, splits and misses, and truths that hold for any masks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from rmaunet.metrics import match_lesions
from rmaunet.metrics.lesion_detection import LesionMatch

MM = (1.0, 1.0, 1.0)


def line(text: str) -> np.ndarray:
    return np.array([[[character == "#" for character in text]]])


def match(reference: str, prediction: str) -> LesionMatch:
    return match_lesions(line(reference), line(prediction), MM)


def test_one_to_one() -> None:
    found = match("####......", ".####.....")
    assert found.reference[0].iou == pytest.approx(3 / 5)
    assert found.reference[0].dice == pytest.approx(6 / 8)
    assert (found.true_positives(), found.precision(), found.recall()) == (1, 1.0, 1.0)


def test_half_is_not_more_than_half() -> None:
    found = match("##..", "#...")
    assert found.reference[0].iou == 0.5
    assert found.true_positives(0.5) == 0
    assert found.true_positives(0.0) == 1


def test_bridge_merges_the_reference() -> None:
    found = match("####.####", "#########")
    assert [lesion.group for lesion in found.reference] == [1, 1]
    assert found.reference[0].iou == found.reference[1].iou == pytest.approx(8 / 9)
    assert found.true_positives() == 1
    assert found.precision() == 1.0
    assert found.recall() == 0.5


def test_split_merges_the_prediction() -> None:
    found = match("#########", "####.####")
    assert found.reference[0].iou == pytest.approx(8 / 9)
    assert [lesion.group for lesion in found.prediction] == [1, 1]
    assert found.precision() == 0.5
    assert found.recall() == 1.0


def test_a_reference_lesion_goes_to_the_prediction_that_covers_most() -> None:
    # The first prediction touches both reference lesions, but the second one is mostly covered by the second prediction.
    found = match("####.######", "######.####")
    assert [lesion.group for lesion in found.reference] == [1, 2]
    assert [lesion.group for lesion in found.prediction] == [1, 2]
    assert found.reference[0].iou == pytest.approx(4 / 6)
    assert found.reference[1].iou == pytest.approx(4 / 6)


def test_missed_and_invented() -> None:
    found = match("###....", "....###")
    assert found.reference[0].dice == 0 == found.prediction[0].dice
    assert found.prediction[0].group == 0
    assert (found.precision(), found.recall(), found.mean_dice) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("reference", "prediction", "precision", "recall"),
    [("...", "...", math.nan, math.nan), ("...", "##.", 0.0, math.nan), ("##.", "...", math.nan, 0.0)],
)
def test_empty(reference: str, prediction: str, precision: float, recall: float) -> None:
    found = match(reference, prediction)
    assert found.precision() == pytest.approx(precision, nan_ok=True)
    assert found.recall() == pytest.approx(recall, nan_ok=True)
    assert found.mean_dice == pytest.approx(0.0 if reference.strip(".") else math.nan, nan_ok=True)


def test_connectivity() -> None:
    corner = np.zeros((2, 2, 2), bool)
    corner[0, 0, 0] = corner[1, 1, 1] = True
    assert len(match_lesions(corner, corner, MM, connectivity=6).reference) == 2
    assert len(match_lesions(corner, corner, MM, connectivity=26).reference) == 1


def test_sizes_are_physical() -> None:
    z, y, x = np.ogrid[-12:13, -16:17, -16:17]
    ball = (z * 2.0) ** 2 + y**2 + x**2 <= 15.0**2
    lesion = match_lesions(ball, ball, (2.0, 1.0, 1.0)).reference[0]
    assert lesion.diameter_mm == pytest.approx(30.0, rel=0.02)
    assert lesion.volume_ml == pytest.approx(4 / 3 * math.pi * 1.5**3, rel=0.03)


def test_strata_hold_reference_lesions_by_diameter() -> None:
    found = match("#" * 50 + "." + "#" * 600, "#" * 50 + "." + "." * 600)  # 4.6 mm and 10.5 mm
    assert [len(found.in_stratum(name)) for name in ("under_10mm", "10_to_20mm", "over_20mm")] == [1, 1, 0]
    assert found.in_stratum("under_10mm")[0].detected()
    assert not found.in_stratum("10_to_20mm")[0].detected()


MASKS = st.tuples(*[st.integers(1, 6)] * 3).flatmap(
    lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))
)


@given(MASKS)
@settings(deadline=None)
def test_truths(masks: tuple[np.ndarray, np.ndarray]) -> None:
    found = match_lesions(*masks, MM)
    assert len(found.reference) == ndimage.label(masks[0])[1]
    assert len(found.prediction) == ndimage.label(masks[1])[1]
    assert sum(lesion.voxels for lesion in found.reference) == masks[0].sum()
    assert found.true_positives(0.0) <= min(len(found.reference), len(found.prediction))
    assert found.true_positives(0.5) <= found.true_positives(0.0)
    assert all(0 <= lesion.iou <= 1 for lesion in found.lesions)
    itself = match_lesions(masks[0], masks[0], MM)
    assert all(lesion.iou == 1 for lesion in itself.lesions)
    assert itself.true_positives() == len(itself.reference)


@given(MASKS)
@settings(deadline=None)
def test_iou_of_each_group_by_brute_force(masks: tuple[np.ndarray, np.ndarray]) -> None:
    found = match_lesions(*masks, MM)
    labels = [ndimage.label(mask)[0] for mask in masks]
    sizes = [sorted(np.bincount(part.ravel())[1:].tolist()) for part in labels]
    assert sizes[0] == sorted(lesion.voxels for lesion in found.reference)
    # cc3d numbers components in another order than scipy, so groups are compared as sums over all of them.
    for group in {lesion.group for lesion in found.reference}:
        mine = [lesion for lesion in found.lesions if lesion.group == group]
        total = sum(lesion.voxels for lesion in mine)
        shared = mine[0].dice * total / 2
        assert shared == pytest.approx(round(shared))
        assert mine[0].iou == pytest.approx(shared / (total - shared))
