"""A patch as training makes it."""

import pytest

from rmaunet.train.augment.transforms import change_intensity, cut


@pytest.fixture(scope="session")
def augmented():
    """``augmented(drawn, image, labels, size=...)``: the patch that was drawn, cut and changed, and its labels."""

    def make(drawn, image, labels, **place):
        patch, marked = cut(drawn, image, labels, **place)
        return change_intensity(drawn, patch, marked), marked

    return make
