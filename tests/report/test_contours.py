"""Contour panels: which slice, whose contour, how drawn."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.report.contours import contour_figure


def test_contour_panels() -> None:
    made = phantom(seed=1, shape=(24, 48, 48))
    moved = make_volume(np.roll(made.mask.array, 2, axis=2), made.mask.affine)
    figure = contour_figure(made.ct, {"reference": made.mask, "ours": moved.to_patient_orientation("FAR")})
    assert [text.get_text() for text in figure.texts] == ["reference (solid)", "ours (dashed)"]
    first, second = figure.axes
    white = [c for c in second.collections if same_color(c.get_edgecolor()[0], "white")]
    assert len(second.collections) == len(first.collections) + len(white)
    # The dashed contour lies two columns to the patient's left of the solid one.
    solid = next(c for c in second.collections if c not in white).get_paths()[0].vertices[:, 0]
    dashed = white[0].get_paths()[0].vertices[:, 0]
    assert dashed.max() - solid.max() == pytest.approx(2 * made.ct.spacing[2])


def test_contour_refusals() -> None:
    made = phantom(seed=1, shape=(8, 24, 24))
    with pytest.raises(UsageError, match="slice = 8: is not among 0 to 7"):
        contour_figure(made.ct, {"m": made.mask}, index=8)
    with pytest.raises(UsageError, match="masks"):
        contour_figure(made.ct, {})
    with pytest.raises(InputError, match="m: grid"):
        contour_figure(made.ct, {"m": make_volume(np.zeros((8, 24, 24), np.uint8))})
