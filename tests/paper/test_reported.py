"""The paper's reported numbers: against its text where that is at hand, and against each other always.

Set RMAUNET_PAPER_TEXT to a plain-text extraction of the paper (not part of this repository) to run the former. Most of what
follows pins contradictions in the paper: they are facts about it that our documentation and statistics lean on.
"""

import math
import os
import re
import statistics
from pathlib import Path

import pytest
from scipy import stats

from rmaunet.paper.reported import IRCADB_CASES, LITS_TEST_CASES, TABLES, ReportedRow, ReportedValue

MEASURES = ("liver_dice", "liver_voe", "liver_rvd", "tumor_dice", "tumor_voe", "tumor_rvd")


def row(table: str, label: str) -> ReportedRow:
    return next(r for r in TABLES[table].rows if r.label == label)


def measures(r: ReportedRow) -> tuple[ReportedValue | None, ...]:
    return tuple(getattr(r, name) for name in MEASURES)


# --- against the text -----------------------------------------------------------------------------------------------

NUMBER = re.compile(r"-?\d\.\d{2,4}(?:e-?\d+)?")


def printed(r: ReportedRow) -> list[str]:
    """The row's numbers in the order and with the digits of the paper."""
    tested = (r.liver_dice, r.liver_p, r.tumor_dice, r.tumor_p)
    cells = tested if r.liver_voe is None else measures(r)
    texts = [f"{cell:.2e}".replace("e-0", "e-") if isinstance(cell, float) else str(cell) for cell in cells if cell]
    return [number for text in texts for number in NUMBER.findall(text)]


def rows_of_the_text(text: str) -> list[tuple[str, list[str]]]:
    """Tab-separated lines with four numbers or more: first cell without its citation, numbers."""
    found = []
    for line in text.splitlines():
        plain = re.sub(r"\s*\\times\s*10\^\{(-?\d+)\}", r"e\1", line)
        first, *cells = plain.split("\t")
        numbers = [number for cell in cells for number in NUMBER.findall(cell)]
        if len(numbers) >= 4:
            found.append((re.sub(r"\s*\[\d+\]", "", first).strip(), numbers))
    return found


@pytest.fixture(scope="module")
def text() -> str:
    name = os.environ.get("RMAUNET_PAPER_TEXT")
    if not name:
        pytest.skip("RMAUNET_PAPER_TEXT does not name the text of the paper")
    return Path(name).read_text(encoding="utf-8")


def test_every_row_is_in_the_text_and_no_other(text: str) -> None:
    """In the paper's order, digit for digit."""
    ours = [(r.label, printed(r)) for table in TABLES.values() for r in table.rows]
    theirs = rows_of_the_text(text)
    assert [numbers for _, numbers in ours] == [numbers for _, numbers in theirs]
    folds = {"LiTS", "3D-IRCADb", ""}  # the fold rows of Table 11 have the data set's name, or none
    assert [(a, b) for (a, _), (b, _) in zip(ours, theirs, strict=True) if a != b and b not in folds] == []


def test_protocol_is_in_the_text(text: str) -> None:
    assert re.search(rf"\({LITS_TEST_CASES}\s+test volumes\)", text)
    assert IRCADB_CASES == 10 + 10
    assert "10 women and 10 men" in text
    assert "volumes 0-26" in text


def test_prose_contradicts_the_tables(text: str) -> None:
    """Twice 0.9522 where every table has 0.9552; the abstract has the table's."""
    assert len(re.findall(r"0\.9522 \(DSC\)", text)) == 2
    assert "dice scores of 0.9552 and 0.9697" in text
    assert row("table7", "RMAU-Net").liver_dice.mean == 0.9552


# --- shape ----------------------------------------------------------------------------------------------------------


def test_rows_and_columns() -> None:
    counts = {name: len(table.rows) for name, table in TABLES.items()}
    assert counts == {
        "table1": 4, "table2": 4, "table5": 4, "table6": 3, "table7": 7, "table8": 7, "table9": 7, "table10": 7,
        "table11-lits": 6, "table11-ircadb": 6, "table12": 7, "table13": 7,
    }  # fmt: skip
    for name, table in TABLES.items():
        assert name.startswith(f"table{table.number}")
        for r in table.rows:
            assert (None in measures(r)) == (table.number in (9, 10))
            assert (r.liver_p is None) == (r.tumor_p is None) == (table.number not in (9, 10) or r.network == "rmaunet")


