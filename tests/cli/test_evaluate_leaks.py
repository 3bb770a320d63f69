"""``rmaunet evaluate`` names cases that the weights were trained on, and marks the table."""

import csv
import json

import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.data.fingerprint import fingerprint, write_fingerprints
from rmaunet.data.phantom import phantom
from rmaunet.io import Scan, write_mask, write_volume
from rmaunet.io.scan import GridSource
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights
from rmaunet.volume import make_volume

SHAPE = (40, 48, 48)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Volumes 1 to 3 in LiTS's layout, predictions of them, and weights trained on 1 (under another name)."""
    root = tmp_path_factory.mktemp("study")
    settings = NetworkSettings(base=2)
    card = ModelCard(name="w", network=settings, trained_on=("volume-77", "volume-3"))
    save_weights(root / "w", build_network(settings), card)
    made = {n: phantom(seed=n, shape=SHAPE) for n in (1, 2, 3)}
    mirrored = make_volume(np.ascontiguousarray(made[1].ct.array[:, :, ::-1]))
    write_fingerprints(root / "w" / "fingerprints.json", [fingerprint(mirrored, "volume-77")])
    for n, one in made.items():
        scan = Scan(one.ct, str(n), GridSource(root))
        if n != 3:
            write_volume(one.ct, root / "lits" / f"volume-{n}.nii.gz")
        write_mask(one.mask, root / "lits" / f"segmentation-{n}.nii.gz", like=scan)
        write_mask(one.mask, root / "pred" / f"volume-{n}_seg.nii.gz", like=scan)
    return root


def evaluate(study, out, *more):
    words = ["evaluate", "-r", str(study / "lits"), "-p", str(study / "pred"), "-o", str(out), "--no-surface", *more]
    code = main(words)
    rows = list(csv.DictReader((out / "cases.csv").read_text().splitlines()))
    return code, {row["name"]: row.get("seen_in_training") for row in rows}, (out / "table.md").read_text()


@pytest.fixture
def limits(monkeypatch):
    """Phantoms share one anatomy: only an equal scan is one here."""
    monkeypatch.setattr("rmaunet.data.overlap.SAME_PATIENT", 0.97)
    monkeypatch.setattr("rmaunet.data.overlap.SAME_SCAN", 0.97)


@pytest.mark.usefixtures("limits")
def test_leaked_cases_are_named_in_row_table_and_manifest(study, tmp_path):
    code, seen, table = evaluate(study, tmp_path, "--weights", str(study / "w"))
    assert code == 0
    assert seen == {"1": "same scan: volume-77", "2": "no", "3": "same name: volume-3"}
    assert "LEAK: 2 of 3 cases were among the training cases of weights w" in table
    assert "1 (same scan: volume-77)" in table
    assert "LEAK" in (tmp_path / "table.tex").read_text()
    assert json.loads((tmp_path / "summary.json").read_text())["seen_in_training"] == seen
    assert json.loads((tmp_path / "manifest.json").read_text())["trained_on"] == {"weights": ["w"], "seen": seen}


@pytest.mark.usefixtures("limits")
def test_cases_without_their_scans_are_said_to_be_unchecked(study, tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "volume-1.nii.gz").write_bytes((study / "lits" / "volume-1.nii.gz").read_bytes())
    _, seen, table = evaluate(
        study, tmp_path / "out", "--weights", str(study / "w"), "--scans", str(tmp_path / "scans")
    )
    assert seen == {"1": "same scan: volume-77", "2": "unknown", "3": "same name: volume-3"}
    assert "1 of 3 cases were not compared" in table


def test_the_predictions_manifest_names_shipped_weights(study, tmp_path, monkeypatch):
    monkeypatch.setattr("rmaunet.predict.weights.SHIPPED", study)
    card = json.loads((study / "w" / "card.json").read_text())
    manifest = study / "pred" / "volume-3_run.json"
    manifest.write_text(json.dumps({"weights": {"name": "w", "sha256": card["sha256"]}}))
    _, seen, _ = evaluate(study, tmp_path)
    manifest.unlink()
    assert seen == {"1": "unknown", "2": "unknown", "3": "same name: volume-3"}


def test_without_weights_there_is_no_column(study, tmp_path):
    _, seen, table = evaluate(study, tmp_path)
    assert set(seen.values()) == {None}
    assert "training cases" not in table


def test_unknown_weights_are_a_model_error(study, tmp_path, capsys):
    words = ["evaluate", "-r", str(study / "lits"), "-p", str(study / "pred"), "-o", str(tmp_path)]
    assert main([*words, "--no-surface", "--weights", "no-such"]) == 5
    assert "no-such" in capsys.readouterr().err
