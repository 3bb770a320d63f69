"""What a key slice draws is what the lesion table says."""

import math

import numpy as np
import pytest

from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.measurement import lesion_table
from rmaunet.report.pictures import axial_figure, evenly_spaced


@pytest.mark.parametrize("orientation", ["HPL", "FRA"])
def test_diameters_are_drawn_as_long_and_where_they_are(orientation: str) -> None:
    made = phantom(seed=3, shape=(48, 96, 96), lesions=3).turned(orientation)
    for lesion in lesion_table(made.ct, made.mask):
        (ax,) = axial_figure(made.ct, made.mask, lesion.axial_index, [lesion]).axes
        _, longest, perpendicular = ax.lines  # the first is the scale bar
        for line, length in ((longest, lesion.longest_axial_mm), (perpendicular, lesion.perpendicular_mm)):
            (x, other_x), (y, other_y) = line.get_data()
            assert math.hypot(other_x - x, other_y - y) == pytest.approx(length)
        _, tumors = ax.collections  # contours: the liver's, the tumors'
        middle = [float(np.mean(values)) for values in longest.get_data()]
        assert any(path.contains_point(middle) for path in tumors.get_paths())
        assert str(lesion.id) in [text.get_text() for text in ax.texts]


def test_slices_spread_over_the_liver() -> None:
    made = phantom(seed=3, shape=(48, 96, 96))
    found = evenly_spaced(made.mask, 6)
    inside = np.flatnonzero((made.mask.to_patient_orientation("HPL").array > 0).any(axis=(1, 2)))
    assert len(found) == 6
    assert list(found) == sorted(found, reverse=True)
    assert inside[0] < min(found)
    assert max(found) < inside[-1]
    assert evenly_spaced(made.mask.with_array(made.mask.array * 0), 6) == []
