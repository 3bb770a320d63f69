"""Cohorts and tables: numbers worked out by hand, undefined values counted, intervals that behave."""

import math

import numpy as np
import pytest
from scipy import stats

from rmaunet.core.volume import make_volume
from rmaunet.metrics import (
    cohort_rows,
    evaluate_case,
    latex_table,
    markdown_table,
    summarize,
    summarize_cohort,
    write_results,
)
from rmaunet.metrics.case_metrics import CaseResult
from rmaunet.metrics.case_summary import bootstrap_mean
from rmaunet.metrics.result_tables import number, pooled_rows


def case(name: str, truth: list[int], guess: list[int], *, surface: bool = False) -> CaseResult:
    volumes = (make_volume(np.array(labels, np.uint8).reshape(1, 1, -1)) for labels in (truth, guess))
    return evaluate_case(*volumes, name=name, surface=surface)


CASES = [
    case("a", [1, 1, 1, 1, 2, 2, 0, 0], [1, 1, 1, 1, 2, 2, 0, 0]),
    case("b", [1, 1, 2, 2, 0, 2, 0, 0], [1, 1, 1, 1, 0, 2, 0, 2]),
    case("c", [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0]),
]


def test_summary_by_hand() -> None:
    s = summarize("x", [1.0, 2.0, 6.0, math.nan])
    assert (s.n, s.n_undefined, s.mean, s.median, s.minimum, s.maximum) == (3, 1, 3.0, 2.0, 1.0, 6.0)
    assert s.sd == pytest.approx(math.sqrt(7))  # n - 1
    assert s.minimum <= s.low < s.mean < s.high <= s.maximum


def test_few_values() -> None:
    none, one = summarize("x", [math.nan]), summarize("x", [0.5])
    assert (none.n, none.n_undefined) == (0, 1)
    assert math.isnan(none.mean)
    assert (one.n, one.mean) == (1, 0.5)
    assert math.isnan(one.sd)
    assert math.isnan(one.low)


def test_bootstrap_interval() -> None:
    values = np.random.default_rng(1).normal(10, 2, 40)
    low, high = bootstrap_mean(values)
    oracle = stats.bootstrap((values,), np.mean, method="percentile", rng=np.random.default_rng(5)).confidence_interval
    assert (low, high) == pytest.approx((oracle.low, oracle.high), abs=0.05)
    assert bootstrap_mean(values) == (low, high)
    assert bootstrap_mean(values, seed=1) != (low, high)
    assert bootstrap_mean(np.full(5, 0.7)) == pytest.approx((0.7, 0.7))


def test_cohort_by_hand() -> None:
    cohort = summarize_cohort(CASES)
    assert cohort["liver_dice"].mean == pytest.approx(np.mean([1, 2 * 5 / 11, 2 * 2 / 6]))
    assert cohort["tumor_dice"].mean == pytest.approx(np.mean([1, 2 * 1 / 5, 1]))
    assert cohort["tumor_rvd"].n == 2
    assert cohort["tumor_rvd"].n_undefined == 1
    pooled = cohort.pooled
    assert pooled["liver_dice_global"] == pytest.approx(2 * (6 + 5 + 2) / (12 + 11 + 6))
    assert pooled["tumor_dice_global"] == pytest.approx(2 * 3 / (5 + 4))
    assert pooled["lesion_precision"] == pytest.approx(2 / 3)
    assert pooled["lesion_recall"] == pytest.approx(2 / 3)
    differences = [0, 3 / 5 - 2 / 6, 0]
    assert pooled["tumor_burden_rmse"] == pytest.approx(math.sqrt(np.mean(np.square(differences))))
    assert pooled["tumor_burden_max"] == pytest.approx(max(differences))
    with pytest.raises(KeyError):
        cohort["liver_assd_mm"]


def test_distances_appear_when_measured() -> None:
    measured = [
        case("a", [1, 1, 0, 0], [1, 1, 0, 0], surface=True),
        case("b", [0, 0, 0, 0], [1, 1, 0, 0], surface=True),
    ]
    cohort = summarize_cohort(measured)
    assert (cohort["liver_assd_mm"].n, cohort["liver_assd_mm"].n_undefined) == (1, 1)


def test_no_case_at_all() -> None:
    cohort = summarize_cohort([])
    assert cohort.cases == 0
    assert cohort["liver_dice"].n == 0
    assert all(math.isnan(cohort.pooled[f"{organ}_dice_global"]) for organ in ("liver", "tumor"))
    assert markdown_table(cohort_rows(cohort)).count("–") > 10
    assert len(pooled_rows(cohort)) > 5


def test_numbers() -> None:
    assert number(0.95523) == "0.9552"
    assert number(12.3456, 2) == "12.35"
    assert number(math.nan) == "–"
    assert number(-1e-9) == "0.0000"


def test_markdown_is_aligned() -> None:
    lines = markdown_table([["case", "DSC"], ["a | b\nc", "0.9"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith("| a \\| b c |")


def test_latex_escapes() -> None:
    text = latex_table([["95 % CI", "a_b"], ["x & y", "–"]], caption="100 %")
    assert r"95 \% CI & a\_b \\" in text
    assert r"x \& y & -- \\" in text
    assert r"\caption{100 \%}" in text


def test_results_on_disk_are_the_results(tmp_path) -> None:
    import csv
    import json

    cohort = write_results(tmp_path, CASES)
    rows = list(csv.DictReader((tmp_path / "cases.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["a", "b", "c"]
    assert [float(row["liver_dice"]) for row in rows] == [c.liver_dice for c in CASES]
    assert rows[2]["tumor_rvd"] == ""  # undefined
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["per_case"]["liver_dice"]["mean"] == cohort["liver_dice"].mean
    lesions = list(csv.DictReader((tmp_path / "lesions.csv").read_text().splitlines()))
    assert [row["side"] for row in lesions] == [
        "reference",
        "prediction",
        "reference",
        "reference",
        "prediction",
        "prediction",
    ]
    assert number(cohort["liver_dice"].mean) in (tmp_path / "table.md").read_text()
    assert number(cohort["liver_dice"].mean) in (tmp_path / "table.tex").read_text()
    assert not (tmp_path / "slices.csv").exists()
