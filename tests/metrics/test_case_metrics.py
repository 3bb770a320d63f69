"""One case: hand-made volumes with known numbers, geometry, options, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmaunet.core.errors import InputError
from rmaunet.core.volume import make_volume
from rmaunet.metrics import LITS_PENALTY, CaseResult, Scoring, evaluate_case, evaluate_slices


def affine(d_mm: float = 1.0, h_mm: float = 1.0, w_mm: float = 1.0) -> np.ndarray:
    """Axial axes: d to the head, h to posterior, w to the left."""
    matrix = np.eye(4)
    matrix[:3, :3] = [[0, 0, w_mm], [0, h_mm, 0], [d_mm, 0, 0]]
    return matrix


def reference_labels() -> np.ndarray:
    labels = np.zeros((8, 12, 12), np.uint8)
    labels[2:6, 2:10, 2:10] = 1
    labels[3:5, 4:6, 4:6] = 2
    return labels


def evaluate(reference: np.ndarray, prediction: np.ndarray, **options: object) -> CaseResult:
    grid = affine(2.0, 0.5, 0.5)
    return evaluate_case(make_volume(reference, grid), make_volume(prediction, grid), name="case", **options)


def test_the_ends_of_the_liver_are_scored_apart() -> None:
    truth = np.zeros((24, 8, 8), np.uint8)
    truth[2:22, 2:6, 2:6] = 1  # 20 slices: a tenth is two
    guess = truth.copy()
    guess[2], guess[21, 2:4] = 0, 0  # the lowest slice missed, half of the highest
    guess[0] = 1  # outside of the reference's extent: no matter of its ends
    result = evaluate(truth, guess)
    assert result.liver_dice_lowest_tenth == pytest.approx(2 * 16 / (32 + 16))
    assert result.liver_dice_highest_tenth == pytest.approx(2 * 24 / (32 + 24))
    assert math.isnan(evaluate(np.zeros_like(truth), guess).liver_dice_lowest_tenth)


def test_hand_made_case() -> None:
    truth = reference_labels()
    guess = truth.copy()
    guess[2:6, 2:4, 2:10] = 0  # a quarter of the liver missed, 64 of 256 voxels
    guess[3, 4:6, 4:6] = 1  # half of the tumor called liver
    result = evaluate(truth, guess)
    assert result.liver_dice == pytest.approx(2 * 192 / (256 + 192))
    assert result.liver_voe == pytest.approx(0.25)
    assert result.liver_rvd == pytest.approx(-0.25)
    assert result.liver_rvd_lits == pytest.approx(64 / 192)
    assert result.tumor_dice == pytest.approx(2 * 4 / 12)
    assert result.tumor_rvd == pytest.approx(-0.5)
    assert result.liver_msd_mm == pytest.approx(1.0)  # two rows of 0.5 mm
    assert result.tumor_msd_mm == pytest.approx(2.0)  # one slice of 2 mm
    assert result.liver_reference_ml == pytest.approx(256 * 0.5 / 1000)
    assert result.tumor_burden_reference == pytest.approx(8 / 256)
    assert result.tumor_burden_prediction == pytest.approx(4 / 192)
    assert (result.lesions_reference, result.lesions_detected, result.lesions_touched) == (1, 0, 1)  # IoU is 0.5
    assert (result.slices, result.slices_scored) == (8, 8)
    assert (result.spacing_d_mm, result.spacing_h_mm, result.spacing_w_mm) == pytest.approx((2.0, 0.5, 0.5))


def test_liver_includes_tumor() -> None:
    truth = reference_labels()
    without = np.where(truth == 2, 1, truth)
    assert evaluate(truth, without).liver_dice == 1.0
    assert evaluate(truth, without).tumor_dice == 0.0


@pytest.mark.parametrize("orientation", ["HPL", "FPL", "LPH", "RAF", "PHR", "AFL"])
def test_another_orientation_of_the_same_grid_changes_nothing(orientation: str) -> None:
    generator = np.random.default_rng(3)
    truth, guess = generator.integers(0, 3, (2, 5, 6, 7)).astype(np.uint8)
    one, other = (make_volume(labels, affine(2.5, 0.7, 0.8)) for labels in (truth, guess))
    straight = evaluate_case(one, other, name="case").row()
    turned = evaluate_case(one, other.to_patient_orientation(orientation), name="case").row()
    assert turned == straight
    both = evaluate_case(*(v.to_patient_orientation(orientation) for v in (one, other)), name="case").row()
    assert {k: v for k, v in both.items() if "mm" not in k} == {k: v for k, v in straight.items() if "mm" not in k}
    assert both["liver_assd_mm"] == pytest.approx(straight["liver_assd_mm"])


def test_a_moved_grid_is_refused_and_rounding_is_not() -> None:
    labels = reference_labels()
    rounded, moved = affine(), affine()
    rounded[0, 3], moved[0, 3] = 5e-4, 5.0
    assert evaluate_case(make_volume(labels, affine()), make_volume(labels, rounded), name="case").liver_dice == 1.0
    with pytest.raises(InputError, match=r"^patient 3: prediction grid = corners up to 5.00 mm apart: .*; resample"):
        evaluate_case(make_volume(labels, affine()), make_volume(labels, moved), name="patient 3")


def test_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"case: prediction grid = shape \(8, 12, 12\) against \(8, 12, 11\)"):
        evaluate(reference_labels(), reference_labels()[:, :, :11])


def test_foreign_labels_are_refused_with_their_counts() -> None:
    labels = reference_labels()
    labels[0, 0, :3], labels[0, 0, 3] = 7, 255
    with pytest.raises(InputError, match=r"prediction labels = 7 \(3 voxels\), 255 \(1 voxels\)"):
        evaluate(reference_labels(), labels)
    with pytest.raises(InputError, match="reference array = 3-D float64"):
        evaluate(reference_labels().astype(float), reference_labels())
    negative = reference_labels().astype(np.int16)
    negative[0, 0, 0] = -1
    with pytest.raises(InputError, match=r"reference labels = -1 \(1 voxels\)"):
        evaluate(negative, reference_labels())


def test_empty_reference_and_prediction() -> None:
    empty, liver_only = np.zeros((8, 12, 12), np.uint8), np.where(reference_labels() > 0, 1, 0).astype(np.uint8)
    nothing = evaluate(empty, empty)
    assert (nothing.liver_dice, nothing.tumor_dice, nothing.liver_surface_dice) == (1.0, 1.0, 1.0)
    assert math.isnan(nothing.liver_assd_mm)
    assert math.isnan(nothing.tumor_burden_reference)
    assert nothing.liver_empty_reference
    assert nothing.liver_empty_prediction
    tumor_free = evaluate(liver_only, liver_only)
    assert tumor_free.tumor_dice == 1.0
    assert math.isnan(tumor_free.tumor_rvd)
    assert math.isnan(evaluate(liver_only, liver_only, scoring=Scoring("nnunet")).tumor_dice)
    invented = evaluate(liver_only, reference_labels())
    assert (invented.tumor_dice, invented.tumor_voe) == (0.0, 1.0)
    assert invented.tumor_empty_reference
    assert not invented.tumor_empty_prediction


def test_lits_convention() -> None:
    truth = reference_labels()
    tumor_only = np.where(truth == 2, 2, 0).astype(np.uint8)
    lits = evaluate(truth, tumor_only, scoring=Scoring("lits"))
    # The challenge takes a prediction without a single voxel of label 1 for no liver at all.
    assert (lits.liver_dice, lits.liver_assd_mm, lits.liver_rvd_lits) == (0.0, LITS_PENALTY, LITS_PENALTY)
    assert lits.tumor_burden_prediction == LITS_PENALTY
    assert lits.tumor_dice == 1.0
    assert evaluate(truth, tumor_only).liver_dice == pytest.approx(2 * 8 / (256 + 8))


def test_paper_slices_ignore_what_lies_beyond_the_liver() -> None:
    truth = reference_labels()
    guess = truth.copy()
    guess[7, 0:6, 0:6] = 1  # outside of the liver's slices
    assert evaluate(truth, guess).liver_dice < 1
    scored = evaluate(truth, guess, paper_slices=True)
    assert scored.liver_dice == 1.0
    assert scored.liver_msd_mm == 0.0
    assert (scored.slices, scored.slices_scored) == (8, 4)


def test_without_surface_nothing_is_said_about_distances() -> None:
    row = evaluate(reference_labels(), reference_labels(), surface=False).row()
    assert not any("assd" in name or "hd95" in name or "tolerance" in name for name in row)
    assert "liver_dice" in row
    assert "lesions" not in row


@given(st.floats(0.3, 5.0))
@settings(deadline=None, max_examples=20)
def test_volumes_scale_with_spacing_cubed_and_distances_with_spacing(scale: float) -> None:
    truth, guess = reference_labels(), np.roll(reference_labels(), 1, axis=1)
    unit = evaluate_case(make_volume(truth, affine()), make_volume(guess, affine()), name="unit")
    grid = affine(scale, scale, scale)
    scaled = evaluate_case(make_volume(truth, grid), make_volume(guess, grid), name="scaled")
    assert scaled.liver_reference_ml == pytest.approx(unit.liver_reference_ml * scale**3)
    assert scaled.liver_assd_mm == pytest.approx(unit.liver_assd_mm * scale)
    assert scaled.liver_dice == unit.liver_dice


def test_slices() -> None:
    truth = reference_labels()
    guess = truth.copy()
    guess[2] = 0
    slices = evaluate_slices(make_volume(truth, affine()), make_volume(guess, affine()), name="case")
    assert [s.slice for s in slices] == list(range(8))
    assert [s.liver_dice for s in slices[2:6]] == [0, 1, 1, 1]
    assert math.isnan(slices[0].liver_dice)
    assert [s.tumor_reference_voxels for s in slices] == [0, 0, 0, 4, 4, 0, 0, 0]
    paper = evaluate_slices(
        make_volume(truth, affine()), make_volume(guess, affine()), name="case", paper_slices=True, convention="paper"
    )
    assert [s.slice for s in paper] == [2, 3, 4, 5]
    assert [s.tumor_dice for s in paper] == [1, 1, 1, 1]


def test_slices_count_from_the_feet_in_any_orientation() -> None:
    truth = reference_labels()
    truth[2] = 0
    upside_down = make_volume(truth, affine()).to_patient_orientation("FAR")
    slices = evaluate_slices(upside_down, upside_down, name="case")
    assert [s.slice for s in slices if s.liver_reference_voxels] == [3, 4, 5]
