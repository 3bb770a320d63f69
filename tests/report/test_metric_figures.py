"""Figures show the numbers of the table they are given."""

from pathlib import Path

import numpy as np
import pytest

from rmaunet.core.errors import InputError, UsageError
from rmaunet.report import save_figure
from rmaunet.report.metric_figures import agreement_figure, box_figure, read_cases, size_figure

COLUMNS = (
    "name,convention,liver_dice,tumor_dice,liver_reference_ml,liver_prediction_ml,"
    "tumor_reference_ml,tumor_prediction_ml,empty"
)
ROWS = (
    "a,paper,0.95,0.5,1500,1510,0.5,0.7,False",
    "b,paper,0.96,0.7,1400,1390,3,2,False",
    "c,paper,0.90,0.8,1600,1640,30,33,False",
    "d,paper,0.97,,1700,1700,0,0,True",
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text("\n".join((COLUMNS, *ROWS)) + "\n")
    return path


def test_reading(table: Path) -> None:
    cases = read_cases(table)
    assert "convention" not in cases
    assert cases["liver_dice"].tolist() == [0.95, 0.96, 0.90, 0.97]
    assert np.isnan(cases["tumor_dice"]).tolist() == [False, False, False, True]


@pytest.mark.parametrize("text", ["", "name,x\na,1\n", "name,liver_dice\n"])
def test_other_tables_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=r"x\.csv: columns: hold no cases"):
        read_cases(tmp_path / "x.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path / "missing.csv")


def test_boxes_stand_at_the_quartiles(table: Path) -> None:
    cases = read_cases(table)
    figure = box_figure({"one $x$": cases, "two": cases})
    liver, tumor = figure.axes
    assert [label.get_text() for label in liver.get_xticklabels()] == ["one $x$\n(n = 4)", "two\n(n = 4)"]
    assert [label.get_text() for label in tumor.get_xticklabels()] == ["one $x$\n(n = 3)", "two\n(n = 3)"]
    medians = [line.get_ydata()[0] for line in liver.lines if line.get_linewidth() == 1.6]
    assert medians == pytest.approx([0.955, 0.955])
    dots = [sorted(line.get_ydata()) for line in liver.lines if line.get_marker() == "o"]
    assert dots == [sorted(cases["liver_dice"])] * 2


def test_agreement_by_hand(table: Path) -> None:
    cases = read_cases(table)
    difference = np.array([10, -10, 40, 0.0])
    reach = 1.96 * difference.std(ddof=1)
    figure = agreement_figure(cases)
    points = figure.axes[0].lines[0]
    assert points.get_xdata() == pytest.approx([1505, 1395, 1620, 1700])
    assert points.get_ydata() == pytest.approx(difference)
    heights = sorted(line.get_ydata()[0] for line in figure.axes[0].lines[1:])
    assert heights == pytest.approx(sorted([0, 10, 10 - reach, 10 + reach]))


def test_size_classes(table: Path) -> None:
    (ax,) = size_figure({"one": read_cases(table)}).axes
    words = [label.get_text() for label in ax.get_xticklabels()]
    assert words == ["0 to 1 ml\n(n = 1)", "1 to 5 ml\n(n = 1)", "5 to 20 ml\n(n = 0)", "over 20 ml\n(n = 1)"]
    dots = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert dots == [[0.5], [0.7], [], [0.8]]


def test_a_box_from_five_cases_on() -> None:
    volume = np.array([0.5] * 4 + [3.0] * 5)
    dice = np.array([0.1, 0.2, 0.4, 0.9, 0.5, 0.6, 0.7, 0.8, 0.9])
    (ax,) = size_figure({"one": {"tumor_dice": dice, "tumor_reference_ml": volume}}).axes
    boxes = [patch.get_path().vertices[:, 1] for patch in ax.patches if np.isfinite(patch.get_path().vertices).all()]
    assert len(boxes) == 1
    assert (boxes[0].min(), boxes[0].max()) == pytest.approx((0.6, 0.8))
    medians = [segment[0][1] for lines in ax.collections for segment in lines.get_segments()]
    assert medians == pytest.approx([0.3])


def test_lines_of_agreement_are_named_with_unit_and_sign(table: Path) -> None:
    liver, _ = agreement_figure(read_cases(table)).axes
    reach = 1.96 * np.array([10, -10, 40, 0.0]).std(ddof=1)
    assert [text.get_text() for text in liver.texts] == [
        "bias: +10.0 ml", f"−1.96 SD: −{reach - 10:.1f} ml", f"+1.96 SD: +{reach + 10:.1f} ml",
    ]  # fmt: skip


def test_a_missing_metric_is_named(table: Path) -> None:
    with pytest.raises(InputError, match="one: columns = liver_assd_mm: is missing"):
        box_figure({"one": read_cases(table)}, "assd_mm")
    with pytest.raises(UsageError, match="tables"):
        box_figure({})
    with pytest.raises(UsageError, match="tables"):
        size_figure({})


def test_the_same_bytes_each_time(table: Path, tmp_path: Path) -> None:
    for suffix in (".png", ".pdf"):
        for name in ("a", "b"):
            save_figure(box_figure({"x": read_cases(table)}), tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
