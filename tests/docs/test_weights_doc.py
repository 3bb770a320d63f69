"""lab/logs/weights.md shows what lab/results/weights holds."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker(load_file):
    return load_file(ROOT / "lab" / "scripts" / "make_weights_doc.py")


def test_the_tables_are_up_to_date(maker):
    page = maker.PAGE.read_text(encoding="utf-8")
    assert maker.generate(page) == page, "run lab/scripts/make_weights_doc.py"


def test_a_table_by_hand(maker, tmp_path):
    columns = ["liver_dice", "tumor_dice", "liver_dice_lowest_tenth", "liver_dice_highest_tenth"]
    sizes = ["under_10mm", "10_to_20mm", "over_20mm"]
    header = ["experiment", "fold", "patient", "name", *columns, "lesions_prediction"]
    header += [f"lesions_{size}{part}" for size in sizes for part in ("", "_detected")]
    rows = [
        ["a", 0, "p", "volume-0", 0.8, 0.2, 0.5, 0.5, 3, 2, 1, 0, 0, 0, 0],
        ["a", 0, "p", "volume-1", 0.6, 0.4, 0.5, 0.5, 1, 1, 1, 0, 0, 0, 0],
        ["a", 1, "q", "volume-2", 0.9, "", 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0],
        ["b", 0, "p", "volume-0", 0.9, 0.5, 0.5, 0.5, 3, 2, 2, 0, 0, 0, 0],
        ["b", 0, "p", "volume-1", 0.9, 0.5, 0.5, 0.5, 1, 1, 1, 0, 0, 0, 0],
    ]
    path = tmp_path / "study_cases.csv"
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    table = maker.load(path)
    means = [[cell.strip() for cell in line.split("|")[1:-1]] for line in maker.means_table(table).splitlines()]
    # One patient's two scans count once: liver (0.7 + 0.9) / 2, tumor 0.3 alone.
    assert means[2][:5] == ["a", "0, 1", "2", "0.800", "0.300"]
    assert means[2][7:] == ["2 of 3", "0 of 0", "0 of 0", "4"]
    against = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in maker.differences_table(table, "a").splitlines()
    ]
    assert against[2][:3] == ["b - a", "liver Dice", "+0.200"]
    assert against[2][-1] == "1"  # the shared patient


def test_a_table_of_choices_by_hand(maker, tmp_path):
    def write(stem, candidate, choices, rows, **further):
        chosen = {"tumor_threshold": 0.3, "tumor_peak": 0.9, "min_lesion_ml": 0.0}
        told = {"candidate": candidate, "locator": None, "chosen": chosen, "chosen_without_fold": choices, **further}
        (tmp_path / f"{stem}.json").write_text(json.dumps(told))
        header = "fold,name,patient,tumor_threshold,tumor_peak,min_lesion_ml,liver_dice,tumor_dice"
        (tmp_path / f"{stem}_cases.csv").write_text("\n".join([header, *rows]) + "\n")

    write(
        "one", "first", {"0": [0.3, 0.9, 0.0], "1": [0.5, 0.0, 0.0]},
        ["0,volume-0,p,0.3,0.9,0.0,0.9,0.4", "0,volume-0,p,0.5,0.0,0.0,0.1,0.1",
         "1,volume-1,q,0.3,0.9,0.0,0.1,0.1", "1,volume-1,q,0.5,0.0,0.0,0.8,0.2"],
    )  # fmt: skip
    write(
        "two",
        "second",
        {"0": [0.3, 0.9, 0.0]},
        ["0,volume-0,p,0.3,0.9,0.0,0.95,0.6"],
        brighter_by_hu=40.0,
        darker_by_hu=25.0,
        locator="third",
    )
    lines = maker.choices_table(("one", "two"), tmp_path).splitlines()
    first, second = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[-2:])
    assert first[:6] == ["first", "–", "0, 1", "2", "0.850", "–"]
    assert first[7] == "0.300"
    assert second[:6] == ["third, then second", "bright, dark", "0", "1", "0.950", "+0.050"]
    assert second[7:9] == ["0.600", "+0.200"]
