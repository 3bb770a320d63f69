"""Rows become cells: seeds averaged first, folds joined, patients clustered, p-values of the paper beside what they can be."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rmaunet.core.volume import make_volume
from rmaunet.datasets.case import Case
from rmaunet.metrics import evaluate_case
from rmaunet.metrics.result_tables import latex_table
from rmaunet.paper.challenge import challenge_csv, challenge_text, size_csv
from rmaunet.paper.reported import TABLES
from rmaunet.paper.reproduce.main_table import main_csv, main_text, plus_minus
from rmaunet.paper.reproduce.network_differences import difference_text, differences
from rmaunet.paper.reproduce.plan import Plan, make_plan
from rmaunet.paper.reproduce.request import Request, table_names
from rmaunet.paper.reproduce.scoring import Scored
from rmaunet.paper.reproduce.table_rows import row_results

CASES = tuple(Case(f"volume-{n}", Path(f"volume-{n}.nii"), Path(f"segmentation-{n}.nii")) for n in (0, 1, 2, 3, 27))


def base():
    labels = np.zeros((4, 8, 8), np.uint8)
    labels[1:3, 1:7, 1:7] = 1
    labels[1:3, 3:5, 3:5] = 2
    return evaluate_case(make_volume(labels), make_volume(labels), name="x")


BASE = base()


def plan_of(name: str = "table7", seeds: int = 1) -> Plan:
    return make_plan(name, Request((), Path("out"), seeds=seeds), {"lits": CASES})


def scored(plan: Plan, dice) -> list[Scored]:
    """Tests whose tumor dice is ``dice(experiment, seed, case number)``."""
    found = []
    for run in plan.runs:
        results = [
            replace(
                BASE,
                name=case.name,
                tumor_dice=dice(run.experiment.name, run.experiment.seed, int(case.name.split("-")[1])),
                tumor_reference_ml=0.5 + 10 * i,
            )
            for i, case in enumerate(run.test)
        ]
        found.append(Scored(run, "w", tuple(results), {}))
    return found


def test_seeds_are_averaged_case_by_case_and_their_scatter_is_told_apart():
    plan = plan_of(seeds=2)
    results = row_results(plan, scored(plan, lambda name, seed, n: 0.5 + 0.1 * n + (0.04 if seed else 0.0)))
    line = next(x for x in main_csv(plan, results) if (x["organ"], x["measure"]) == ("tumor", "dice"))
    assert line["mean"] == pytest.approx(0.5 + 0.15 + 0.02)
    assert line["sd"] == pytest.approx(0.1 * np.std([0, 1, 2, 3], ddof=1))  # of cases, seeds do not add to it
    assert line["sd_between_seeds"] == pytest.approx(0.04 / math.sqrt(2))
    assert (line["n"], line["seeds"]) == (4, 2)


def test_pairs_are_cases_whatever_the_seeds():
    plan = plan_of(seeds=2)
    results = row_results(plan, scored(plan, lambda name, seed, n: 0.6 + 0.1 * (name == "rmaunet") + 0.01 * n * seed))
    found = [d for d in differences(plan, results) if d.organ == "tumor"]
    assert [d.second.row.experiment.network.name for d in found] == [
        "unet", "unetpp", "raunet", "asunetpp", "saanet", "hfrunet",
    ]  # fmt: skip
    for d in found:
        assert d.comparison.n == 4
        assert d.comparison.mean_difference == pytest.approx(0.1)
        assert (d.comparison.wins, d.comparison.losses) == (4, 0)
        assert d.comparison.smallest_p_wilcoxon == 0.125
        assert d.comparison.p_wilcoxon_holm == pytest.approx(min(1.0, 6 * 0.125))


def test_cases_of_a_patient_count_once():
    plan = plan_of()
    results = row_results(plan, scored(plan, lambda name, seed, n: 0.5 + (0.1 * n if name == "rmaunet" else 0.0)))
    found = differences(plan, results, {"volume-0": "A", "volume-1": "A"})
    tumor = next(d.comparison for d in found if d.organ == "tumor")
    assert tumor.n == 3
    assert tumor.mean_difference == pytest.approx((0.05 + 0.2 + 0.3) / 3)


def test_the_papers_p_values_stand_beside_what_its_numbers_allow():
    plan = plan_of()
    results = row_results(plan, scored(plan, lambda name, seed, n: 0.5 + 0.01 * n))
    unet = next(d for d in differences(plan, results) if d.organ == "liver" and d.second.row.reported.label == "U-Net")
    reported = TABLES["table9"].rows[0].liver_p
    assert unet.reported_p == reported == 1.16e-20
    assert unet.reported_p < 1e-8 * unet.smallest_reported_p  # which is about 1e-11 on 27 cases
    text = difference_text(differences(plan, results), "liver")
    assert text[0][-2:] == ["p as reported", "smallest p its numbers allow"]
    assert text[1][-2] == "1.2e-20"


def test_tables_1_and_2_compare_the_backbone_with_itself_as_well():
    plan = plan_of("table2")
    found = differences(plan, row_results(plan, scored(plan, lambda name, seed, n: 0.5)))
    pairs = [(d.first.row.experiment.name, d.second.row.experiment.name) for d in found if d.organ == "tumor"]
    assert pairs[-1] == ("unet", "unet_no-augmentation")
    assert pairs[0] == ("rmaunet", "unet_no-augmentation")


def test_rows_without_training_are_called_that():
    plan = plan_of()
    tests = [one for one in scored(plan, lambda name, seed, n: 0.5) if one.run.experiment.name != "unet"]
    results = row_results(plan, tests)
    table = main_text(plan, results, "tumor")
    assert table[0][:3] == ["Tumor", "DSC", "DSC as reported"]
    assert table[1][:3] == ["U-Net", "not trained", "0.6252 ± 0.148"]
    assert table[7][1] == "0.5000 ± 0.000"
    assert not any(d.second.row.experiment.name == "unet" for d in differences(plan, results))


def test_challenge_and_sizes():
    plan = plan_of()
    results = row_results(plan, scored(plan, lambda name, seed, n: 0.5 + 0.1 * n))
    lines = challenge_csv(plan, results)
    mine = {line["figure"]: line["value"] for line in lines if line["row"] == "U-Net"}
    assert mine["tumor_dice_global"] == 1  # the voxel counts are of a perfect mask
    assert (mine["lesion_precision"], mine["lesion_recall"]) == (1, 1)
    assert mine["tumor_burden_rmse"] == 0
    assert mine["liver_assd_mm"] == 0
    table = challenge_text(results, lines)
    assert [len(row) for row in table] == [8] * len(table)
    sizes = [line for line in size_csv(plan, results) if line["row"] == "U-Net"]
    assert [(line["words"], line["n"]) for line in sizes] == [
        ("0 to 1 ml", 1), ("1 to 5 ml", 0), ("5 to 20 ml", 1), ("> 20 ml", 2),
    ]  # fmt: skip
    assert sizes[3]["mean"] == pytest.approx(0.75)


def test_text_of_numbers():
    assert plus_minus(0.95521, 0.0123) == "0.9552 ± 0.012"
    assert "as reported" in latex_table(main_text(plan_of(), row_results(plan_of(), []), "liver"))


def test_names_of_tables():
    assert table_names("table4") == table_names("ablation") == ("table5",)
    assert {name for table in (*TABLES, "table11") for name in table_names(table)} == set(TABLES)
