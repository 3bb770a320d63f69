"""Liver and tumor colors stay apart for everybody, and in gray."""

import numpy as np
import pytest

from rmaunet.core.colors import LIVER_RGB, TUMOR_RGB, hexadecimal, unit

# Machado, Oliveira and Fernandes 2009, full severity, on linear RGB.
DEFICIENCY = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(rgb: tuple[int, int, int], matrix: object) -> np.ndarray:
    value = np.array(rgb) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(matrix) @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("kind", DEFICIENCY)
def test_colors_stay_apart(kind: str) -> None:
    liver, tumor = lab(LIVER_RGB, DEFICIENCY[kind]), lab(TUMOR_RGB, DEFICIENCY[kind])
    assert np.linalg.norm(liver - tumor) > 40  # 2.3 is just noticeable
    for gray in range(20, 256, 5):  # nor do they sink into tissue of any brightness
        for color in (liver, tumor):
            assert np.linalg.norm(color - lab((gray, gray, gray), DEFICIENCY[kind])) > 13


def test_lightness_differs_for_gray_print() -> None:
    assert lab(TUMOR_RGB, np.eye(3))[0] - lab(LIVER_RGB, np.eye(3))[0] > 5


def test_notations() -> None:
    assert hexadecimal((255, 0, 16)) == "#ff0010"
    assert unit((255, 0, 51)) == (1.0, 0.0, 0.2)
