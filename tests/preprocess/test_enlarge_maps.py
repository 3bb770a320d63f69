"""Enlarging only where a threshold can be passed gives what enlarging everything gives."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from rmaunet.preprocess import Enlarger, Grid, Preprocessing, plan_grid


def grids():
    yield plan_grid((512, 512), (0.7, 0.7), Preprocessing(grid="spacing"))
    yield plan_grid((101, 83), (1.5, 1.5), Preprocessing(grid="spacing"))  # same size
    yield plan_grid((100, 90), (2.5, 2.5), Preprocessing(grid="spacing"))  # shrinks on the way back
    yield plan_grid((60, 200), (0.9, 1.2), Preprocessing(size=64))
    yield plan_grid((40, 90), (1, 1), Preprocessing(grid="centre_crop", size=64))  # reaches beyond the slice
    yield plan_grid((90, 90), (1, 1), Preprocessing(grid="liver", size=32), around=(11, 70, 5, 88))
    yield Grid((1, 1), (0, 1, 0, 1), (1, 1), (16, 16), (7, 7))


@pytest.mark.parametrize("grid", list(grids()), ids=lambda grid: f"{grid.source}-{grid.resized}")
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_whole_map_inside_and_stays_below_outside(grid, seed):
    rng = np.random.default_rng(seed)
    maps = gaussian_filter(rng.random((2, *grid.canvas)), (0, 4, 4)).astype(np.float32)
    maps = (maps - maps.min()) / max(float(np.ptp(maps)), 1e-6)
    thresholds = (0.6, 0.8)
    whole = grid.backward(maps)
    found = Enlarger(grid).above(maps, thresholds)
    outside = np.ones(grid.source, bool)
    if found is not None:
        (rows, columns), part = found
        np.testing.assert_allclose(part, whole[:, rows, columns], atol=2e-6)
        outside[rows, columns] = False
    for channel, threshold in zip(whole, thresholds, strict=True):
        assert (channel[outside] <= threshold + 1e-6).all()


def test_nothing_above_gives_nothing():
    grid = plan_grid((512, 512), (0.7, 0.7), Preprocessing(grid="spacing"))
    assert Enlarger(grid).above(np.full((2, *grid.canvas), 0.5, np.float32), (0.5, 0.5)) is None


def test_a_single_pixel_takes_a_small_box():
    grid = plan_grid((512, 512), (0.75, 0.75), Preprocessing(grid="spacing"))
    maps = np.zeros((2, *grid.canvas), np.float32)
    maps[1, 100, 40] = 1
    (rows, columns), part = Enlarger(grid).above(maps, (0.5, 0.5))
    assert (rows.stop - rows.start, columns.stop - columns.start) == (4, 4)  # two taps on each side at twice the size
    assert part[1].max() == pytest.approx(0.75**2)
