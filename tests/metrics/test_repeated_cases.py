"""Repeated measures, folds, patients and size classes on numbers worked out by hand."""

import math

import pytest

from rmaunet.metrics import average_patients, average_repeats, between_repeats, stratify, summarize_folds

NAN = math.nan


def test_a_case_undefined_in_one_seed_is_undefined_and_leaves_every_seeds_mean():
    repeats = [{"a": 0.5, "b": 0.7, "c": 0.9}, {"a": 0.7, "b": NAN, "c": 0.9}]
    averaged = average_repeats(repeats)
    assert averaged["a"] == pytest.approx(0.6)
    assert math.isnan(averaged["b"])
    assert between_repeats(repeats) == pytest.approx(0.1 / math.sqrt(2))  # means over a and c: 0.7 and 0.8


def test_seeds_on_other_cases_are_refused():
    with pytest.raises(ValueError, match="cases b, c"):
        average_repeats([{"a": 1.0, "b": 1.0}, {"a": 1.0, "c": 1.0}])


def test_one_seed_has_no_scatter():
    assert math.isnan(between_repeats([{"a": 0.5}]))
    assert average_repeats([]) == {}


def test_patients_are_averaged_over_what_is_defined():
    found = average_patients({"a": 0.2, "b": NAN, "c": 0.6, "d": NAN}, {"a": "P", "b": "P", "c": "P"})
    assert found["P"] == pytest.approx(0.4)
    assert math.isnan(found["d"])


def test_folds_have_a_mean_of_means_and_a_pooled_mean_and_they_differ():
    s = summarize_folds("dice", [{"a": 0.2}, {"b": 0.6, "c": 0.8, "d": 1.0}])
    assert s.means == pytest.approx((0.2, 0.8))
    assert (s.mean, s.pooled.mean) == (pytest.approx(0.5), pytest.approx(0.65))
    assert s.sd == pytest.approx(0.6 / math.sqrt(2))
    assert s.pooled.sd == pytest.approx(0.3416, abs=1e-4)
    with pytest.raises(ValueError, match="a are tested in two folds"):
        summarize_folds("dice", [{"a": 0.2}, {"a": 0.3}])


def test_a_class_holds_its_upper_bound_and_tumor_free_cases_have_none():
    found = stratify({"a": 1.0, "b": 0.5, "c": 0.1, "d": 0.9}, {"a": 0.0, "b": 1.0, "c": 1.01, "d": 500.0})
    assert [stratum.cases for stratum in found] == [("b",), ("c",), (), ("d",)]
    assert found[2].summary.n == 0
    assert math.isnan(found[2].summary.mean)
