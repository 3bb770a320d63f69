"""Figures of the paper's kind: networks side by side on slices, and a slice before and after preprocessing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rmaunet.core.errors import UsageError
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import Volume
from rmaunet.measurement.planes import cut, matched, region
from rmaunet.report.overlay import draw_contours

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GREEN", "RED", "Shown", "comparison_figure", "stages_figure"]

RED, GREEN = (230, 30, 30), (40, 220, 60)
"""Liver and tumor as in the paper's Figs. 7 and 8; elsewhere this software draws teal and orange, which more people can tell
apart."""

PANEL = 1.7


@dataclass(frozen=True)
class Shown:
    """One slice of one case, with every mask of it.

    Attributes:
        title: Printed at its left.
        ct: HU.
        index: Axial slice, counted from the feet.
        masks: Name to mask on the CT's voxel positions, the reference first.
    """

    title: str
    ct: Volume
    index: int
    masks: Mapping[str, Volume]


def comparison_figure(shown: Sequence[Shown], *, window_hu: tuple[float, float] = (-200.0, 200.0)) -> Figure:
    """A row a slice: the CT alone, then one panel a mask with the liver's outline red and the tumors' green.

    Args:
        shown: The slices; all with the same masks by name.
        window_hu: HU shown black and HU shown white.

    Returns:
        The figure, cut to the body and each row in the same scale.

    Raises:
        UsageError: If there is no slice, or the slices' masks differ by name.
        InputError: If a mask is not on its CT's grid.
    """
    names = list(shown[0].masks) if shown else []
    if not names or any(list(one.masks) != names for one in shown):
        raise UsageError("figure", "masks", ", ".join(names), "are not the same for every slice", "name them alike")
    figure = Figure(figsize=(PANEL * (len(names) + 1) + 0.3, PANEL * len(shown) + 0.3), layout="constrained")
    axes = figure.subplots(len(shown), len(names) + 1, squeeze=False)
    for row, one in zip(axes, shown, strict=True):
        planes = [_plane(one, mask, name) for name, mask in one.masks.items()]
        for ax, labels in zip(row, [None, *(labels for _, labels, _ in planes)], strict=True):
            _panel(ax, planes[0][0], labels, planes[0][2], window_hu)
        row[0].set_ylabel(one.title, fontsize=6)
    for ax, name in zip(axes[0], ["CT", *names], strict=True):
        ax.set_title(name, fontsize=7, parse_math=False)
    return figure


def _plane(one: Shown, mask: Volume, name: str) -> tuple[NDArray[np.generic], NDArray[np.generic], tuple[float, float]]:
    image, labels = matched(one.ct, mask, name)
    first = matched(one.ct, next(iter(one.masks.values())))[1]
    plane = cut(image, labels, "axial", one.index, region(image, first))
    return plane.image, plane.labels, plane.spacing_mm


def _panel(
    ax: Axes,
    image: NDArray[np.generic],
    labels: NDArray[np.generic] | None,
    spacing_mm: tuple[float, float],
    window_hu: tuple[float, float],
) -> None:
    height, width = image.shape[0] * spacing_mm[0], image.shape[1] * spacing_mm[1]
    low, high = window_hu
    ax.imshow(image, cmap="gray", vmin=low, vmax=high, extent=(0, width, height, 0), interpolation="bilinear")
    ax.set_xticks([])
    ax.set_yticks([])
    if labels is not None:
        draw_contours(ax, liver_mask(labels), spacing_mm, RED, linewidth=0.7)
        draw_contours(ax, tumor_mask(labels), spacing_mm, GREEN, linewidth=0.7)
    ax.set_xlim(0, width)
    ax.set_ylim(height, 0)


def stages_figure(stages: Mapping[str, tuple[NDArray[np.float32], tuple[float, float]]]) -> Figure:
    """Panels of one slice on its way to the network (Fig. 6), each with the histogram of its values below.

    Args:
        stages: Title to pixels (rows, columns) and the values shown black and white.

    Returns:
        The figure.

    Raises:
        UsageError: If there is no stage.
    """
    if not stages:
        raise UsageError("figure", "stages", 0, "are none", "give at least one")
    figure = Figure(figsize=(3.0 * len(stages), 4.2), layout="constrained")
    axes = figure.subplots(2, len(stages), squeeze=False, height_ratios=(3, 1))
    for (above, below), (name, (pixels, (low, high))) in zip(axes.T, stages.items(), strict=True):
        above.imshow(pixels, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        above.set_title(name, fontsize=8, parse_math=False)
        above.set_axis_off()
        below.hist(pixels.ravel(), bins=64, range=(low, high), color="0.4")
        below.set_yscale("log")
        below.set_yticks([])
        below.tick_params(labelsize=7)
    return figure
