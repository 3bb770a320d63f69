"""Diameters against closed forms and against all pairs of outline points."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rmaunet.measurement.diameters import maximum_diameter_mm, outline_points, planar_diameters


def ellipse(
    a: float, b: float, degrees: float, spacing: tuple[float, float], offset: tuple[float, float]
) -> np.ndarray:
    n = [int(2 * max(a, b) / s) + 5 for s in spacing]
    y, x = np.meshgrid(
        *[(np.arange(k) - k / 2) * s - o for k, s, o in zip(n, spacing, offset, strict=True)], indexing="ij"
    )
    t = np.deg2rad(degrees)
    u, v = np.cos(t) * x + np.sin(t) * y, -np.sin(t) * x + np.cos(t) * y
    return (u / a) ** 2 + (v / b) ** 2 <= 1


@pytest.mark.parametrize("degrees", [0, 17, 30, 45, 60, 90, 135])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.7, 0.7), (0.8, 1.6)])
@pytest.mark.parametrize("offset", [(0.0, 0.0), (0.31, 0.13)])
def test_rotated_ellipses_within_a_voxel(
    degrees: float, spacing: tuple[float, float], offset: tuple[float, float]
) -> None:
    found = planar_diameters(ellipse(22, 9, degrees, spacing, offset), spacing)
    assert found.longest_mm == pytest.approx(44, abs=max(spacing))
    assert found.perpendicular_mm == pytest.approx(18, abs=max(spacing))


def test_no_bias_over_many_positions() -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(60):
        inside = ellipse(12, 8, rng.uniform(0, 180), (1.0, 1.0), tuple(rng.uniform(-0.5, 0.5, 2)))
        found = planar_diameters(inside, (1.0, 1.0))
        errors.append((found.longest_mm - 24, found.perpendicular_mm - 16))
    assert 0 < np.mean(errors) < 0.5  # of a voxel: the farthest of many crossings lies a little outside


def test_a_voxel_is_as_long_as_its_edge() -> None:
    found = planar_diameters(np.ones((1, 1), bool), (0.5, 2.0))
    assert found.longest_mm == pytest.approx(2.0)
    assert found.perpendicular_mm == pytest.approx(0.5)
    assert maximum_diameter_mm(np.ones((1, 1, 1), bool), (5.0, 1.0, 1.0)) == pytest.approx(5.0)


def test_rods() -> None:
    found = planar_diameters(np.ones((1, 10), bool), (1.0, 0.5))
    assert (found.longest_mm, found.perpendicular_mm) == pytest.approx((5.0, 1.0))
    assert np.sort(found.longest_ends[:, 1]) == pytest.approx([-0.5, 9.5])
    assert np.ptp(found.perpendicular_ends[:, 0]) == pytest.approx(1.0)


def crossings(inside: np.ndarray) -> np.ndarray:
    """Every face between inside and outside."""
    padded = np.pad(inside, 1)
    points = []
    for axis in range(inside.ndim):
        change = np.argwhere(np.diff(padded.astype(int), axis=axis) != 0).astype(float) - 1
        change[:, axis] += 0.5
        points.append(change)
    return np.concatenate(points)


def all_pairs(points: np.ndarray) -> float:
    return max(np.linalg.norm(a - b) for a, b in itertools.combinations(points, 2))


masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=3, max_side=5)).filter(lambda m: m.any())


@settings(max_examples=60, deadline=None)
@given(inside=masks, steps=st.tuples(*[st.floats(0.3, 5)] * 3))
def test_equals_all_pairs_of_outline_points(inside: np.ndarray, steps: tuple[float, ...]) -> None:
    spacing = steps[: inside.ndim]
    expected = all_pairs(crossings(inside) * spacing)
    if inside.ndim == 3:
        assert maximum_diameter_mm(inside, spacing) == pytest.approx(expected)
        return
    found = planar_diameters(inside, spacing)
    assert found.longest_mm == pytest.approx(expected)
    along = np.diff(found.longest_ends * spacing, axis=0)[0]
    across = np.diff(found.perpendicular_ends * spacing, axis=0)[0]
    assert np.linalg.norm(along) == pytest.approx(found.longest_mm)
    assert np.linalg.norm(across) == pytest.approx(found.perpendicular_mm, abs=1e-9)
    assert along @ across == pytest.approx(0, abs=1e-6)
    widths = outline_points(inside) * spacing @ np.array([-along[1], along[0]]) / found.longest_mm
    assert 0 < found.perpendicular_mm <= np.ptp(widths) + 1e-9


def test_perpendicular_of_a_triangle_is_its_height() -> None:
    inside = np.tri(60, dtype=bool)  # legs of 60: the hypotenuse is longest, the height on it half as long
    found = planar_diameters(inside, (1.0, 1.0))
    assert found.longest_mm == pytest.approx(60 * 2**0.5, abs=1)
    assert found.perpendicular_mm == pytest.approx(30 * 2**0.5, abs=1)
