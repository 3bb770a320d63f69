"""Calibration against closed forms."""

import math

import numpy as np
import pytest

from calibration.calibration import BINS, Reliability


def test_hand_made():
    found = Reliability()
    found.add(np.array([0.0, 0.1, 0.11, 0.9]), np.array([False, True, False, True]))
    found.add(np.array([[1.0, 0.9]]), np.array([[True, False]]))
    rows = found.rows()
    assert [(r["low"], r["voxels"], r["positives"]) for r in rows if r["voxels"]] == [
        (0.0, 1, 0), (0.1, 2, 1), (0.9, 2, 1), (0.95, 1, 1),
    ]  # fmt: skip
    assert found.brier == pytest.approx((0 + 0.81 + 0.0121 + 0.01 + 0 + 0.81) / 6)
    assert found.ece == pytest.approx((0 + abs(1 - 0.21) + abs(1 - 1.8) + 0) / 6)
    assert found.error_of(slice(1, None)) == pytest.approx((0.79 + 0.8) / 5)
    assert rows[2]["mean_probability"] == pytest.approx(0.105)
    assert rows[2]["share"] == 0.5
    assert math.isnan(rows[5]["share"])


def test_calibrated_draws_have_no_error_and_the_brier_of_their_variance():
    rng = np.random.default_rng(0)
    p = rng.random(400_000)
    found = Reliability()
    for part in np.array_split(p, 7):
        found.add(part.astype(np.float32), rng.random(part.size) < part)
    assert found.ece < 0.005
    assert found.brier == pytest.approx(1 / 6, abs=0.002)  # integral of p (1 - p)


def test_overconfidence_is_measured():
    found = Reliability()
    found.add(np.full(1000, 0.99), np.arange(1000) < 600)
    assert found.ece == pytest.approx(0.39)
    assert found.brier == pytest.approx(0.6 * 0.01**2 + 0.4 * 0.99**2)


def test_certain_and_right_is_perfect():
    truth = np.arange(10) % 2 == 0
    found = Reliability()
    found.add(truth.astype(np.float32), truth)
    assert (found.ece, found.brier) == (0.0, 0.0)
    assert found.rows()[BINS - 1]["voxels"] == 5


def test_nothing_is_undefined_and_nonsense_refused():
    found = Reliability()
    assert math.isnan(found.ece)
    assert math.isnan(found.brier)
    for bad in (np.array([1.01]), np.array([-0.01]), np.array([np.nan])):
        with pytest.raises(ValueError, match="must lie in"):
            found.add(bad, np.array([True]))
    with pytest.raises(ValueError, match="give as many"):
        found.add(np.zeros(3), np.zeros(2, bool))
    assert found.voxels.sum() == 0
