"""How sure, from the scan to the manifest, the tables and the page."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.cohort.segment_request import Request
from rmaunet.cohort.segment_scan import Job, segment_scan
from rmaunet.core.volume import make_volume
from rmaunet.io import write_volume
from rmaunet.measurement.measure_tables import COHORT_COLUMNS, LESION_COLUMNS, LESION_CONFIDENCE_COLUMNS
from rmaunet.predict import Postprocessing, Predictor
from rmaunet.preprocess import Preprocessing

AFFINE = np.array([[0.0, 0, 1, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])
RANGES = (
    "liver_low_ml", "liver_high_ml", "tumor_low_ml", "tumor_high_ml", "burden_low_percent", "burden_high_percent",
    "lesions_low", "lesions_high",
)  # fmt: skip


class Linear(nn.Module):
    """Probability of liver (HU + 100) / 200 and of tumor HU / 200."""

    def forward(self, x):
        hu = x[:, :1] * 200
        return torch.logit(torch.cat([(hu + 100) / 200, hu / 200], dim=1).clamp(1e-4, 1 - 1e-4))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The same scan without and with confidence: a lesion of p 0.75, another of p 0.55."""
    folder = tmp_path_factory.mktemp("gauge")
    array = np.full((14, 64, 64), -1000, np.int16)
    array[3:12, 8:52, 8:52] = 60
    array[4:10, 14:28, 14:28] = 150
    array[5:8, 36:42, 36:42] = 110
    write_volume(make_volume(array, AFFINE), folder / "ct.nii.gz")
    used = Predictor.from_network(
        Linear(), Preprocessing(grid="spacing", spacing_mm=1.0, window_hu=(-200.0, 200.0)), Postprocessing()
    )
    made = {}
    for asked in (False, True):
        out = folder / str(asked)
        job = Job(folder / "ct.nii.gz", lambda name, suffix, out=out: out / f"{name}_seg{suffix}")
        made[asked] = segment_scan(job, used, Request(overlay=False, report=True, confidence=asked))
    return made


def manifest(outcome) -> dict:
    return json.loads(outcome.files[-1].read_text())


def file(outcome, ending: str) -> Path:
    return next(one for one in outcome.files if one.name.endswith(ending))


def test_the_mask_stays_and_nothing_is_said_unasked(outcomes):
    plain, sure = outcomes[False], outcomes[True]
    assert file(plain, "_seg.nii.gz").read_bytes() == file(sure, "_seg.nii.gz").read_bytes()
    assert set(manifest(plain)["cohort"]) == set(COHORT_COLUMNS)
    assert "confidence" not in manifest(plain)["measures"]
    assert "confidence" not in manifest(plain)["seconds"]
    assert not [one for one in plain.files if one.name.endswith("lesions.csv")]
    page = file(plain, "_report.html").read_text()
    assert 'id="confidence"' not in page
    assert '<dd class="note range">' not in page


def test_manifest_and_cohort(outcomes):
    content = manifest(outcomes[True])
    found = content["measures"]["confidence"]
    assert "not a confidence interval" in found["interval"]
    assert found["thresholds"] == ["0.3", "0.4", "0.6", "0.7"]
    assert len(found["passes"]) == 5
    assert set(content["cohort"]) == {*COHORT_COLUMNS, *RANGES}
    low, high = found["tumor_ml"]
    voxel_ml = 2e-3
    # At 0.7 the second lesion is gone and the first keeps its inside; at 0.3 the liver's 60 HU (p 0.3) are none yet.
    assert low <= 6 * 14 * 14 * voxel_ml + 1e-9
    assert high >= (6 * 14 * 14 + 3 * 6 * 6) * voxel_ml - 1e-9
    assert low <= content["measures"]["tumor_ml"] <= high
    assert content["seconds"]["confidence"] > 0
    assert content["outputs"]["ct_lesions.csv"]


def test_lesion_table(outcomes):
    rows = list(csv.DictReader(file(outcomes[True], "lesions.csv").read_text().splitlines()))
    assert tuple(rows[0]) == (*LESION_COLUMNS, *LESION_CONFIDENCE_COLUMNS)
    assert [float(row["mean_probability"]) for row in rows] == pytest.approx([0.75, 0.55], abs=0.003)
    assert [float(row["threshold_stability"]) for row in rows] == pytest.approx([1.0, 0.0], abs=0.01)
    assert [float(row["found_share"]) for row in rows] == [1.0, 1.0]
    assert float(rows[1]["volume_low_ml"]) == 0.0
    for row in rows:
        assert float(row["volume_low_ml"]) <= float(row["volume_ml"]) <= float(row["volume_high_ml"])


def test_page_and_lines(outcomes):
    page = file(outcomes[True], "_report.html").read_text()
    assert page.count('<dd class="note range">range ') == 4
    assert "no confidence intervals" in page
    assert "at tumor thresholds 0.3, 0.4, 0.6, 0.7" in page
    assert "<td>0.75 · 1.00 · 5 of 5</td>" in page
    assert "<td>0.55 · 0.00 · 5 of 5</td>" in page
    lines = "\n".join(outcomes[True].lines)
    assert "liver range" in lines
    assert "p 0.75" in lines
    assert "range" not in "\n".join(outcomes[False].lines)
