"""prepare and restore are inverse of each other on any grid."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmaunet.core.volume import make_volume
from rmaunet.preprocess import Preprocessing, plan_grid, prepare, restore, window
from rmaunet.preprocess.hu_window import from_bytes, to_bytes


def orientations():
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield order, signs


def ball(shape, centre, radius_mm, spacing_mm):
    grid = np.indices(shape).reshape(3, -1).T * spacing_mm
    return (np.linalg.norm(grid - np.array(centre) * spacing_mm, axis=1) < radius_mm).reshape(shape)


def test_window_is_the_papers_divide_by_200():
    hu = np.array([-3024, -200, -100, 0, 100, 200, 3071], np.int16)
    assert window(hu, (-200, 200)).tolist() == [-1, -1, -0.5, 0, 0.5, 1, 1]


def test_window_takes_nan_as_air():
    assert window(np.array([np.nan, np.inf, -np.inf], np.float32), (-200, 200)).tolist() == [-1, 1, -1]


def test_bytes_keep_intensities_to_half_a_step():
    x = np.linspace(-1, 1, 1001, dtype=np.float32)
    assert np.abs(from_bytes(to_bytes(x)) - x).max() <= 1 / 255 + 1e-6
    stored = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_bytes(from_bytes(stored)), stored)


@pytest.mark.parametrize(("order", "signs"), list(orientations()))
def test_labels_come_back_to_every_orientation(order, signs):
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6).astype(np.int16)
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[:, order] * signs) @ np.diag([2.0, 0.7, 0.9])
    affine[:3, 3] = [-100, 50, 700]
    ct = make_volume(array, affine)
    prepared = prepare(ct, Preprocessing(grid="matrix", size=16))
    back = restore(prepared.ct.array, prepared)
    assert np.array_equal(back.array, array)
    assert np.array_equal(back.affine, ct.affine)


def test_the_network_sees_the_head_up_and_the_patients_left_on_the_right():
    array = np.full((3, 32, 32), -1000, np.int16)
    array[2, 4, 30] = 200  # most cranial, anterior, left
    affine = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1.0]])
    ct = make_volume(array, affine)
    turned = ct.to_patient_orientation("RAF")
    slices = prepare(turned, Preprocessing(grid="matrix", size=32)).slices(0, 3)
    assert slices.shape == (3, 1, 32, 32)
    assert np.argwhere(slices[:, 0] == 1).tolist() == [[2, 4, 30]]


@pytest.mark.parametrize("grid", ["matrix", "spacing", "centre_crop"])
@pytest.mark.parametrize(("rows", "columns", "dy", "dx"), [(96, 96, 2.0, 2.0), (100, 70, 1.3, 2.4), (13, 17, 9.0, 9.0)])
def test_a_ball_survives_the_way_to_the_network_and_back(grid, rows, columns, dy, dx):
    spacing = np.array([3.0, dy, dx])
    shape = (5, rows, columns)
    liver = ball(shape, (2, rows / 2, columns / 2), 30.0, spacing)
    body = ball(shape, (2, rows / 2, columns / 2), 55.0, spacing)
    affine = np.array([[0, 0, dx, 0], [0, dy, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    ct = make_volume(np.where(liver, 100, np.where(body, 0, -1000)).astype(np.int16), affine)
    prepared = prepare(ct, Preprocessing(grid=grid, size=128, spacing_mm=1.5))
    canvas = prepared.slices(0, 5)
    assert canvas.shape[2] % 16 == 0
    assert canvas.shape[3] % 16 == 0
    back = np.stack([prepared.grid.backward((plane > 0.25).astype(np.float32))[0] > 0.5 for plane in canvas])
    overlap = 2 * (back & liver).sum() / (back.sum() + liver.sum())
    assert overlap > (0.8 if rows == 13 else 0.97)


def test_pixels_are_square_in_mm_on_the_canvas():
    grid = plan_grid((100, 50), (1.0, 4.0), Preprocessing(grid="matrix", size=64))
    assert grid.resized == (32, 64)
    assert grid.offset == (16, 0)
    grid = plan_grid((512, 512), (0.75, 0.75), Preprocessing(grid="spacing", spacing_mm=1.5))
    assert grid.resized == (256, 256) == grid.canvas


def test_the_papers_resize_is_an_area_average():
    array = np.zeros((1, 32, 32), np.int16)
    array[0, ::2, ::2] = 400  # a fourth of each 2 x 2 block
    slices = prepare(make_volume(array), Preprocessing(grid="matrix", size=16)).slices(0, 1)
    assert np.allclose(slices, 100 / 200)


def test_neighbours_become_channels_and_ends_repeat():
    array = np.stack([np.full((16, 16), z * 20) for z in range(4)]).astype(np.int16)
    settings_ = Preprocessing(grid="matrix", size=16, context_slices=1)
    slices = prepare(make_volume(array), settings_).slices(0, 4)
    assert (slices[:, :, 0, 0] * 200).round().tolist() == [[0, 0, 20], [0, 20, 40], [20, 40, 60], [40, 60, 60]]


def test_neighbours_at_a_distance_follow_the_spacing():
    affine = np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]]
    affine[2, 0] = 2.0
    ct = make_volume(np.zeros((9, 16, 16), np.int16), affine)
    assert prepare(ct, Preprocessing(size=16, context_slices=2, context_mm=5.0)).offsets == (-4, -2, 0, 2, 4)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"window_hu": (200.0, -200.0)}, "window_hu"),
        ({"size": 250}, "multiple of 16"),
        ({"spacing_mm": 0.0}, "spacing_mm = 0.0"),
        ({"context_slices": -1}, "context_slices = -1"),
        ({"context_mm": 99.0}, "context_mm"),
    ],
)
def test_settings_out_of_range_are_refused(values, text):
    with pytest.raises(ValueError, match=text):
        Preprocessing(**values)


def test_restore_refuses_another_shape():
    prepared = prepare(make_volume(np.zeros((2, 16, 16), np.int16)), Preprocessing(size=16))
    with pytest.raises(ValueError, match="expected"):
        restore(np.zeros((2, 16, 15)), prepared)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 90), columns=st.integers(1, 90), dy=st.floats(0.3, 6), dx=st.floats(0.3, 6),
    grid=st.sampled_from(["matrix", "spacing", "centre_crop"]),
)  # fmt: skip
def test_any_grid_has_a_canvas_that_pools_four_times_and_comes_back_in_shape(rows, columns, dy, dx, grid):
    plan = plan_grid((rows, columns), (dy, dx), Preprocessing(grid=grid, size=64))
    image = np.zeros((rows, columns), np.int16)
    canvas = plan.forward(image, fill=-1024)
    assert canvas.shape == plan.canvas
    assert plan.canvas[0] % 16 == 0
    assert plan.canvas[1] % 16 == 0
    assert plan.backward(np.ones((2, *plan.canvas), np.float32)).shape == (2, rows, columns)
