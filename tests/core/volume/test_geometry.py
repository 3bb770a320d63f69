import itertools

import numpy as np
import pytest

from rmaunet.core.volume import axial, geometry_difference, make_volume, same_grid, to_grid, voxel_volume_ml


def turned(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0.0, 0, 0.8], [0, 0.7, 0], [2.5, 0, 0]])
    affine[:3, 3] = [-120.0, 33.0, 700.0]
    return make_volume(np.arange(3 * 4 * 5).reshape(3, 4, 5), affine)


@pytest.mark.parametrize("degrees", [0, 20, 44.9, 45, 45.1, 90, 135, 200])
def test_every_permuted_and_flipped_copy_comes_back_to_its_grid(degrees):
    volume = turned(degrees)
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            copy = volume.permute_spatial_axes(list(order))
            for axis in np.flatnonzero(flips):
                copy = copy.flip_spatial(int(axis))
            back = to_grid(axial(copy), volume)
            assert np.array_equal(back.array, volume.array)
            assert np.array_equal(back.affine, volume.affine)


def test_another_place_or_shape_is_refused():
    volume = turned(0)
    moved = volume.affine.copy()
    moved[0, 3] += 0.01
    with pytest.raises(ValueError, match=r"0\.01 mm apart"):
        to_grid(make_volume(volume.array, moved), volume)
    with pytest.raises(ValueError, match="shape"):
        to_grid(make_volume(volume.array[:2], volume.affine), volume)


def test_a_small_error_of_direction_grows_with_the_grid():
    one = make_volume(np.zeros((2, 2, 2)))
    tilt = np.array(one.affine)
    tilt[:3, 2] = [1.0, 5e-4, 0]
    tilt[:3, 1] = [-5e-4, 1.0, 0]
    assert same_grid(one, make_volume(np.zeros((2, 2, 2)), tilt))
    large = make_volume(np.zeros((2, 50, 50)))
    assert geometry_difference(large, make_volume(np.zeros((2, 50, 50)), tilt)) is not None


def test_voxels_are_measured_in_ml():
    assert voxel_volume_ml(turned(30)) == pytest.approx(2.5 * 0.7 * 0.8 / 1000)
