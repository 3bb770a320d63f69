"""Side-by-side panels: one a mask, red and green outlines where the mask is; a slice's way to the network."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from rmaunet.core.errors import UsageError
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.paper.comparison_figures import GREEN, RED, Shown, comparison_figure, stages_figure


@pytest.fixture(scope="module")
def shown():
    made = phantom("abdomen", seed=2, shape=(12, 48, 48), lesions=2, lesion_radius_mm=(15.0, 25.0))
    index = int(np.argmax((made.mask.array == 2).sum(axis=(1, 2))))
    nothing = make_volume(np.zeros_like(made.mask.array), np.asarray(made.mask.affine))
    return Shown("case, slice", made.ct, index, {"reference": made.mask, "nothing": nothing})


def colors(ax):
    return {to_rgb(color) for lines in ax.collections for color in lines.get_edgecolor()}


def test_one_panel_a_mask_and_the_ct_alone(shown):
    figure = comparison_figure([shown, shown])
    assert len(figure.axes) == 2 * 3
    assert [ax.get_title() for ax in figure.axes[:3]] == ["CT", "reference", "nothing"]
    unit = [tuple(channel / 255 for channel in rgb) for rgb in (RED, GREEN)]
    found = sorted(colors(figure.axes[1]))
    assert np.allclose(found, sorted(unit), atol=1e-3)
    assert len(figure.axes[1].collections) == 2
    assert not figure.axes[0].collections
    assert not figure.axes[2].collections


def test_other_masks_a_row_are_refused(shown):
    other = Shown("x", shown.ct, shown.index, {"reference": shown.masks["reference"]})
    with pytest.raises(UsageError, match="are not the same for every slice"):
        comparison_figure([shown, other])
    with pytest.raises(UsageError):
        comparison_figure([])


def test_stages_keep_their_values():
    pixels = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    figure = stages_figure({"input": (pixels, (-1.0, 1.0))})
    assert np.array_equal(figure.axes[0].images[0].get_array(), pixels)
    assert sum(bar.get_height() for bar in figure.axes[1].patches) == 16
