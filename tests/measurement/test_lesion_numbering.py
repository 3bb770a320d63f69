"""Lesions keep in the DICOM SEG the numbers they have in the lesion table."""

import itertools

import numpy as np
import pytest

from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.measurement import lesion_numbers, lesion_table


@pytest.mark.parametrize("orientation", ["HPL", "RAF", "PHL"])
def test_numbers_are_the_tables_ids(orientation: str) -> None:
    made = phantom(seed=7, shape=(32, 48, 48))
    mask = made.mask.to_patient_orientation(orientation)
    numbers, table = lesion_numbers(mask), lesion_table(None, mask)
    assert len(table) == 3
    assert np.array_equal(numbers > 0, mask.array == 2)
    for lesion in table:
        inside = np.argwhere(numbers == lesion.id)
        assert len(inside) == lesion.voxels
        np.testing.assert_allclose(inside.mean(axis=0), lesion.centroid_voxel, atol=1e-6)


def test_equal_sizes_go_from_feet_to_head() -> None:
    array = np.zeros((5, 5, 5), np.uint8)
    for place in itertools.product((0, 2, 4), repeat=3):
        array[place] = 2
    numbers = lesion_numbers(make_volume(array))
    assert numbers[::2, ::2, ::2].reshape(-1).tolist() == list(range(1, 28))


def test_without_tumor_all_are_zero() -> None:
    assert not lesion_numbers(make_volume(np.ones((2, 3, 4), np.uint8))).any()
