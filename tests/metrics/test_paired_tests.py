"""Tests, intervals and checks of printed tables against scipy, hand counts and the paper's own numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rmaunet.metrics import bland_altman, compare, compare_all, holm, smallest_wilcoxon_p
from rmaunet.paper.plausibility import (
    expected_fold_sd,
    fold_sd_probability,
    smallest_paired_p,
    unpaired_p,
    voe_from_dice,
)

GENERATOR = np.random.default_rng(7)
ONE = GENERATOR.normal(0.75, 0.1, 27)
OTHER = ONE - GENERATOR.normal(0.02, 0.05, 27)


def test_against_scipy() -> None:
    found = compare(ONE, OTHER)
    assert found.p_t == pytest.approx(stats.ttest_rel(ONE, OTHER).pvalue)
    assert found.p_wilcoxon == pytest.approx(stats.wilcoxon(ONE, OTHER).pvalue)
    assert found.mean_difference == pytest.approx(np.mean(ONE - OTHER))
    assert found.effect_size == pytest.approx(np.mean(ONE - OTHER) / np.std(ONE - OTHER, ddof=1))
    assert found.wins + found.losses == 27
    oracle = stats.bootstrap(
        (ONE - OTHER,), np.mean, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((oracle.low, oracle.high), abs=2e-3)


def test_exchanging_the_methods_changes_signs_only() -> None:
    there, back = compare(ONE, OTHER), compare(OTHER, ONE)
    assert back.mean_difference == pytest.approx(-there.mean_difference)
    assert (back.wins, back.losses) == (there.losses, there.wins)
    assert back.p_t == pytest.approx(there.p_t)
    assert back.p_wilcoxon == pytest.approx(there.p_wilcoxon)


def test_undefined_pairs_are_left_out_and_counted() -> None:
    first, second = [0.5, math.nan, 0.7, 0.9], [0.4, 0.3, math.nan, 0.5]
    found = compare(first, second)
    assert (found.n, found.n_undefined) == (2, 2)
    assert found.mean_difference == pytest.approx(0.25)


def test_equal_methods() -> None:
    found = compare([0.5, 0.6, 0.7], [0.5, 0.6, 0.7])
    assert (found.wins, found.ties, found.losses) == (0, 3, 0)
    assert math.isnan(found.p_t)
    assert math.isnan(found.p_wilcoxon)
    assert found.smallest_p_wilcoxon == 1.0


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e-3, 1e6])
def test_differences_equal_but_for_rounding_are_ties(scale: float) -> None:
    """Eight differences of 0.1 in size, six up and two down: the exact p over 2^8 signs, whatever the values' last bits."""
    base = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    up = np.array([1, 1, 1, 1, 1, 1, -1, -1])
    assert compare(scale * (base + 0.1 * up), scale * base).p_wilcoxon == 0.2890625
    tie = compare([0.3 * scale, scale, scale], [(0.1 + 0.2) * scale, 0.5 * scale, 0.9 * scale])
    assert (tie.wins, tie.ties, tie.losses) == (2, 1, 0)


@pytest.mark.parametrize("values", [[0.9, 0.8, 0.7], [0.3, 0.7, 0.1, 0.2], [1500.1, 320.7, 8.3]])
def test_a_constant_difference_has_no_effect_size(values: list[float]) -> None:
    found = compare(np.array(values) + 0.1, values)
    assert math.isnan(found.effect_size)
    assert (found.sd_difference, found.p_t) == (0.0, 0.0)
    assert found.mean_difference == pytest.approx(0.1)


def test_small_true_differences_stay() -> None:
    """Rounding takes noise away and no measured difference."""
    rng = np.random.default_rng(3)
    values = rng.uniform(0.4, 0.9, 9)
    found = compare(values + np.arange(1, 10) * 1e-9, values)
    assert (found.wins, found.ties) == (9, 0)
    assert found.p_wilcoxon == pytest.approx(2 ** (1 - 9))


def test_ties_and_few_cases_do_not_warn() -> None:
    found = compare([0.5, 0.6, 0.7, 0.8], [0.5, 0.5, 0.6, 0.7])
    assert 0 < found.p_wilcoxon <= 1
    assert compare([0.5], [0.4]).n == 1
    assert compare([], []).n == 0
    assert compare([0.75, 1.0, 1.25], [0.5, 0.75, 1.0]).p_t == pytest.approx(0.0, abs=1e-12)


@given(st.integers(2, 20))
def test_smallest_wilcoxon_p_is_attained(n: int) -> None:
    ahead = np.arange(1, n + 1) / 100
    assert compare(ahead, np.zeros(n), resamples=10).p_wilcoxon == pytest.approx(smallest_wilcoxon_p(n))


def test_holm_by_hand() -> None:
    # The example everyone prints: 0.01, 0.04, 0.03, 0.005 of four tests.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    one, nan, other = holm([0.01, math.nan, 0.02])
    assert (one, other) == pytest.approx((0.02, 0.02))
    assert math.isnan(nan)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_properties(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(given_p <= p <= 1 for given_p, p in zip(values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1.0, min(values) * len(values)))
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(np.array(adjusted)[order]) >= 0)


