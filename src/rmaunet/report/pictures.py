"""The page's pictures: three planes and key slices as JPEG, which stand in for the viewer on paper and without WebGL."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from rmaunet.core.labels import liver_mask
from rmaunet.core.volume import Volume
from rmaunet.measurement.lesions import Lesion
from rmaunet.measurement.planes import Crop, cut, matched
from rmaunet.report.overlay import draw_plane, overlay_figure

__all__ = ["axial_figure", "axial_picture", "evenly_spaced", "planes_picture"]

MARGIN_MM = 12.0
DARK = [withStroke(linewidth=2.4, foreground="black")]
THIN_DARK = [withStroke(linewidth=1.8, foreground="black", alpha=0.6)]


def planes_picture(ct: Volume, mask: Volume) -> bytes:
    """The three planes of :func:`rmaunet.report.overlay_figure`.

    Args:
        ct: CT in HU.
        mask: Labels {0, 1, 2} on its voxel positions.

    Returns:
        A JPEG.
    """
    return _jpeg(overlay_figure(ct, mask), dpi=140)


def axial_picture(ct: Volume, mask: Volume, index: int, lesions: Sequence[Lesion] = ()) -> bytes:
    """:func:`axial_figure` as a JPEG."""
    return _jpeg(axial_figure(ct, mask, index, lesions), dpi=150)


def axial_figure(ct: Volume, mask: Volume, index: int, lesions: Sequence[Lesion] = ()) -> Figure:
    """One axial slice around the liver with contours, its axes in mm.

    Args:
        ct: CT in HU.
        mask: Labels {0, 1, 2} on its voxel positions.
        index: The slice, counted from the feet in the axial orientation.
        lesions: Those whose two diameters and number are drawn, measured on this slice.

    Returns:
        The figure.
    """
    turned, labels = matched(ct, mask)
    crop = _crop(labels)
    plane = cut(turned, labels, "axial", index, crop)
    height, width = plane.extent_mm
    figure = Figure(figsize=(4.0, 4.0 * height / width))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    draw_plane(ax, plane)
    to_index = np.linalg.inv(np.asarray(turned.affine))

    def place(point: Sequence[float]) -> tuple[float, float]:
        _, h, w, _ = to_index @ [*point, 1.0]
        right = (w - (crop[2].start or 0) + 0.5) * plane.spacing_mm[1]
        return right, (h - (crop[1].start or 0) + 0.5) * plane.spacing_mm[0]

    for lesion in lesions:
        for ends in (lesion.longest_ends_mm, lesion.perpendicular_ends_mm):
            xs, ys = zip(*(place(end) for end in ends), strict=True)
            ax.add_line(Line2D(xs, ys, color="white", linewidth=0.8, path_effects=THIN_DARK))
        # The number stands where the longest diameter ends on the viewer's right.
        ax.annotate(
            str(lesion.id), max(place(end) for end in lesion.longest_ends_mm), (6, 6), textcoords="offset points",
            color="white", fontsize=10, weight="bold", path_effects=DARK,
        )  # fmt: skip
    return figure


def evenly_spaced(mask: Volume, count: int) -> Sequence[int]:
    """Axial slices that part the liver's height evenly.

    Args:
        mask: Labels {0, 1, 2}.
        count: How many at most.

    Returns:
        Distinct indices in the axial orientation, from the head down; none without a liver.
    """
    inside = liver_mask(mask.to_patient_orientation("HPL").array)
    found = np.flatnonzero(inside.any(axis=(1, 2)))
    if not found.size:
        return []
    places = found[0] + (np.arange(count) + 0.5) / count * (found[-1] - found[0])
    return sorted({round(float(place)) for place in places}, reverse=True)


def _crop(labels: Volume) -> Crop:
    inside = liver_mask(labels.array)
    parts = [slice(None)]
    for axis in (1, 2):
        found = np.flatnonzero(inside.any(axis=(0, 3 - axis)))
        if not found.size:
            return slice(None), slice(None), slice(None)
        margin = int(np.ceil(MARGIN_MM / labels.spacing[axis]))
        parts.append(slice(max(0, int(found[0]) - margin), min(inside.shape[axis], int(found[-1]) + margin + 1)))
    return parts[0], parts[1], parts[2]


def _jpeg(figure: Figure, *, dpi: int) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="jpeg", dpi=dpi, facecolor="white", pil_kwargs={"quality": 88, "optimize": True})
    return buffer.getvalue()