def test_values_are_possible() -> None:
    for table in TABLES.values():
        for r in table.rows:
            for name, value in zip(MEASURES, measures(r), strict=True):
                if value is not None:
                    assert (-1 if name.endswith("rvd") else 0) <= value.mean <= (2 if name.endswith("rvd") else 1)
                    assert value.sd is None or 0 < value.sd < 2


def test_printed_as_in_the_paper() -> None:
    assert str(row("table7", "RMAU-Net").liver_dice) == "0.9552 ± 0.012"
    assert str(row("table11-lits", "fold 1").tumor_voe) == "0.3700"


# --- identities between tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("table1", "U-Net (With Pre)"), ("table2", "U-Net (Without Aug)")),
        (("table1", "Ours (With Pre)"), ("table2", "Ours (Without Aug)")),
        (("table2", "U-Net (With Aug)"), ("table5", "U-Net(backbone)")),
        (("table5", "U-Net(backbone)"), ("table7", "U-Net")),
        (("table2", "Ours (With Aug)"), ("table5", "RMAU-Net")),
        (("table5", "RMAU-Net"), ("table6", "Proposed loss")),
        (("table6", "Proposed loss"), ("table7", "RMAU-Net")),
        (("table11-lits", "mean"), ("table12", "RMAU-Net")),
        (("table11-ircadb", "mean"), ("table13", "RMAU-Net")),
    ],
    ids=lambda pair: " ".join(pair),
)
def test_same_run_in_two_tables(one: tuple[str, str], other: tuple[str, str]) -> None:
    """The comparison's U-Net is the ablation's backbone, so it had RMAU-Net's loss, preprocessing and augmentation."""
    assert measures(row(*one)) == measures(row(*other))


@pytest.mark.parametrize(("tests", "results"), [("table9", "table7"), ("table10", "table8")])
def test_tested_dice_is_the_reported_dice(tests: str, results: str) -> None:
    for tested, reported in zip(TABLES[tests].rows, TABLES[results].rows, strict=True):
        assert (tested.label, tested.network) == (reported.label, reported.network)
        assert (tested.liver_dice, tested.tumor_dice) == (reported.liver_dice, reported.tumor_dice)


@pytest.mark.parametrize("table", ["table11-lits", "table11-ircadb"])
def test_mean_of_the_folds(table: str) -> None:
    *folds, mean = TABLES[table].rows
    for name in MEASURES:
        values = [getattr(fold, name).mean for fold in folds]
        assert getattr(mean, name).mean == pytest.approx(statistics.fmean(values), abs=0.5001e-4)


def test_preprocessing_and_augmentation_help_the_backbone_ten_times_more() -> None:
    """Tumor DSC: +0.070 for U-Net, +0.007 for RMAU-Net, whose SD doubles meanwhile."""
    unet = row("table2", "U-Net (With Aug)").tumor_dice.mean - row("table1", "U-Net (Without Pre)").tumor_dice.mean
    ours = row("table2", "Ours (With Aug)").tumor_dice.mean - row("table1", "Ours (Without Pre)").tumor_dice.mean
    assert (unet, ours) == (pytest.approx(0.0699), pytest.approx(0.0069))
    labels = (("table1", "Ours (Without Pre)"), ("table1", "Ours (With Pre)"), ("table2", "Ours (With Aug)"))
    assert [row(*label).tumor_dice.sd for label in labels] == [0.053, 0.075, 0.118]


def test_transfer_and_cross_validation_agree_too_well() -> None:
    """Trained on LiTS (section 5) or on four fifths of 20 patients (Table 13): 3D-IRCADb agrees to 0.0006."""
    transferred, folded = row("table8", "RMAU-Net"), row("table13", "RMAU-Net")
    assert abs(transferred.liver_dice.mean - folded.liver_dice.mean) == pytest.approx(0.0006)
    assert abs(transferred.tumor_dice.mean - folded.tumor_dice.mean) == pytest.approx(0.0002)
    # The comparators move by up to 0.056 between the same two tables.
    moves = [
        abs(a.tumor_dice.mean - b.tumor_dice.mean)
        for a, b in zip(TABLES["table8"].rows, TABLES["table13"].rows, strict=True)
    ]
    assert max(moves) > 0.05


# --- what the numbers cannot be -------------------------------------------------------------------------------------


def implied_voe(dice: ReportedValue) -> float:
    """Mean of 1 - D/(2 - D) over cases of this mean and SD, to second order."""
    d, sd = dice.mean, dice.sd or 0.0
    return 1 - d / (2 - d) - 2 * sd**2 / (2 - d) ** 3


