"""Overlap metrics: closed forms, identities, and the value of every empty case."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rmaunet.metrics import LITS_PENALTY, Counts, count_overlap, dice, jaccard, rvd, rvd_lits, voe

MASKS = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))
)
BOTH_EMPTY, NO_REFERENCE, NO_PREDICTION = Counts(0, 0, 0), Counts(0, 5, 0), Counts(5, 0, 0)


def test_hand_made_case() -> None:
    reference, prediction = np.zeros((2, 10, 10), bool), np.zeros((2, 10, 10), bool)
    reference[0, :5], prediction[0, 2:6] = True, True
    counts = count_overlap(reference, prediction)
    assert counts == Counts(50, 40, 30)
    assert dice(counts) == pytest.approx(60 / 90)
    assert jaccard(counts) == pytest.approx(30 / 60)
    assert voe(counts) == pytest.approx(30 / 60)
    assert rvd(counts) == pytest.approx(-0.2)
    assert rvd_lits(counts) == pytest.approx(0.25)


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


@pytest.mark.parametrize(
    ("counts", "convention", "expected"),
    [
        (BOTH_EMPTY, "paper", (1, 1, 0, math.nan, math.nan)),
        (BOTH_EMPTY, "lits", (1, 1, 0, math.nan, math.nan)),
        (BOTH_EMPTY, "nnunet", (math.nan,) * 5),
        (NO_REFERENCE, "paper", (0, 0, 1, math.nan, -1)),
        (NO_REFERENCE, "nnunet", (0, 0, 1, math.nan, -1)),
        (NO_REFERENCE, "lits", (0, 0, 1, math.nan, LITS_PENALTY)),
        (NO_PREDICTION, "paper", (0, 0, 1, -1, math.nan)),
        (NO_PREDICTION, "nnunet", (0, 0, 1, -1, math.nan)),
        (NO_PREDICTION, "lits", (0, 0, 1, -1, LITS_PENALTY)),
    ],
)
def test_empty_masks(counts: Counts, convention: str, expected: tuple[float, ...]) -> None:
    found = (
        dice(counts, convention=convention),
        jaccard(counts, convention=convention),
        voe(counts, convention=convention),
        rvd(counts),
        rvd_lits(counts, convention=convention),
    )
    assert all(same(f, e) for f, e in zip(found, expected, strict=True)), found


@given(MASKS)
def test_identities(masks: tuple[np.ndarray, np.ndarray]) -> None:
    counts, swapped = count_overlap(*masks), count_overlap(*masks[::-1])
    assert dice(counts) == dice(swapped)
    assert 0 <= dice(counts) <= 1
    assert dice(counts) == pytest.approx(2 * jaccard(counts) / (1 + jaccard(counts)))
    assert voe(counts) == pytest.approx(1 - jaccard(counts))
    assert count_overlap(masks[0], masks[0]).intersection == masks[0].sum()
    if counts.reference and counts.prediction:
        assert (1 + rvd(counts)) * (1 + rvd_lits(counts)) == pytest.approx(1)


def test_sign_of_the_two_volume_differences() -> None:
    over = Counts(reference=4, prediction=8, intersection=4)
    assert rvd(over) == 1.0
    assert rvd_lits(over) == -0.5


def test_labels_above_one_are_inside() -> None:
    assert count_overlap(np.array([0, 1, 2], np.uint8), np.array([0, 2, 2], np.uint8)) == Counts(2, 2, 2)


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        count_overlap(np.zeros(2), np.zeros(3))
