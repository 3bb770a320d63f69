"""Ranges and lesions' numbers from hand-made answers."""

import math

import numpy as np
import pytest

from rmaunet.core.volume import make_volume
from rmaunet.measurement import lesion_table
from rmaunet.measurement.confidence import ConfidenceMeter

AFFINE = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [10, 0, 0, 0], [0, 0, 0, 1]])  # a voxel is 0.01 ml


def scene():
    labels = np.zeros((8, 20, 20), np.uint8)
    labels[1:7, 2:18, 2:18] = 1
    labels[2:4, 4:8, 4:8] = 2  # 32 voxels
    labels[4:6, 10:12, 10:12] = 2  # 8 voxels
    labels[2, 14:16, 12:16] = 2  # 8 voxels: as large as the one before
    return labels


def meter_of(labels):
    mask = make_volume(labels, AFFINE)
    return ConfidenceMeter(mask, lesion_table(None, mask))


def plane_of(labels, values=(0.9, 0.6, 0.8)):
    def plane(index):
        tumor = np.zeros((20, 20), np.float32)
        tumor[4:8, 4:8], tumor[10:12, 10:12], tumor[14:16, 12:16] = values
        return np.stack([np.ones_like(tumor), tumor])

    return plane


def test_lesions_are_matched_to_their_ids():
    labels = scene()
    mask = make_volume(labels, AFFINE)
    lesions = lesion_table(None, mask)
    found = ConfidenceMeter(mask, lesions).result(plane_of(labels))
    by_place = {tuple(np.round(one.centroid_voxel).astype(int)): one.id for one in lesions}
    assert [one.id for one in found.lesions] == [1, 2, 3]
    assert found.lesions[0].mean_probability == pytest.approx(0.9)
    assert found.lesions[by_place[(4, 10, 10)] - 1].mean_probability == pytest.approx(0.6)
    assert found.lesions[by_place[(2, 14, 14)] - 1].mean_probability == pytest.approx(0.8)
    # Alone, a mask has no range: the plain answer is both ends.
    assert found.tumor_ml == pytest.approx((0.48, 0.48))
    assert found.lesion_count == (3, 3)
    assert all(math.isnan(one.threshold_stability) and math.isnan(one.found_share) for one in found.lesions)


def test_a_lesion_that_goes_and_one_that_grows():
    labels = scene()
    meter = meter_of(labels)
    grown = labels.copy()
    grown[2:4, 4:8, 4:10] = 2  # lesion 1: 48 voxels
    gone = labels.copy()
    gone[4:6, 10:12, 10:12] = 1
    gone[2:4, 4:8, 6:8] = 1  # lesion 1: 16 voxels
    meter.add("threshold", "0.4", grown)
    meter.add("threshold", "0.6", gone)
    meter.add("augmentation", "a", labels)
    meter.add("augmentation", "b", gone)
    found = meter.result(plane_of(labels))
    first = found.lesions[0]
    assert first.volume_ml == pytest.approx((0.16, 0.48))
    assert first.threshold_stability == pytest.approx(16 / 48)
    assert first.found_share == 1.0
    lost = next(one for one in found.lesions if one.mean_probability == pytest.approx(0.6))
    assert lost.volume_ml == pytest.approx((0.0, 0.08))
    assert lost.threshold_stability == 0.0
    assert lost.found_share == 0.5
    kept = next(one for one in found.lesions if one.mean_probability == pytest.approx(0.8))
    assert kept.volume_ml == pytest.approx((0.08, 0.08))
    assert kept.threshold_stability == 1.0
    assert found.lesion_count == (2, 3)
    assert found.tumor_ml == pytest.approx((0.24, 0.64))
    assert found.liver_ml == pytest.approx((15.36, 15.36))


def test_merging_lesions_do_not_count_one_another():
    labels = scene()
    meter = meter_of(labels)
    merged = labels.copy()
    merged[4, 8:10, 8:10] = 2  # a bridge of 4 voxels between the first and the second
    meter.add("threshold", "0.4", merged)
    found = meter.result(plane_of(labels))
    assert found.lesions[0].volume_ml == pytest.approx((0.32, 0.36))
    bridged = next(one for one in found.lesions if one.mean_probability == pytest.approx(0.6))
    assert bridged.volume_ml == pytest.approx((0.08, 0.12))
    assert found.lesion_count == (2, 3)


def test_a_split_lesion_is_the_sum_of_its_parts_and_new_ones_are_nobodys():
    labels = scene()
    meter = meter_of(labels)
    split = labels.copy()
    split[2:4, 4:8, 5:7] = 1
    split[6, 3, 3] = 2  # new
    meter.add("augmentation", "a", split)
    found = meter.result(plane_of(labels))
    assert found.lesions[0].volume_ml == pytest.approx((0.16, 0.32))
    assert found.lesion_count == (3, 5)


def test_no_lesion_in_the_mask_but_in_an_answer():
    labels = scene()
    labels[labels == 2] = 1
    meter = meter_of(labels)
    meter.add("threshold", "0.3", scene())
    found = meter.result(plane_of(labels))
    assert found.lesions == ()
    assert found.lesion_count == (0, 3)
    assert found.tumor_ml == pytest.approx((0.0, 0.48))
    assert found.burden_percent == pytest.approx((0.0, 100 * 48 / 1536))