@pytest.mark.parametrize(
    ("table", "disagree"),
    [
        ("table7", {("U-Net", "liver")}),
        ("table8", {("U-Net", "liver"), ("U-Net", "tumor"), ("U-Net++", "tumor"), ("RA-UNet", "tumor")}),
    ],
)
def test_voe_that_disagrees_with_dice(table: str, disagree: set[tuple[str, str]]) -> None:
    """Per case VOE is a function of DSC; where their means differ by more than 0.016, they were aggregated differently."""
    found = set()
    for r in TABLES[table].rows:
        for organ in ("liver", "tumor"):
            gap = getattr(r, f"{organ}_voe").mean - implied_voe(getattr(r, f"{organ}_dice"))
            if abs(gap) > 0.016:
                found.add((r.label, organ))
    assert found == disagree


def smallest_paired_p(one: ReportedValue, other: ReportedValue, cases: int) -> float:
    """Smallest two-sided p that a paired t-test on ``cases`` cases can give for these printed means and SDs.

    The SD of a difference is at least the difference of the SDs. Means are taken at their most favourable within
    rounding (0.00005 each), SDs likewise (0.0005 each); equal SDs allow any p.
    """
    assert one.sd is not None
    assert other.sd is not None
    spread = max(0.0, abs(one.sd - other.sd) - 0.001)
    if spread == 0:
        return 0.0
    t = (abs(one.mean - other.mean) + 0.0001) * math.sqrt(cases) / spread
    return float(2 * stats.t.sf(t, cases - 1))


@pytest.mark.parametrize(
    ("table", "cases", "impossible"),
    [
        ("table9", LITS_TEST_CASES, {("U-Net", "liver"), ("U-Net++", "liver")}),
        ("table10", IRCADB_CASES, {("U-Net++", "liver"), ("ASU-Net", "liver"), ("U-Net", "tumor"), ("U-Net++", "tumor"),
                                   ("SAA-Net", "tumor")}),
    ],
)  # fmt: skip
def test_p_values_below_what_a_paired_test_can_give(table: str, cases: int, impossible: set[tuple[str, str]]) -> None:
    *rows, ours = TABLES[table].rows
    found = set()
    for r in rows:
        for organ in ("liver", "tumor"):
            floor = smallest_paired_p(getattr(r, f"{organ}_dice"), getattr(ours, f"{organ}_dice"), cases)
            if getattr(r, f"{organ}_p") < floor:
                found.add((r.label, organ))
    assert found == impossible


def test_unpaired_tests_would_find_nothing_where_the_paper_finds_much() -> None:
    """An unpaired t-test on 27 cases: p = 0.69 both for HFRU-Net's tumors and for SAA-Net's livers."""
    ours = row("table9", "RMAU-Net")
    for label, organ, reported in (("HFRU-Net", "tumor", 3.25e-6), ("SAA-Net", "liver", 1.78e-3)):
        r = row("table9", label)
        a, b = getattr(r, f"{organ}_dice"), getattr(ours, f"{organ}_dice")
        p = stats.ttest_ind_from_stats(a.mean, a.sd, LITS_TEST_CASES, b.mean, b.sd, LITS_TEST_CASES).pvalue
        assert p == pytest.approx(0.69, abs=0.01)
        assert getattr(r, f"{organ}_p") == reported


@pytest.mark.parametrize(
    ("table", "cases", "results", "odds"),
    [("table11-lits", 131, "table7", 1e-6), ("table11-ircadb", 20, "table8", 1e-9)],
)
def test_folds_that_scatter_too_little(table: str, cases: int, results: str, odds: float) -> None:
    """Means of five disjoint folds scatter by SD / sqrt(cases a fold); the reported ones by some hundred times less."""
    folds = [fold.tumor_dice.mean for fold in TABLES[table].rows[:-1]]
    per_case = row(results, "RMAU-Net").tumor_dice.sd
    assert per_case is not None
    expected = per_case / math.sqrt(cases / 5)
    shown = statistics.stdev(folds)
    assert expected / shown > 50
    # Chance of so little scatter among five independent means of that SD (four degrees of freedom).
    assert stats.chi2.cdf(4 * (shown / expected) ** 2, 4) < odds


def test_printed_fold_sd_is_not_the_folds_sd() -> None:
    """Table 11 prints 0.001 for every SD; the folds' SD of tumor DSC is 0.0004 on LiTS and 0.0001 on 3D-IRCADb."""
    for table, expected in (("table11-lits", 0.00035), ("table11-ircadb", 0.00013)):
        *folds, mean = TABLES[table].rows
        assert statistics.stdev(fold.tumor_dice.mean for fold in folds) == pytest.approx(expected, abs=0.00001)
        assert mean.tumor_dice.sd == 0.001
