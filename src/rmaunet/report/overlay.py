"""The picture of a segmentation: three planes of the CT with the contours of liver and tumor."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from rmaunet.core.colors import HALO_RGB, LIVER_RGB, TUMOR_RGB, hexadecimal
from rmaunet.core.errors import UsageError
from rmaunet.core.files import replacing
from rmaunet.core.formats import one_line
from rmaunet.core.labels import TUMOR, liver_mask, tumor_mask
from rmaunet.core.volume import Volume
from rmaunet.measurement.planes import PLANES, Crop, Plane, cut, focus, matched, region

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LIVER_WINDOW_HU", "draw_contours", "draw_plane", "overlay_figure", "save_figure"]

LIVER_WINDOW_HU = (-100.0, 250.0)
"""Width 350, level 75: between the usual abdominal window and the narrow liver window."""

WIDTH_INCHES = 11.0
THIN = 0.15
"""A plane lower than this share of its width, as of few thin slices."""
GAP = 0.012  # between panels, in figure widths
HALO = [withStroke(linewidth=2.6, foreground=hexadecimal(HALO_RGB))]


def overlay_figure(
    ct: Volume,
    mask: Volume,
    *,
    window_hu: tuple[float, float] = LIVER_WINDOW_HU,
    title: str | None = None,
) -> Figure:
    """Draw axial, coronal and sagittal planes with the contours of the mask, in radiological display.

    The planes meet in one voxel: inside the largest tumor where its axial area is largest (without tumor: the liver),
    see :func:`rmaunet.measurement.planes.focus`. All panels have one scale in mm; small ticks at their edges show where the
    other two planes cut. The contour of the liver includes its tumors and runs along voxel edges.

    Args:
        ct: CT in HU, any orientation.
        mask: Labels {0, 1, 2} on the CT's voxel positions.
        window_hu: HU shown black and HU shown white.
        title: A line above the panels, drawn as it is (no markup).

    Returns:
        A matplotlib figure that needs no display and no pyplot; :func:`save_figure` writes it.

    Raises:
        InputError: If the mask is not on the CT's grid.
        UsageError: If the window is empty.
    """
    if not window_hu[0] < window_hu[1]:
        raise UsageError("overlay", "window_hu", window_hu, "is empty", "give (black, white) with black below white")
    turned, labels = matched(ct, mask)
    at, crop = focus(labels), region(turned, labels)
    planes = [cut(turned, labels, name, at[axis], crop) for axis, name in enumerate(PLANES)]
    figure, axes = _panels(planes, title)
    for plane, ax, ticks in zip(planes, axes, _crossings(at, crop, turned), strict=True):
        draw_plane(ax, plane, window_hu=window_hu)
        _draw_ticks(ax, plane, ticks)
    _draw_legend(figure, labels, window_hu)
    return figure


def save_figure(fig: Figure, path: Path, *, dpi: int = 150) -> None:
    """Write a figure as PNG or PDF, whole or not at all, the same bytes each time.

    Args:
        fig: The figure.
        path: Ends in .png or .pdf.
        dpi: Dots per inch of pixels.

    Raises:
        UsageError: If the suffix is another.
        OutputError: If it cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in (".png", ".pdf"):
        raise UsageError(
            path, "suffix", path.suffix, "is no picture format written here", "end the name in .png or .pdf"
        )
    # No dates and versions in the file: equal input gives equal bytes.
    metadata = {"Software": None} if kind == ".png" else {"Creator": None, "Producer": None, "CreationDate": None}
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a character of a name that the font lacks: an empty box
        fig.savefig(temporary, format=kind[1:], dpi=dpi, metadata=metadata, facecolor="white")


def draw_plane(ax: Axes, plane: Plane, *, window_hu: tuple[float, float] = LIVER_WINDOW_HU) -> None:
    """Draw one plane into ``ax`` in millimetres, y downwards, with contours, orientation letters and a scale bar.

    Args:
        ax: Axes to draw into; their limits become the plane's outer voxel edges.
        plane: What to draw.
        window_hu: HU shown black and HU shown white.
    """
    height, width = plane.extent_mm
    ax.set_axis_off()
    ax.imshow(
        plane.image,
        cmap="gray",
        vmin=window_hu[0],
        vmax=window_hu[1],
        extent=(0.0, width, height, 0.0),
        interpolation="bilinear",
        aspect="equal",
    )
    draw_contours(ax, liver_mask(plane.labels), plane.spacing_mm, LIVER_RGB, linewidth=1.1)
    draw_contours(ax, tumor_mask(plane.labels), plane.spacing_mm, TUMOR_RGB, linewidth=1.3)
    ax.set_xlim(0.0, width)
    ax.set_ylim(height, 0.0)
    thin = height < THIN * width
    _draw_letters(ax, plane, apart=0.04 if thin else 0.0)
    if not thin:  # there is no room for it, and a panel beside has one
        _draw_scale_bar(ax, plane)


