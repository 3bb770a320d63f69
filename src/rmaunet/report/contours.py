"""Contour panels for papers: one slice, a panel a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from rmaunet.core.errors import UsageError
from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume import Volume
from rmaunet.measurement.planes import cut, focus, matched, region
from rmaunet.report.overlay import LIVER_WINDOW_HU, draw_contours, draw_plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["contour_figure"]

WHITE = (255, 255, 255)


def contour_figure(
    ct: Volume,
    masks: Mapping[str, Volume],
    *,
    index: int | None = None,
    window_hu: tuple[float, float] = LIVER_WINDOW_HU,
) -> Figure:
    """One axial slice, a panel a mask: the first mask's contours solid in each, the panel's own dashed over it.

    Args:
        ct: CT in HU.
        masks: Name to mask on the CT's voxel positions; the first is the reference.
        index: The axial slice, counted from the feet; by default where the reference's largest tumor (else its liver)
            is largest.
        window_hu: HU shown black and HU shown white.

    Returns:
        The figure.

    Raises:
        InputError: If a mask is not on the CT's grid.
        UsageError: If there is no mask or no such slice.
    """
    if not masks:
        raise UsageError("figures", "masks", None, "are none", "give at least one mask")
    turned = {name: matched(ct, mask, name) for name, mask in masks.items()}
    image, first = next(iter(turned.values()))
    chosen = focus(first)[0] if index is None else index
    if not 0 <= chosen < image.array.shape[0]:
        raise UsageError("figures", "slice", chosen, f"is not among 0 to {image.array.shape[0] - 1}", "choose another")
    crop = region(image, first)
    planes = {name: cut(image, labels, "axial", chosen, crop) for name, (_, labels) in turned.items()}
    height, width = next(iter(planes.values())).extent_mm
    figure = Figure(figsize=(3.4 * len(planes), 3.4 * height / width + 0.35))
    share = 3.4 * height / width / figure.get_figheight()
    reference = next(iter(planes.values()))
    for number, (name, plane) in enumerate(planes.items()):
        ax: Axes = figure.add_axes((number / len(planes) + 0.004, 0.0, 1 / len(planes) - 0.008, share))
        draw_plane(ax, reference, window_hu=window_hu)
        if number:
            draw_contours(ax, liver_mask(plane.labels), plane.spacing_mm, WHITE, linewidth=0.8, linestyle="dashed")
            draw_contours(ax, tumor_mask(plane.labels), plane.spacing_mm, WHITE, linewidth=0.8, linestyle="dashed")
        words = f"{name} (dashed)" if number else f"{name} (solid)"
        figure.text((number + 0.5) / len(planes), share + (1 - share) / 2, words, ha="center", va="center",
                    fontsize=10, parse_math=False)  # fmt: skip
    return figure
