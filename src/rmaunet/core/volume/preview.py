"""Pictures for notebooks: three planes of a CT with a mask in color, as HTML. Needs NumPy and OpenCV only."""

from __future__ import annotations

import base64
import html

import numpy as np
from highdicom import Volume
from numpy.typing import NDArray

from rmaunet.core.colors import LIVER_RGB, TUMOR_RGB
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.volume.geometry import axial

__all__ = ["preview_html", "preview_image"]

WINDOW_HU = (-100.0, 250.0)
HEIGHT = 256
"""Pixels of the picture's height."""
OPACITY = 0.35


def preview_html(text: str, *, ct: Volume | None = None, mask: Volume | None = None) -> str:
    """A picture and a text below it.

    Args:
        text: Lines of text.
        ct: HU.
        mask: Labels {0, 1, 2}, on the CT's voxels if both are given.

    Returns:
        HTML with the picture inside as PNG.
    """
    import cv2

    picture = preview_image(ct=ct, mask=mask)
    _, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))
    encoded = base64.b64encode(data.tobytes()).decode("ascii")
    return f'<img alt="axial, coronal, sagittal" src="data:image/png;base64,{encoded}"/><pre>{html.escape(text)}</pre>'


def preview_image(*, ct: Volume | None = None, mask: Volume | None = None) -> NDArray[np.uint8]:
    """Axial, coronal and sagittal planes side by side, in radiological display.

    The planes pass through the middle of the tumor, else of the liver, else of the scan.

    Args:
        ct: HU; None for a black background.
        mask: Labels {0, 1, 2}; None for no colors.

    Returns:
        uint8 (rows, columns, 3) RGB.

    Raises:
        ValueError: If neither is given.
    """
    shown = [axial(volume) for volume in (ct, mask) if volume is not None]
    if not shown:
        raise ValueError("a preview needs a CT or a mask")
    labels = None if mask is None else shown[-1].array
    image = None if ct is None else shown[0].array
    at = _center(labels, shown[0].array.shape)
    d, h, w = (float(step) for step in shown[0].spacing)
    planes = []
    for axis, (down, across) in enumerate(((h, w), (d, w), (d, h))):
        index: list[int | slice] = [slice(None)] * 3
        index[axis] = at[axis]
        gray = None if image is None else image[tuple(index)]
        colors = None if labels is None else labels[tuple(index)]
        planes.append(_plane(gray, colors, upside_down=axis > 0, aspect=down / across))
    return np.concatenate(planes, axis=1)


def _center(labels: NDArray[np.generic] | None, shape: tuple[int, ...]) -> list[int]:
    """Voxel in the middle of the tumor, else of the liver, else of the scan."""
    for label in (TUMOR, LIVER):
        if labels is not None and (found := labels == label).any():
            return [int(np.median(np.flatnonzero(found.any(axis=tuple({0, 1, 2} - {axis}))))) for axis in range(3)]
    return [size // 2 for size in shape]


def _plane(
    gray: NDArray[np.generic] | None, labels: NDArray[np.generic] | None, *, upside_down: bool, aspect: float
) -> NDArray[np.uint8]:
    import cv2

    size = (gray if gray is not None else labels).shape  # type: ignore[union-attr]
    low, high = WINDOW_HU
    level = np.zeros(size) if gray is None else np.clip((gray.astype(np.float32) - low) / (high - low), 0, 1) * 255
    picture = np.repeat(level[..., None], 3, axis=2)
    for label, color in ((LIVER, LIVER_RGB), (TUMOR, TUMOR_RGB)):
        if labels is not None:
            inside = labels == label
            picture[inside] = (1 - OPACITY) * picture[inside] + OPACITY * np.array(color)
    if upside_down:  # rows of the coronal and sagittal planes grow toward the head
        picture = picture[::-1]
    width = max(1, round(HEIGHT * size[1] / (size[0] * aspect)))
    made = cv2.resize(np.ascontiguousarray(picture.astype(np.uint8)), (width, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.uint8)
