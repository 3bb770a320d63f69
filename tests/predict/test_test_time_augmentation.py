"""A warp and its way back."""

import cv2
import numpy as np
import pytest

from rmaunet.predict.test_time_augmentation import WARPS, Warp, Warped


class Bright:
    """Liver where the slice is above 0, tumor where it is above 0.5, softly."""

    name, precision, device = "bright", "float32", "cpu"

    def __init__(self):
        self.seen = []

    def __call__(self, slab):
        self.seen.append(slab)
        return np.concatenate([np.clip(slab[:, :1] + 0.5, 0, 1), np.clip(slab[:, :1], 0, 1)], axis=1)


def slab(n=2, height=96, width=112):
    y, x = np.mgrid[:height, :width].astype(np.float32)
    made = np.full((n, 1, height, width), -1.0, np.float32)
    for i in range(n):
        made[i, 0] = np.clip(2.0 - np.hypot(y - 30 - 4 * i, x - 78) / 12, -1, 1)
    return made


@pytest.mark.parametrize("warp", WARPS, ids=lambda w: w.name)
def test_warped_answers_lie_where_the_plain_ones_do(warp):
    given, inner = slab(), Bright()
    runtime = Warped(inner, warp)
    plain, found = Bright()(given), runtime(given)
    assert found.shape == plain.shape
    assert found.dtype == np.float32
    assert np.abs(found - plain)[:, 1].max() < 0.06  # interpolated twice
    assert np.abs(inner.seen[0] - given).max() > 0.2  # it did see something else
    assert inner.seen[0].min() == -1.0
    assert (runtime.name, runtime.precision, runtime.device) == ("bright", "float32", "cpu")


def test_a_shift_is_exact_and_leaves_zero_where_nothing_is_known():
    given = np.random.default_rng(0).random((1, 1, 20, 30), np.float32)
    warp = Warp("shift", shift=(3, 5))
    moved = warp.forward(given)
    assert np.array_equal(moved[..., 3:, 5:], given[..., :-3, :-5])
    assert (moved[..., :3, :] == given.min()).all()
    back = warp.backward(moved)
    assert np.array_equal(back[..., :-3, :-5], given[..., :-3, :-5])
    assert (back[..., -3:, :] == 0).all()
    assert (back[..., :, -5:] == 0).all()


def test_the_middle_stays_and_the_sense_is_as_stated():
    given = np.zeros((1, 1, 41, 41), np.float32)
    given[..., 20, 20], given[..., 20, 35] = 0.5, 1.0  # right of the middle
    turned = Warp("turn", rotation_degrees=90.0).forward(given)
    assert turned[0, 0, 20, 20] == pytest.approx(0.5, abs=1e-4)
    assert turned[0, 0, 5, 20] == pytest.approx(1.0, abs=1e-4)  # counterclockwise: now above it
    larger = Warp("scale", scale=1.2).forward(given)
    assert np.unravel_index(larger.argmax(), larger.shape)[3] == 38
    assert cv2.__version__


def test_no_pass_mirrors():
    """The weights never saw a mirrored slice."""
    for warp in WARPS:
        matrix = warp._matrix((64, 64))[:, :2]
        assert np.linalg.det(matrix) > 0
        assert abs(warp.rotation_degrees) <= 20
        assert 0.7 <= warp.scale <= 1.4
