import numpy as np
import pytest

from rmaunet.train.augment.patch_position import focus


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Body in rows 20 to 179, a liver at 60 to 99, one pixel of tumor."""
    image, labels = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    image[20:180, 20:180] = 90
    labels[60:100, 30:90] = 1
    labels[80, 70] = 2
    return image, labels


def shown(middle: tuple[float, float], extent: float, labels: np.ndarray, least: int) -> bool:
    rows, columns = (slice(int(m - extent / 2), int(np.ceil(m + extent / 2)) + 1) for m in middle)
    return bool((labels[rows, columns] >= least).any())


def test_most_patches_show_the_tumor_and_nearly_all_the_liver():
    image, labels = scene()
    found = [focus(image, labels, extent=(40, 40), seed=0, position=i) for i in range(400)]
    tumor = np.mean([shown(m, 40, labels, 2) for m in found])
    assert 0.7 <= tumor < 0.95
    assert np.mean([shown(m, 40, labels, 1) for m in found]) > 0.9
    assert len(set(found)) > 390  # the tumor is not always in the middle


def test_without_liver_patches_lie_on_the_body_anywhere():
    image, labels = scene()
    found = np.array([focus(image, labels * 0, extent=(40, 40), seed=0, position=i) for i in range(400)])
    assert found.min() >= 19.5  # within the slice
    assert found.max() <= 179.5
    assert (np.ptp(found, axis=0) > 120).all()


@pytest.mark.parametrize("extent", [(200, 200), (300, 40)])
def test_a_patch_as_large_as_the_slice_is_centred(extent: tuple[int, int]):
    image, labels = scene()
    assert focus(image, labels, extent=extent, seed=1, position=5)[0] == 99.5


def test_an_empty_slice_has_a_middle_and_draws_repeat():
    empty = np.zeros((50, 60), np.uint8)
    one = focus(empty, empty, extent=(20, 20), seed=3, position=7)
    assert one == focus(empty, empty, extent=(20, 20), seed=3, position=7)
    assert all(9.5 <= place <= side - 10.5 for place, side in zip(one, empty.shape, strict=True))
