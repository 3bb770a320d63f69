"""Each flag is raised by its case and by no other."""

import numpy as np
import pytest

from rmaunet.core.volume import Volume, make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.measurement import lesion_table, measure, quality_flags

AFFINE = np.array([[0, 0, 4.0, 0], [0, 4, 0, 0], [4, 0, 0, 0], [0, 0, 0, 1]])


def scan(
    liver: tuple[slice, slice, slice] = (slice(5, 25), slice(8, 38), slice(8, 38)), hu: int = 110, air: int = -1000
) -> tuple[np.ndarray, np.ndarray]:
    """A liver of 1152 ml in a box of air."""
    labels = np.zeros((30, 50, 50), np.uint8)
    labels[liver] = 1
    return np.where(labels > 0, hu, air).astype(np.int16), labels


def codes(
    ct: np.ndarray | None, labels: np.ndarray, affine: np.ndarray = AFFINE, thickness: float | None = None
) -> list[str]:
    image: Volume | None = None if ct is None else make_volume(ct, affine)
    mask = make_volume(labels, affine)
    lesions = lesion_table(image, mask)
    return [f.code for f in quality_flags(image, mask, measure(image, mask), lesions, slice_thickness_mm=thickness)]


def test_nothing_to_say() -> None:
    ct, labels = scan()
    labels[10:14, 12:16, 12:16] = 2
    assert codes(ct, labels) == []
    assert codes(None, labels) == []
    made = phantom(seed=2)
    lesions = lesion_table(made.ct, made.mask)
    assert quality_flags(made.ct, made.mask, measure(made.ct, made.mask), lesions) == []


def test_no_liver() -> None:
    ct, labels = scan()
    assert codes(ct, np.zeros_like(labels)) == ["no_liver"]


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((slice(0, 20), slice(8, 38), slice(8, 38)), "feet end"),
        ((slice(10, 30), slice(8, 38), slice(8, 38)), "head end"),
        ((slice(5, 25), slice(0, 38), slice(8, 38)), "front"),
        ((slice(5, 25), slice(8, 38), slice(20, 50)), "left side"),
        ((slice(0, 30), slice(8, 38), slice(0, 20)), "feet end, head end and right side"),
    ],
)
def test_partial_liver_names_the_sides(box: tuple[slice, slice, slice], words: str) -> None:
    ct, labels = scan(box)
    image, mask = make_volume(ct, AFFINE), make_volume(labels, AFFINE).to_patient_orientation("AFR")
    (flag,) = quality_flags(image, mask, measure(image, mask), [])
    assert flag.code == "partial_liver"
    assert f"the scan's {words}:" in flag.text


def test_volume() -> None:
    ct, labels = scan((slice(10, 20), slice(10, 30), slice(10, 30)))  # 256 ml
    assert codes(ct, labels) == ["implausible_volume"]
    ct, labels = scan((slice(0, 10), slice(10, 30), slice(10, 30)))  # small because cut
    assert codes(ct, labels) == ["partial_liver"]
    ct, labels = scan((slice(1, 29), slice(1, 49), slice(1, 49)))  # 4129 ml
    assert codes(ct, labels) == ["implausible_volume"]


@pytest.mark.parametrize(
    ("hu", "air", "expected"),
    [
        (55, -1000, ["not_contrast_like"]),
        (900, -1000, ["implausible_hu"]),
        (-200, -1000, ["implausible_hu"]),
        (110, -160, ["no_air"]),
        (1134, 24, ["no_air", "implausible_hu"]),  # HU + 1024
    ],
)
def test_hu(hu: int, air: int, expected: list[str]) -> None:
    assert codes(*scan(hu=hu, air=air)) == expected


def test_components() -> None:
    ct, labels = scan()
    labels[27, 2:6, 2:10] = 1  # 2 ml apart
    ct[labels > 0] = 110
    assert codes(ct, labels) == ["many_components"]
    ct, labels = scan()
    labels[27, 2, 2] = 1  # a speck
    assert codes(ct, labels) == []
    labels[27, 1:49:4, 1:49:4] = 1  # many
    assert codes(ct, labels) == ["many_components"]


def test_lesions_out_of_place() -> None:
    ct, labels = scan()
    labels[0, 2:4, 2:4] = 2
    labels[27, 2:4, 2:4] = 2
    found = codes(ct, labels)
    assert found == [
        "partial_liver",
        "tumor_outside_liver",
        "lesion_cut",
    ]  # a tumor at the border counts as liver there


def test_many_lesions() -> None:
    ct, labels = scan()
    labels[6:24:2, 9:37:3, 9:37:3] = 2
    assert codes(ct, labels) == ["many_lesions"]


def test_slices() -> None:
    thick = AFFINE.copy()
    thick[2, 0] = 6.0
    ct, labels = scan()
    assert codes(ct, labels, thick) == ["thick_slices"]
    assert codes(ct, labels, thick, 5.0) == ["slice_gap", "thick_slices"]
    assert codes(ct, labels, AFFINE, 5.0) == []  # overlapping slices are no gap
    assert codes(ct, labels, AFFINE, 3.0) == ["slice_gap"]


def phantom_codes(ct: Volume, mask: Volume) -> list[str]:
    return [f.code for f in quality_flags(ct, mask, measure(ct, mask), lesion_table(ct, mask))]


def test_an_unenhanced_scan() -> None:
    made = phantom(seed=2)
    array = made.ct.array.copy()
    array[made.mask.array > 0] -= 55  # portal venous enhancement taken away
    assert phantom_codes(made.ct.with_array(array), made.mask) == ["not_contrast_like"]


@pytest.mark.parametrize("scale", [0.4, 4.0])
def test_an_mr_like_scan(scale: float) -> None:
    """Magnitudes: nothing is negative, air is noise around zero, tissue is bright in units of its own."""
    made = phantom(seed=2)
    signal = np.abs(made.ct.array.astype(float) + 1000) * scale / 4
    found = phantom_codes(made.ct.with_array(signal.astype(np.int16)), made.mask)
    assert "no_air" in found
    assert found == ["no_air"] if scale < 1 else ["no_air", "implausible_hu"]


def test_a_scan_that_ends_in_the_liver() -> None:
    made = phantom(seed=2)
    occupied = np.flatnonzero((made.mask.array > 0).any(axis=(1, 2)))
    half = int(occupied.mean())
    assert phantom_codes(made.ct[half:], made.mask[half:])[0] == "partial_liver"


def test_a_phantom_without_a_liver() -> None:
    made = phantom("chest", seed=2)
    assert phantom_codes(made.ct, made.mask) == ["no_liver"]