def test_several_comparators() -> None:
    found = compare_all(ONE, {"near": OTHER, "far": OTHER - 0.2}, resamples=100)
    assert list(found) == ["near", "far"]
    ps = holm([found["near"].p_t, found["far"].p_t])
    assert [c.p_t_holm for c in found.values()] == ps
    assert found["near"].p_wilcoxon_holm >= found["near"].p_wilcoxon


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 values against 1"):
        compare([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="2 values against 1"):
        bland_altman([1.0, 2.0], [1.0])


# Jiang et al. 2023, Tables 7 to 10: mean and SD of the comparator and of RMAU-Net, cases, printed p.
LITS_LIVER, LITS_TUMOR = (0.9552, 0.012), (0.7616, 0.118)
IRCADB_LIVER, IRCADB_TUMOR = (0.9697, 0.008), (0.8307, 0.095)


@pytest.mark.parametrize(
    ("comparator", "ours", "n", "printed", "floor"),
    [
        ((0.9221, 0.027), LITS_LIVER, 27, 1.16e-20, 1e-11),  # U-Net
        ((0.9399, 0.026), LITS_LIVER, 27, 7.15e-12, 6e-6),  # U-Net++
        ((0.9647, 0.022), IRCADB_LIVER, 20, 5.07e-3, 0.13),  # U-Net++
        ((0.5063, 0.153), IRCADB_TUMOR, 20, 4.94e-26, 5e-16),  # U-Net
        ((0.6145, 0.140), IRCADB_TUMOR, 20, 1.56e-20, 9e-15),  # U-Net++
        ((0.6782, 0.149), IRCADB_TUMOR, 20, 3.03e-16, 1e-10),  # SAA-Net
        ((0.9535, 0.022), IRCADB_LIVER, 20, 2.13e-8, 5e-5),  # ASU-Net++
    ],
)
def test_printed_p_values_no_paired_test_on_cases_can_give(comparator, ours, n, printed, floor) -> None:
    smallest = smallest_paired_p(*comparator, *ours, n)
    assert smallest == pytest.approx(floor, rel=0.5)
    assert printed < smallest


def test_the_floor_is_attained_by_perfectly_correlated_cases_and_by_no_others() -> None:
    z = stats.zscore(GENERATOR.normal(size=27), ddof=1)
    noise = stats.zscore(GENERATOR.normal(size=27), ddof=1)
    first, second = 0.95 + 0.012 * z, 0.92 + 0.027 * z
    floor = smallest_paired_p(0.95, 0.012, 0.92, 0.027, 27)
    assert stats.ttest_rel(first, second).pvalue == pytest.approx(floor, rel=1e-6)
    assert stats.ttest_rel(first, 0.92 + 0.027 * noise).pvalue > floor
    assert smallest_paired_p(0.95, 0.012, 0.92, 0.027, 27, rounding=0.0005) < floor
    assert smallest_paired_p(0.95, 0.012, 0.92, 0.012, 27) == 0.0
    assert smallest_paired_p(0.95, 0.012, 0.95, 0.02, 27) == 1.0
    with pytest.raises(ValueError, match="n = 1"):
        smallest_paired_p(0.9, 0.1, 0.8, 0.2, 1)


def test_unpaired_tests_on_the_cases_would_find_nothing() -> None:
    assert unpaired_p(0.7494, 0.107, *LITS_TUMOR, 27) == pytest.approx(0.69, abs=0.01)  # HFRU-Net, printed 3.25e-6
    # SAA-Net's liver, printed 1.78e-3
    assert unpaired_p(0.9538, 0.014, *LITS_LIVER, 27) == pytest.approx(0.69, abs=0.01)


def test_voe_implied_by_dice() -> None:
    assert voe_from_dice(0.9221, 0.027) == pytest.approx(0.1434, abs=5e-5)  # printed 0.1270
    assert voe_from_dice(0.9458, 0.013) == pytest.approx(0.1025, abs=1e-4)  # printed 0.0743
    sample = np.clip(GENERATOR.normal(0.8, 0.05, 200_000), 0, 1)
    exact = np.mean(1 - sample / (2 - sample))
    assert voe_from_dice(sample.mean(), sample.std()) == pytest.approx(exact, abs=2e-4)


def test_folds_that_scatter_too_little() -> None:
    assert expected_fold_sd(0.118, 131) == pytest.approx(0.023, abs=5e-4)
    assert expected_fold_sd(0.095, 20) == pytest.approx(0.048, abs=1e-3)
    assert fold_sd_probability(0.00035, 0.118, 131) == pytest.approx(1e-7, rel=0.2)
    assert fold_sd_probability(0.00013, 0.095, 20) == pytest.approx(1e-10, rel=0.3)
    assert fold_sd_probability(0.023, 0.118, 131) > 0.4


def test_bland_altman_by_hand() -> None:
    reference, measured = [100.0, 110.0, 120.0, math.nan], [102.0, 109.0, 125.0, 7.0]
    found = bland_altman(reference, measured)
    differences = np.array([2.0, -1.0, 5.0])
    assert (found.n, found.bias) == (3, 2.0)
    assert found.sd == pytest.approx(3.0)
    assert (found.lower_limit, found.upper_limit) == pytest.approx((2 - 5.88, 2 + 5.88))
    interval = stats.t.interval(0.95, 2, loc=2.0, scale=stats.sem(differences))
    assert (found.bias_low, found.bias_high) == pytest.approx(interval)
    assert math.isnan(bland_altman([1.0], [2.0]).sd)
