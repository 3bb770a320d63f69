"""The reliability plot shows the bins that were counted."""

from pathlib import Path

import numpy as np
import pytest

from calibration.calibration import Reliability
from calibration.reliability import read_reliability, reliability_figure
from rmaunet.core.errors import InputError
from rmaunet.core.files import write_csv
from rmaunet.report import save_figure


@pytest.fixture
def counted() -> dict[tuple[str, str], Reliability]:
    rng = np.random.default_rng(0)
    made = {}
    for case in ("a", "b"):
        for target in ("liver", "tumor"):
            p = rng.random(20_000)
            made[case, target] = Reliability()
            made[case, target].add(p, rng.random(p.size) < (p if target == "liver" else p**2))
    return made


@pytest.fixture
def table(counted: dict[tuple[str, str], Reliability], tmp_path: Path) -> Path:
    rows = [
        {"case": case, "target": target, "population": "box", **row}
        for (case, target), one in counted.items()
        for row in one.rows()
    ]
    write_csv(tmp_path / "reliability.csv", rows)
    return tmp_path / "reliability.csv"


def test_errors_are_those_counted(table: Path, counted: dict[tuple[str, str], Reliability]) -> None:
    liver, tumor = read_reliability(table)
    assert (liver.target, tumor.target) == ("liver", "tumor")
    for curve in (liver, tumor):
        assert curve.case_errors == pytest.approx([counted[case, curve.target].ece for case in ("a", "b")])
    assert liver.pooled_error < 0.02
    assert tumor.pooled_error == pytest.approx(1 / 6, abs=0.01)  # the integral of p - p^2


def test_lines_are_the_bins(table: Path) -> None:
    figure = reliability_figure(read_reliability(table))
    tumor = figure.axes[1]
    diagonal, *cases, pooled = tumor.get_lines()
    assert len(cases) == 2
    assert list(diagonal.get_xdata()) == [0, 1]
    x, y = np.array(pooled.get_xdata()), np.array(pooled.get_ydata())
    assert x == pytest.approx((np.arange(20) + 0.5) / 20, abs=0.003)
    assert y == pytest.approx(x**2, abs=0.05)
    heights = [bar.get_height() for bar in figure.axes[3].patches]
    assert sum(heights) == 40_000


def test_bins_of_few_voxels_are_not_drawn(table: Path, tmp_path: Path) -> None:
    few = Reliability()
    few.add(np.r_[np.full(49, 0.22), np.full(50, 0.77)], np.zeros(99, bool))
    write_csv(tmp_path / "f.csv", [{"case": "a", "target": "tumor", "population": "liver", **r} for r in few.rows()])
    (curve,) = read_reliability(tmp_path / "f.csv")
    assert reliability_figure([curve]).axes[0].get_lines()[-1].get_xdata() == pytest.approx([0.77])
    save_figure(reliability_figure([curve]), tmp_path / "f.png", dpi=50)
    assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("case,target\na,liver\n")
    for path in (tmp_path / "x.csv", tmp_path / "none.csv"):
        with pytest.raises(InputError, match="give a reliability"):
            read_reliability(path)
