"""Other thresholds and warped passes, with a network whose answer is known."""

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.core.volume import axial, make_volume
from rmaunet.measurement import lesion_table
from rmaunet.measurement.confidence import ConfidenceMeter
from rmaunet.predict import Postprocessing, Prediction, Predictor
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.uncertainty import augmented, rethresholded
from rmaunet.preprocess import Preprocessing, prepare

AFFINE = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])


class Linear(nn.Module):
    """Probability of liver (HU + 100) / 200 and of tumor HU / 200, within a window of [-200, 200]."""

    calls = 0

    def forward(self, x):
        Linear.calls += len(x)
        hu = x[:, :1] * 200
        return torch.logit(torch.cat([(hu + 100) / 200, hu / 200], dim=1).clamp(1e-4, 1 - 1e-4))


def predictor(**postprocessing):
    preprocessing = Preprocessing(grid="spacing", spacing_mm=1.0, window_hu=(-200.0, 200.0))
    return Predictor.from_network(Linear(), preprocessing, Postprocessing(**postprocessing), batch=3)


def scene():
    """Liver of 70 HU (p 0.85) with a lesion of 150 HU (p 0.75) in one of 110 HU (p 0.55), another of 90 HU (p 0.45)."""
    array = np.full((24, 64, 64), -1000, np.int16)
    array[8:16, 10:50, 10:50] = 70
    array[9:15, 15:27, 15:27] = 110
    array[10:14, 18:24, 18:24] = 150
    array[9:13, 36:42, 36:42] = 90
    return make_volume(array, AFFINE)


def watched(ct, used):
    kept = KeptMaps(axial(ct).spatial_shape)
    return used.predict(ct, watch=kept.watch).mask, kept


def test_probabilities_come_back_within_8_bits_and_outside_is_forgotten():
    ct = scene()
    seen = {}
    kept = KeptMaps(ct.spatial_shape)

    def watch(index, maps):
        seen[index] = maps.copy()
        kept.watch(index, maps)

    predictor().predict(ct, watch=watch)
    assert sorted(seen) == list(range(24))
    assert kept.slices() == range(8, 16)
    assert kept.slices(2) == range(6, 18)
    assert kept.slices(100) == range(24)
    for index, maps in seen.items():
        assert np.abs(kept.plane(index) - maps).max() <= (0.05 if index not in kept.slices() else 1 / 510 + 1e-6)
        assert kept.plane(index)[:, :5].max() == 0
    assert KeptMaps((3, 4, 5)).slices(7) == range(0)


def test_other_thresholds_are_what_those_thresholds_give():
    ct, used = scene(), predictor(largest_liver=True, fill_holes=True)
    _, kept = watched(ct, used)
    variants = list(rethresholded(kept, used.postprocessing, ct=ct))
    assert [(v.kind, v.name) for v in variants] == [("threshold", n) for n in ("0.3", "0.4", "0.6", "0.7")]
    for variant in variants:
        t = float(variant.name)
        other = predictor(largest_liver=True, fill_holes=True, liver_threshold=t, tumor_threshold=t)
        assert np.array_equal(variant.labels, other.predict(ct).mask.array)
    assert [np.count_nonzero(v.labels == 2) for v in variants] == [64 * 40 * 0 + 8 * 1600, 6 * 144 + 144, 144, 144]


def test_the_peak_goes_with_the_thresholds():
    ct, used = scene(), predictor(tumor_threshold=0.5, tumor_peak=0.6, tumor_peak_share=0.5)
    _, kept = watched(ct, used)
    lower, higher = rethresholded(kept, used.postprocessing, ct=ct, steps=(-0.1, 0.1))
    for t, variant in ((0.4, lower), (0.6, higher)):
        other = predictor(liver_threshold=t, tumor_threshold=t, tumor_peak=t + 0.1, tumor_peak_share=0.5)
        assert np.array_equal(variant.labels, other.predict(ct).mask.array)
    tumor = [np.count_nonzero(labels == 2) for labels in (used.predict(ct).mask.array, lower.labels, higher.labels)]
    assert tumor == [0, 864, 144]  # 144 voxels of the larger lesion pass 0.6, all pass 0.5


def test_thresholds_stay_within_bounds():
    ct, used = scene(), predictor(liver_threshold=0.1, tumor_threshold=0.9)
    _, kept = watched(ct, used)
    names = [v.name for v in rethresholded(kept, used.postprocessing, ct=ct)]
    assert names == ["0.7", "0.8", "0.95", "0.95"]


def test_warped_passes_agree_with_a_network_that_sees_pixels_only():
    ct, used = scene(), predictor()
    ct.array[9:15, 15:27, 15:27] = 130  # p 0.65 in 0.35: interpolation leaves the border where it is
    mask, kept = watched(ct, used)
    Linear.calls = 0
    seen = []
    variants = list(
        augmented(used, Prediction(mask, prepare(ct, used.preprocessing)), kept, progress=lambda *n: seen.append(n))
    )
    assert [v.kind for v in variants] == ["augmentation"] * 5
    assert Linear.calls == 5 * 18  # 8 slices with something, 5 beyond on either side
    assert seen[-1] == (90, 90)
    for variant in variants:
        assert variant.labels.shape == ct.spatial_shape
        both = np.count_nonzero((variant.labels == 2) & (mask.array == 2))
        assert 2 * both / (np.count_nonzero(variant.labels == 2) + np.count_nonzero(mask.array == 2)) > 0.93


@pytest.mark.parametrize("orientation", ["HPL", "LAF", "PRH"])
def test_from_scan_to_numbers(orientation):
    ct, used = scene().to_patient_orientation(orientation), predictor()
    mask, kept = watched(ct, used)
    lesions = lesion_table(ct, mask)
    meter = ConfidenceMeter(mask, lesions)
    for variant in rethresholded(kept, used.postprocessing, ct=ct, steps=(-0.1, 0.1, 0.2)):
        meter.add(variant.kind, variant.name, variant.labels)
    found = meter.result(kept.plane)
    (one,) = found.lesions
    assert found.thresholds == ("0.4", "0.6", "0.7")
    assert one.mean_probability == pytest.approx((144 * 0.75 + 720 * 0.55) / 864, abs=1 / 510)
    assert one.volume_ml == pytest.approx((144 * 2e-3, 864 * 2e-3))
    assert one.threshold_stability == pytest.approx(144 / 864)
    assert np.isnan(one.found_share)
    assert found.lesion_count == (1, 2)
    assert found.tumor_ml == pytest.approx((0.288, 2.016))
    assert found.liver_ml == pytest.approx((25.6, 25.6))
    assert found.burden_percent == pytest.approx((100 * 0.288 / 25.6, 100 * 2.016 / 25.6))


def test_without_a_liver_nothing_is_asked_again():
    ct, used = make_volume(np.full((5, 32, 32), -1000, np.int16)), predictor()
    mask, kept = watched(ct, used)
    meter = ConfidenceMeter(mask, [])
    plain = Prediction(mask, prepare(ct, used.preprocessing))
    variants = [*rethresholded(kept, used.postprocessing, ct=ct), *augmented(used, plain, kept)]
    for variant in variants:
        meter.add(variant.kind, variant.name, variant.labels)
    found = meter.result(kept.plane)
    assert len(variants) == 9
    assert found.liver_ml == (0.0, 0.0)
    assert np.isnan(found.burden_percent).all()
    assert found.lesions == ()
