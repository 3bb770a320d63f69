from dataclasses import replace

import numpy as np
import pytest

from rmaunet.predict.postprocess.clean_labels import Postprocessing, labels_from_probabilities, postprocess

MM = (1.0, 1.0, 1.0)


def test_tumor_wins_over_liver_and_makes_liver_where_there_is_none():
    p = np.array([[0.6, 0.4, 0.9, 0.1], [0.1, 0.7, 0.8, 0.5]], np.float32)
    assert labels_from_probabilities(p, Postprocessing()).tolist() == [1, 2, 2, 0]
    assert labels_from_probabilities(p, Postprocessing(tumor_inside_liver=True)).tolist() == [1, 0, 2, 0]
    assert labels_from_probabilities(p, Postprocessing(liver_threshold=0.05, tumor_threshold=0.75)).tolist() == [
        1,
        1,
        2,
        1,
    ]


def test_only_the_largest_liver_stays_with_its_tumor():
    labels = np.zeros((3, 20, 20), np.uint8)
    labels[:, 2:10, 2:10] = 1
    labels[1, 4:6, 4:6] = 2
    labels[:, 15:18, 15:18] = 2
    tidy = postprocess(labels.copy(), Postprocessing(largest_liver=True), spacing_mm=MM)
    assert tidy[:, 15:18, 15:18].max() == 0
    assert np.array_equal(tidy[:, :12, :12], labels[:, :12, :12])


def test_parts_that_touch_at_a_corner_are_not_connected():
    labels = np.zeros((1, 8, 8), np.uint8)
    labels[0, 0:4, 0:4] = 1
    labels[0, 4:6, 4:6] = 1
    tidy = postprocess(labels, Postprocessing(largest_liver=True), spacing_mm=MM)
    assert tidy.sum() == 16


def test_holes_fill_within_a_slice_and_bays_do_not():
    labels = np.ones((1, 7, 7), np.uint8)
    labels[0, 3, 3] = 0
    labels[0, 0, 3] = 0
    tidy = postprocess(labels, Postprocessing(fill_holes=True), spacing_mm=MM)
    assert tidy[0, 3, 3] == 1
    assert tidy[0, 0, 3] == 0


def test_small_lesions_become_liver_by_volume_not_by_voxels():
    labels = np.ones((4, 20, 20), np.uint8)
    labels[1, 2:4, 2:4] = 2  # 4 voxels
    labels[1:3, 10:14, 10:14] = 2  # 32 voxels
    settings = Postprocessing(min_lesion_ml=0.01)
    assert (postprocess(labels.copy(), settings, spacing_mm=MM) == 2).sum() == 32
    assert (postprocess(labels.copy(), settings, spacing_mm=(5.0, 1.0, 1.0)) == 2).sum() == 36


def test_a_liver_too_small_is_none():
    labels = np.zeros((2, 10, 10), np.uint8)
    labels[0, :2, :2] = 1
    assert postprocess(labels.copy(), Postprocessing(min_liver_ml=0.005), spacing_mm=MM).sum() == 0
    assert postprocess(labels.copy(), Postprocessing(min_liver_ml=0.003), spacing_mm=MM).sum() == 4


def test_an_empty_mask_stays_empty():
    empty = np.zeros((2, 4, 4), np.uint8)
    assert postprocess(empty, Postprocessing(largest_liver=True, fill_holes=True), spacing_mm=MM).sum() == 0


@pytest.mark.parametrize("values", [{"liver_threshold": 0.0}, {"tumor_threshold": 1.0}, {"min_lesion_ml": -1.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="must"):
        Postprocessing(**values)


def test_a_lesion_must_reach_the_peak_somewhere():
    p = np.zeros((2, 1, 12, 12), np.float32)
    p[0] = 0.9
    p[1, 0, 1:4, 1:4] = 0.45  # never sure
    p[1, 0, 6:10, 6:10] = 0.45
    p[1, 0, 8, 8] = 0.85  # sure at one voxel: the whole lesion stays
    settings = Postprocessing(tumor_threshold=0.4, tumor_peak=0.8)
    tidy = postprocess(labels_from_probabilities(p, settings), settings, spacing_mm=MM)
    assert tidy.max() == 2
    assert (tidy == 2).sum() == 16
    assert (tidy[0, 1:4, 1:4] == 1).all()
    plain = Postprocessing(tumor_threshold=0.4)
    assert (postprocess(labels_from_probabilities(p, plain), plain, spacing_mm=MM) == 2).sum() == 25


def test_a_share_of_a_lesions_voxels_must_pass_the_peak():
    p = np.zeros((2, 2, 12, 12), np.float32)
    p[0] = 0.9
    p[1, 0, 1:5, 1:5] = 0.45  # 16 voxels, 7 of them sure
    p[1, 0, 1, 1:5] = p[1, 0, 2, 1:4] = 0.85
    p[1, 0, 7:9, 7:9] = 0.45  # 4 voxels, 3 of them sure
    p[1, 0, 7, 7:9] = p[1, 0, 8, 8] = 0.85
    settings = Postprocessing(tumor_threshold=0.4, tumor_peak=0.8, tumor_peak_share=0.5)
    tidy = postprocess(labels_from_probabilities(p, settings), settings, spacing_mm=MM)
    assert (tidy[0, 7:9, 7:9] == 2).all()
    assert (tidy == 2).sum() == 4
    assert (tidy[0, 1:5, 1:5] == 1).all()
    lower = replace(settings, tumor_peak_share=0.4)
    assert (postprocess(labels_from_probabilities(p, lower), lower, spacing_mm=MM) == 2).sum() == 20


def test_enough_of_a_large_lesion_is_sure_when_five_millilitres_are():
    p = np.zeros((2, 30, 40, 40), np.float32)
    p[0] = 0.9
    p[1, 5:25, 5:35, 5:35] = 0.45
    p[1, 5:25, 5:35, 5:15] = 0.85  # 6000 of 18000 voxels
    settings = Postprocessing(tumor_threshold=0.4, tumor_peak=0.8, tumor_peak_share=0.5)
    for mm, voxels in (((1.0, 1.0, 1.0), 18000), ((1.0, 0.9, 0.9), 0)):
        tidy = postprocess(labels_from_probabilities(p, settings), settings, spacing_mm=mm)
        assert (tidy == 2).sum() == voxels


def test_without_a_peak_among_lesions_no_tumor_is_left():
    p = np.full((2, 1, 4, 4), 0.6, np.float32)
    settings = Postprocessing(tumor_peak=0.7)
    assert (postprocess(labels_from_probabilities(p, settings), settings, spacing_mm=MM) == 1).all()


def test_the_peak_is_a_probability():
    with pytest.raises(ValueError, match=r"tumor_peak = 1\.0"):
        Postprocessing(tumor_peak=1.0)
    with pytest.raises(ValueError, match=r"tumor_peak_share = 1\.0"):
        Postprocessing(tumor_peak_share=1.0)
