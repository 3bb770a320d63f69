"""The page's pictures: three planes and key slices as JPEG, which stand in for the viewer on paper and without WebGL."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from rmaunet.labels import liver_mask
from rmaunet.report.overlay import draw_plane, overlay_figure
from rmaunet.report.planes import Crop, cut, matched
from rmaunet.volume import Volume

__all__ = ["axial_picture", "evenly_spaced", "planes_picture"]

MARGIN_MM = 12.0


def planes_picture(ct: Volume, mask: Volume) -> bytes:
    """The three planes of :func:`rmaunet.report.overlay_figure`.

    Args:
        ct: CT in HU.
        mask: Labels {0, 1, 2} on its voxel positions.

    Returns:
        A JPEG.
    """
    return _jpeg(overlay_figure(ct, mask), dpi=140)


def axial_picture(
    ct: Volume, mask: Volume, index: int, marks: Mapping[str, NDArray[np.floating]] | None = None
) -> bytes:
    """One axial slice around the liver with contours.

    Args:
        ct: CT in HU.
        mask: Labels {0, 1, 2} on its voxel positions.
        index: The slice, counted from the feet in the axial orientation.
        marks: Words to write and where, in LPS mm.

    Returns:
        A JPEG.
    """
    turned, labels = matched(ct, mask)
    crop = _crop(labels)
    plane = cut(turned, labels, "axial", index, crop)
    height, width = plane.extent_mm
    figure = Figure(figsize=(4.0, 4.0 * height / width))
    ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    draw_plane(ax, plane)
    to_index = np.linalg.inv(np.asarray(turned.affine))
    for word, (x, y, z) in (marks or {}).items():
        _, h, w, _ = to_index @ [x, y, z, 1.0]
        right = (w - (crop[2].start or 0) + 0.5) * plane.spacing_mm[1]
        down = (h - (crop[1].start or 0) + 0.5) * plane.spacing_mm[0]
        ax.annotate(
            word, (right, down), (6, 6), textcoords="offset points", color="white", fontsize=10, weight="bold",
            path_effects=[withStroke(linewidth=2.4, foreground="black")],
        )  # fmt: skip
    return _jpeg(figure, dpi=150)


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