def draw_contours(
    ax: Axes,
    inside: NDArray[np.bool_],
    spacing_mm: tuple[float, float],
    rgb: tuple[int, int, int],
    *,
    linewidth: float = 1.2,
    linestyle: str = "solid",
) -> None:
    """Draw the outline of a region; it crosses half way between voxels inside and outside, at their common edge.

    Args:
        ax: Axes in millimetres whose origin is the outer corner of the first voxel.
        inside: The region (rows, columns); one that reaches the border is closed there.
        spacing_mm: Distance of rows and of columns.
        rgb: Color in [0, 255].
        linewidth: In points.
        linestyle: As matplotlib names it.
    """
    if not inside.any():
        return
    rows = (np.arange(-1, inside.shape[0] + 1) + 0.5) * spacing_mm[0]
    columns = (np.arange(-1, inside.shape[1] + 1) + 0.5) * spacing_mm[1]
    lines = ax.contour(
        columns,
        rows,
        np.pad(inside, 1).astype(np.float32),
        levels=[0.5],
        colors=[hexadecimal(rgb)],
        linewidths=linewidth,
        linestyles=linestyle,
    )
    lines.set_path_effects([withStroke(linewidth=linewidth + 1.0, foreground=hexadecimal(HALO_RGB), alpha=0.5)])


def _panels(planes: list[Plane], title: str | None) -> tuple[Figure, list[Axes]]:
    """A figure whose panels have one scale and stand in a row, their middles on one line."""
    widths = [plane.extent_mm[1] for plane in planes]
    heights = [plane.extent_mm[0] for plane in planes]
    mm_per_inch = sum(widths) / (WIDTH_INCHES * (1 - GAP * (len(planes) + 1)))
    above, below = (0.42 if title else 0.08), 0.34
    total = max(heights) / mm_per_inch + above + below
    figure = Figure(figsize=(WIDTH_INCHES, total))
    axes, x = [], GAP
    for width, height in zip(widths, heights, strict=True):
        w, h = width / mm_per_inch / WIDTH_INCHES, height / mm_per_inch / total
        middle = (below + max(heights) / mm_per_inch / 2) / total
        axes.append(figure.add_axes((x, middle - h / 2, w, h)))
        x += w + GAP
    if title:
        figure.text(0.5, 1 - 0.2 / total, one_line(title), ha="center", va="center", fontsize=11, parse_math=False)
    return figure, axes


def _crossings(at: tuple[int, int, int], crop: Crop, ct: Volume) -> list[tuple[float, float]]:
    """Where the other two planes cut each panel: (y, x) in the panel's millimetres."""
    d, h, w = ((i - part.start + 0.5) * step for i, part, step in zip(at, crop, ct.spacing, strict=True))
    top = (crop[0].stop - crop[0].start) * ct.spacing[0]
    return [(h, w), (top - d, w), (top - d, h)]


def _draw_ticks(ax: Axes, plane: Plane, crossing_mm: tuple[float, float]) -> None:
    (height, width), (y, x) = plane.extent_mm, crossing_mm
    length = min(0.035 * max(height, width), 0.2 * height)
    for xs, ys in (((x, x), (0, length)), ((x, x), (height, height - length)),
                   ((0, length), (y, y)), ((width, width - length), (y, y))):  # fmt: skip
        ax.add_line(Line2D(xs, ys, color="white", linewidth=1.0, path_effects=HALO))


def _draw_letters(ax: Axes, plane: Plane, *, apart: float) -> None:
    left, right, top, bottom = plane.letters
    for text, x, y, ha, va in (
        (left, 0.015, 0.55, "left", "center"), (right, 0.985, 0.55, "right", "center"),
        (top, 0.55 - apart, 0.985, "center", "top"), (bottom, 0.55 + apart, 0.02, "center", "bottom"),
    ):  # fmt: skip
        ax.text(
            x, y, text, ha=ha, va=va, transform=ax.transAxes, color="white", fontsize=10, weight="bold",
            path_effects=HALO,
        )  # fmt: skip


def _draw_scale_bar(ax: Axes, plane: Plane) -> None:
    height, width = plane.extent_mm
    length = next((mm for mm in (50.0, 20.0, 10.0, 5.0, 2.0, 1.0) if mm <= width / 3), width / 3)
    x, y = 0.03 * width, height - 0.045 * max(width, height)
    ax.add_line(Line2D((x, x + length), (y, y), color="white", linewidth=2.2, path_effects=HALO))
    label = f"{length / 10:g} cm" if length >= 10 else f"{length:g} mm"
    ax.text(x, y - 0.012 * height, label, color="white", fontsize=8, ha="left", va="bottom", path_effects=HALO)


def _draw_legend(figure: Figure, labels: Volume, window_hu: tuple[float, float]) -> None:
    handles = []
    if labels.array.any():
        handles.append(Line2D([], [], color=hexadecimal(LIVER_RGB), linewidth=2, label="liver (with tumor)"))
    if labels.array.max(initial=0) == TUMOR:
        handles.append(Line2D([], [], color=hexadecimal(TUMOR_RGB), linewidth=2.4, label="tumor"))
    low, high = window_hu
    words = f"window {low:g} to {high:g} HU" if handles else f"the mask is empty; window {low:g} to {high:g} HU"
    handles.append(Line2D([], [], linestyle="none", label=words))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=9, frameon=False, borderaxespad=0.3)
