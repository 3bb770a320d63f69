"""Tables hold what was measured, under fixed columns."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.measurement import cohort_row, lesion_table, measure, quality_flags, summary_lines, write_tables
from rmaunet.measurement.measure_tables import COHORT_COLUMNS, LESION_COLUMNS


def test_written_tables_read_back(tmp_path: Path) -> None:
    made = phantom(seed=5)
    measures, lesions = measure(made.ct, made.mask), lesion_table(made.ct, made.mask)
    flags = quality_flags(made.ct, made.mask, measures, lesions)
    files = write_tables(tmp_path, "case 1", measures, lesions, flags)
    assert [file.name for file in files] == ["measures.json", "measures.csv", "lesions.csv"]
    content = json.loads(files[0].read_text())
    assert content["name"] == "case 1"
    assert content["use"] == "research use only; not a RECIST read"
    assert content["liver_ml"] == measures.liver_ml
    assert [one["centroid_mm"] for one in content["lesions"]] == [list(one.centroid_mm) for one in lesions]
    (row,) = csv.DictReader(files[1].read_text().splitlines())
    assert tuple(row) == ("name", *COHORT_COLUMNS)
    assert float(row["tumor_ml"]) == measures.tumor_ml
    assert int(row["lesions"]) == len(lesions) == 3
    rows = list(csv.DictReader(files[2].read_text().splitlines()))
    assert tuple(rows[0]) == ("name", *LESION_COLUMNS)
    for found, lesion in zip(rows, lesions, strict=True):
        assert float(found["longest_axial_mm"]) == lesion.longest_axial_mm
        assert [float(found[f"centroid_{a}_mm"]) for a in "xyz"] == list(lesion.centroid_mm)
        assert found["touches_scan_border"] == "False"
    # The phantom's lesions are spheres in known places.
    for known in made.lesions:
        nearest = min(lesions, key=lambda one: math.dist(one.centroid_mm, known.center_mm))
        assert nearest.centroid_mm == pytest.approx(known.center_mm, abs=2)
        assert nearest.longest_axial_mm == pytest.approx(2 * known.radius_mm, abs=4.5)
        assert nearest.mean_hu == pytest.approx(known.hu, abs=3)


def test_sum_of_targets_takes_two() -> None:
    made = phantom(seed=5)
    lesions = lesion_table(made.ct, made.mask)
    row = cohort_row(measure(made.ct, made.mask), lesions)
    longest = sorted((one.longest_axial_mm for one in lesions), reverse=True)
    assert row["targets"] == 2
    assert row["sum_of_targets_mm"] == pytest.approx(sum(longest[:2]))
    assert row["longest_axial_mm"] == longest[0]


def test_without_tumor_cells_are_empty(tmp_path: Path) -> None:
    mask = make_volume(np.ones((3, 3, 3), np.uint8))
    measures = measure(None, mask)
    files = write_tables(tmp_path, "x", measures, [], [])
    (row,) = csv.DictReader(files[1].read_text().splitlines())
    assert (row["lesions"], row["burden_percent"], row["longest_axial_mm"], row["tumor_mean_hu"]) == (
        "0",
        "0.0",
        "",
        "",
    )
    assert files[2].read_text().count("\n") == 1
    assert json.loads(files[0].read_text())["tumor_hu"]["mean"] is None


def test_summary() -> None:
    made = phantom(seed=5)
    measures, lesions = measure(made.ct, made.mask), lesion_table(made.ct, made.mask)
    lines = summary_lines(measures, lesions)
    assert lines[0] == f"liver with tumor  {measures.liver_ml:9.1f} ml"
    assert any("tumor / (liver with tumor)" in line for line in lines)
    assert sum(line.startswith("lesion") for line in lines) == 3
    empty = make_volume(np.zeros((3, 3, 3), np.uint8))
    assert "undefined" in summary_lines(measure(None, empty))[2]
