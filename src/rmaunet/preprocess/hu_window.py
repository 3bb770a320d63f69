"""HU to the network's intensities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_bytes", "to_bytes", "window"]


def window(hu: NDArray[np.generic], window_hu: tuple[float, float]) -> NDArray[np.float32]:
    """Clip to the window and map it linearly to [-1, 1].

    For the paper's window [-200, 200] this is "divide by 200".

    Args:
        hu: Any shape, HU. Not-a-number is taken as air.
        window_hu: Lowest and highest HU.

    Returns:
        float32 of the same shape in [-1, 1].

    Example:
        >>> window(np.array([-1000, -200, 0, 100, 3000]), (-200, 200)).tolist()
        [-1.0, -1.0, 0.0, 0.5, 1.0]
    """
    low, high = window_hu
    scaled = np.multiply(hu, np.float32(2 / (high - low)), dtype=np.float32)
    scaled -= np.float32((high + low) / (high - low))
    if not np.issubdtype(np.asarray(hu).dtype, np.integer):
        np.nan_to_num(scaled, copy=False, nan=-1.0, posinf=1.0, neginf=-1.0)
    np.clip(scaled, -1, 1, out=scaled)
    return np.asarray(scaled, np.float32)


def to_bytes(intensity: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Store intensities in [-1, 1] as 0 to 255, rounding; a step is 1/255 of the window."""
    return np.asarray(np.rint((intensity + 1) * 127.5), np.uint8)


def from_bytes(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Intensities in [-1, 1] of bytes stored by :func:`to_bytes`; exact to half a step."""
    result: NDArray[np.float32] = stored.astype(np.float32)
    result *= np.float32(1 / 127.5)
    result -= np.float32(1)
    return result
