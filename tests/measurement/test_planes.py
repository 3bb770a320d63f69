"""Planes are cut and displayed as radiologists expect."""

import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.core.volume import Volume, make_volume
from rmaunet.measurement.planes import cut, focus, matched, region


def marked() -> Volume:
    """Each end of each axis has its own value; 20 mm voxels along the body, so that planes differ in shape."""
    array = np.zeros((7, 9, 11), np.int16)
    array[0], array[-1] = 1, 2  # feet, head
    array[:, 0], array[:, -1] = 3, 4  # front, back
    array[:, :, 0], array[:, :, -1] = 5, 6  # right, left
    affine = np.array([[0, 0, 0.5, -3], [0, 0.8, 0, 2], [20, 0, 0, 5], [0, 0, 0, 1.0]])
    return make_volume(array, affine)


# Plane: spacing of rows and columns, letters (left, right, top, bottom), values at the middle of these four sides.
DISPLAY = {
    "axial": (3, (0.8, 0.5), ("R", "L", "A", "P"), (5, 6, 3, 4)),
    "coronal": (4, (20.0, 0.5), ("R", "L", "S", "I"), (5, 6, 2, 1)),
    "sagittal": (5, (20.0, 0.8), ("A", "P", "S", "I"), (3, 4, 2, 1)),
}


@pytest.mark.parametrize("name", DISPLAY)
@pytest.mark.parametrize("stored", ["HPL", "FAR", "LPH", "AHR"])
def test_radiological_display(name: str, stored: str) -> None:
    index, spacing, letters, values = DISPLAY[name]
    ct, mask = matched(marked().to_patient_orientation(stored), marked())
    plane = cut(ct, mask, name, index)
    rows, columns = plane.image.shape
    middle = (
        plane.image[rows // 2, 0],
        plane.image[rows // 2, -1],
        plane.image[0, columns // 2],
        plane.image[-1, columns // 2],
    )
    assert plane.letters == letters
    assert middle == values
    assert plane.spacing_mm == pytest.approx(spacing)
    assert plane.extent_mm == pytest.approx((rows * spacing[0], columns * spacing[1]))
    np.testing.assert_array_equal(plane.image, plane.labels)


def test_oblique_letters_name_both_directions() -> None:
    t = np.deg2rad(30)
    turn = np.array([[1, 0, 0], [0, np.cos(t), -np.sin(t)], [0, np.sin(t), np.cos(t)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]])
    volume = make_volume(np.zeros((3, 3, 3), np.int16), affine)
    assert cut(volume, volume, "axial", 1).letters == ("R", "L", "AI", "PS")


def test_focus_lies_deep_in_the_largest_tumor() -> None:
    labels = np.zeros((12, 30, 30), np.uint8)
    labels[1:11, 2:28, 2:28] = 1
    labels[3, 3, 3] = labels[3, 3, 5] = labels[8, 3:8, 20:25] = 2
    labels[4, 10:21, 6:9], labels[5, 12:17, 5:12] = 2, 2  # the largest, 2 slices
    assert focus(make_volume(labels)) == (5, 14, 7)  # 35 voxels there, 33 below; as deep as the two beside it


def test_focus_without_tumor_and_without_anything() -> None:
    labels = np.zeros((8, 20, 20), np.uint8)
    assert focus(make_volume(labels)) == (4, 10, 10)
    labels[2:6, 4:9, 4:9] = 1
    labels[5, 3:12, 3:12] = 1
    assert focus(make_volume(labels)) == (5, 7, 7)


def test_focus_of_a_part_cut_off_by_the_scan_is_not_on_the_border() -> None:
    labels = np.zeros((3, 21, 21), np.uint8)
    labels[1, :, :] = 1
    assert focus(make_volume(labels)) == (1, 10, 10)


def test_region_drops_air_and_table_and_far_slices() -> None:
    ct = np.full((100, 60, 60), -1000, np.int16)
    ct[:, 15:45, 10:50] = 40
    ct[:, 55:57] = 100  # the table's shell
    labels = np.zeros(ct.shape, np.uint8)
    labels[40:60, 20:40, 20:40] = 1
    d, h, w = region(make_volume(ct), make_volume(labels), margin_mm=10)
    assert (d.start, d.stop) == (30, 70)
    assert (h.start, h.stop) == (9, 51)
    assert (w.start, w.stop) == (4, 56)


def test_region_of_a_clipped_ct_and_of_noise() -> None:
    ct = np.full((10, 40, 40), -40, np.int16)
    ct[:, 10:30, 12:28] = 60
    volume = make_volume(ct)
    empty = make_volume(np.zeros(ct.shape, np.uint8))
    assert region(volume, empty) == (slice(0, 10), slice(4, 36), slice(6, 34))
    assert region(make_volume(np.zeros(ct.shape, np.int16)), empty) == (slice(0, 10), slice(0, 40), slice(0, 40))


def test_another_grid_is_refused() -> None:
    with pytest.raises(InputError, match=r"theirs: grid = shape \(3, 3, 3\) against \(7, 9, 11\)"):
        matched(marked(), make_volume(np.zeros((3, 3, 3), np.uint8)), "theirs")
