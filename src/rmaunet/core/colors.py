"""The two colors of every picture, page and label table, and the dark line that keeps them readable on bright tissue.

Teal and orange differ in hue for people with protanopia, deuteranopia and tritanopia alike, and in lightness when
printed in gray; a test simulates all of it.
"""

from __future__ import annotations

__all__ = ["HALO_RGB", "LIVER_RGB", "TUMOR_RGB", "hexadecimal", "unit"]

LIVER_RGB = (0, 172, 193)
"""Liver (with tumor): teal."""

TUMOR_RGB = (255, 154, 20)
"""Tumor: orange."""

HALO_RGB = (0, 0, 0)
"""Drawn a little wider under every contour."""


def hexadecimal(rgb: tuple[int, int, int]) -> str:
    """A color as CSS writes it.

    Args:
        rgb: Red, green and blue in [0, 255].

    Returns:
        ``#rrggbb``.

    Example:
        >>> hexadecimal((0, 172, 193))
        '#00acc1'
    """
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def unit(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """A color in [0, 1], as matplotlib and `.seg.nrrd` want it.

    Args:
        rgb: Red, green and blue in [0, 255].

    Returns:
        Red, green and blue in [0, 1].
    """
    red, green, blue = rgb
    return red / 255, green / 255, blue / 255
