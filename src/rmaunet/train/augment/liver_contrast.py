"""Another patient's liver in this patient's slice: the liver's and the tumors' intensities changed against their surroundings.

Livers differ more in intensity than in anything else: a fatty liver is darker than its vessels, a strong contrast phase makes
it as bright as the kidneys, a native one makes it plain. Twenty patients do not show that; changing a whole slice does not
either, since what differs is the liver against the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import LIVER, liver_mask, tumor_mask

__all__ = ["EDGE_SD", "PLAIN", "Contrast", "change_contrast", "soft"]

EDGE_SD = 0.8
"""Pixels over which the change fades out at a border, as partial volume does."""


@dataclass(frozen=True)
class Contrast:
    """What is done to liver and tumors.

    Attributes:
        liver: Added to the liver with its tumors, in half windows.
        texture: Factor on the liver's differences from its own mean: vessels and tumors stand out less or more.
        tumor: Added to the tumors alone, in half windows.
    """

    liver: float = 0.0
    texture: float = 1.0
    tumor: float = 0.0

    @property
    def nothing(self) -> bool:
        """Whether nothing would change."""
        return self == PLAIN


PLAIN = Contrast()
"""Changes nothing."""


def change_contrast(image: NDArray[np.float32], labels: NDArray[np.uint8], contrast: Contrast) -> NDArray[np.float32]:
    """Change liver and tumors of a patch.

    Args:
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}, of each channel's own slice.
        contrast: What to change.

    Returns:
        (C, H, W) in [-1, 1].
    """
    changed = image.copy()
    for plane, mask in zip(changed, labels, strict=True):
        liver = liver_mask(mask)
        if not liver.any():
            continue
        inside = soft(liver)
        parenchyma = mask == LIVER
        mean = float(plane[parenchyma if parenchyma.any() else liver].mean())
        plane += inside * (np.float32(contrast.texture - 1) * (plane - np.float32(mean)) + np.float32(contrast.liver))
        if contrast.tumor:
            plane += soft(tumor_mask(mask)) * np.float32(contrast.tumor)
    return np.clip(changed, -1, 1, out=changed)


def soft(mask: NDArray[np.bool_], sd: float = EDGE_SD) -> NDArray[np.float32]:
    """A mask (H, W) with soft borders: float32 in [0, 1], blurred by ``sd`` pixels."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sd), np.float32)
