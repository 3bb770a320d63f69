"""What counts as agreement, and that a runtime which agrees is found to."""

import numpy as np
import pytest

from bench.agreement import Way, compare_ways, verdicts
from rmaunet.core.files import write_csv
from rmaunet.datasets.case import Case
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_mask, write_volume
from rmaunet.io.scan import GridSource, Scan
from rmaunet.predict import load_weights


def row(case="a", way="x", **values):
    counts = {}
    for organ in ("liver", "tumor"):
        torch, other, both = values.get(organ, (1000, 1000, 1000))
        before, after = values.get(f"{organ}_dice", (0.9, 0.9))
        counts |= {f"{organ}_torch": torch, f"{organ}_way": other, f"{organ}_both": both}
        counts |= {f"{organ}_dice_torch": before, f"{organ}_dice_way": after}
    return {
        "case": case,
        "way": way,
        "slices": 10,
        "computed": 5,
        "liver_slices_lost": 0,
        "voxels_different": 1,
        **counts,
    }


def test_cases_are_pooled_before_dice():
    found = verdicts([row(liver=(100, 0, 0)), row("b", liver=(9900, 10000, 9900))])
    assert found[0]["liver_dice"] == pytest.approx(2 * 9900 / (10000 + 10000))
    assert (found[0]["cases"], found[0]["slices_computed"], found[0]["voxels_different"]) == (2, 0.5, 2)


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        ({}, True),
        ({"liver": (1000, 1000, 999)}, True),
        ({"liver": (1000, 1000, 998)}, False),
        ({"tumor": (1000, 1000, 990)}, True),
        ({"tumor": (1000, 1000, 989)}, False),
        ({"liver": (1000, 1000, 999), "liver_dice": (0.9, 0.9021)}, False),
        ({"tumor": (1000, 1000, 999), "tumor_dice": (0.5, 0.4979)}, False),
        ({"tumor": (1000, 1000, 999), "tumor_dice": (0.5, 0.4981)}, True),
        ({"tumor_dice": ("", "")}, True),  # undefined for both
        ({"tumor": (1000, 1002, 1000), "tumor_dice": ("", 0.0)}, False),  # two voxels where nothing was
        ({"tumor": (123, 122, 122), "tumor_dice": (0.698, 0.694)}, True),  # one voxel, which is worth that much
        ({"tumor": (123, 121, 121), "tumor_dice": (0.698, 0.690)}, False),
    ],
)
def test_limits(values, accepted):
    assert verdicts([row(**values)])[0]["accepted"] is accepted


def test_ways_are_judged_apart_in_order():
    found = verdicts([row(way="b"), row(way="a", liver=(10, 10, 0)), row("2", way="b")])
    assert [(line["way"], line["cases"], line["accepted"]) for line in found] == [("b", 2, True), ("a", 1, False)]


def test_openvino_agrees_on_a_phantom_and_the_search_computes_less(tmp_path):
    scene = phantom("abdomen", seed=3, shape=(40, 48, 48))
    write_volume(scene.ct, tmp_path / "ct.nii.gz")
    write_mask(scene.mask, tmp_path / "mask.nii.gz", like=Scan(scene.ct, "ct", GridSource(tmp_path / "ct.nii.gz")))
    case = Case("phantom", tmp_path / "ct.nii.gz", tmp_path / "mask.nii.gz")
    ways = (Way("openvino", "float32"), Way("openvino", "float32", all_slices=False), Way("nothing", "float32"))
    said = []
    rows = list(compare_ways([case], load_weights("fast"), ways[:2], say=said.append))
    assert [line["way"] for line in rows] == ["openvino float32", "openvino float32, search"]
    assert rows[0]["computed"] == rows[0]["slices"] == 40
    assert rows[0]["liver_torch"] > 1000  # the network does see a liver in the phantom
    assert abs(rows[0]["liver_way"] - rows[0]["liver_both"]) <= 2
    assert rows[1]["computed"] <= 40
    assert rows[1]["liver_slices_lost"] < int(np.asarray(scene.mask.array).any(axis=(1, 2)).sum())
    assert len(said) == 2
    write_csv(tmp_path / "rows.csv", rows)
