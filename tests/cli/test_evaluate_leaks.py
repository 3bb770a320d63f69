"""``rmaunet evaluate`` names cases that the weights were trained on, and marks the table."""

import csv
import json

import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import Scan, write_mask, write_volume
from rmaunet.io.scan import GridSource
from rmaunet.leaks.fingerprint import fingerprint, write_fingerprints
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, load_weights, save_weights
from rmaunet.predict.weights_record import manifest_record, recorded_weights
from rmaunet.preprocess import Preprocessing

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
    monkeypatch.setattr("rmaunet.leaks.match_scans.SAME_PATIENT", 0.97)
    monkeypatch.setattr("rmaunet.leaks.match_scans.SAME_SCAN", 0.97)


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


def segmented(study, out, weights):
    """Segment volumes 1 and 2 as a user does; the manifests are those of the real writer."""
    scans = out.parent / "scans"
    scans.mkdir(exist_ok=True)
    for n in (1, 2):
        (scans / f"volume-{n}.nii.gz").write_bytes((study / "lits" / f"volume-{n}.nii.gz").read_bytes())
    words = ["segment", "-i", str(scans), "-o", str(out), "-w", str(weights), "--no-overlay", "--runtime", "torch"]
    assert main(words) == 0


def evaluated(study, predictions, out, *more):
    words = ["evaluate", "-r", str(study / "lits"), "-p", str(predictions), "-o", str(out), "--no-surface", *more]
    assert main(words) == 0
    rows = list(csv.DictReader((out / "cases.csv").read_text().splitlines()))
    return {row["name"]: row.get("seen_in_training") for row in rows}, (out / "table.md").read_text()


@pytest.fixture
def cascade(study, tmp_path):
    """Weights of two networks in turn, as ``accurate`` is, that were trained on 1 under another name."""
    settings = NetworkSettings(base=2)
    around = ModelCard(
        name="two", network=settings, preprocessing=Preprocessing(grid="liver"), trained_on=("volume-77",)
    )
    save_weights(tmp_path / "two", build_network(settings), around, locator=load_weights(study / "w"))
    (tmp_path / "two" / "fingerprints.json").write_bytes((study / "w" / "fingerprints.json").read_bytes())
    return tmp_path / "two"


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("kind", ["own", "own cascade"])
def test_weights_of_ones_own_are_checked_through_the_real_manifest(study, cascade, tmp_path, kind):
    weights = study / "w" if kind == "own" else cascade
    segmented(study, tmp_path / "pred", weights)
    seen, table = evaluated(study, tmp_path / "pred", tmp_path / "out")
    assert seen == {"1": "same scan: volume-77", "2": "no"}
    assert "LEAK: 1 of 2 cases were among the training cases" in table
    record = json.loads((tmp_path / "pred" / "volume-1_run.json").read_text())["weights"]
    assert not record["folder"].startswith("/")


@pytest.mark.usefixtures("limits")
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_shipped_weights_of_two_networks_are_checked(study, cascade, tmp_path, monkeypatch, share):
    monkeypatch.setattr("rmaunet.predict.weights.SHIPPED", tmp_path)
    if share:
        edited = json.loads((cascade / "card.json").read_text()) | {"locator_share": share}
        (cascade / "card.json").write_text(json.dumps(edited))
    segmented(study, tmp_path / "pred", "two")
    assert "folder" not in json.loads((tmp_path / "pred" / "volume-1_run.json").read_text())["weights"]
    seen, table = evaluated(study, tmp_path / "pred", tmp_path / "out")
    assert seen == {"1": "same scan: volume-77", "2": "no"}
    assert "of weights two" in table


@pytest.mark.parametrize("name", ["fast", "accurate"])
def test_every_shipped_set_is_found_by_its_manifest(tmp_path, name):
    weights, manifest = load_weights(name, at_once=False), tmp_path / "a_run.json"
    record = manifest_record(weights.card, weights.folder, manifest=manifest)
    assert "folder" not in record
    assert recorded_weights({"weights": record}, manifest) == name


@pytest.mark.parametrize("change", ["gone", "other weights"])
def test_weights_that_are_not_to_be_found_are_said_to_be_unchecked(study, tmp_path, change):
    own = tmp_path / "own"
    own.mkdir()
    for path in (study / "w").iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    segmented(study, tmp_path / "pred", own)
    if change == "gone":
        (own / "card.json").unlink()
    else:
        save_weights(own, build_network(NetworkSettings(base=2)), ModelCard(name="w", network=NetworkSettings(base=2)))
    seen, table = evaluated(study, tmp_path / "pred", tmp_path / "out")
    assert set(seen.values()) == {None}
    assert "Leaks not checked: the weights that predicted 2 of 2 cases" in table
    assert "not checked" not in evaluated(study, tmp_path / "pred", tmp_path / "off", "--no-leaks")[1]


def test_without_weights_there_is_no_column(study, tmp_path):
    _, seen, table = evaluate(study, tmp_path)
    assert set(seen.values()) == {None}
    assert "Leaks not checked: the weights that predicted 3 of 3 cases are not known" in table


def test_unknown_weights_are_a_model_error(study, tmp_path, capsys):
    words = ["evaluate", "-r", str(study / "lits"), "-p", str(study / "pred"), "-o", str(tmp_path)]
    assert main([*words, "--no-surface", "--weights", "no-such"]) == 5
    assert "no-such" in capsys.readouterr().err
