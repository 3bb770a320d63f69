"""``rmaunet data overlap`` between sets, within one, and against weights."""

import csv
import json

import numpy as np
import pytest

from rmaunet.cli.main import main
from rmaunet.core.volume import make_volume
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_volume
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, save_weights


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    scans = {n: phantom(seed=n, shape=(40, 48, 48)).ct for n in (1, 2)}
    for n, ct in scans.items():
        write_volume(ct, root / "a" / f"patient{n}.nii.gz")
    changed = np.ascontiguousarray(np.clip(scans[2].array, -40, 160)[8:34, :, ::-1])
    write_volume(make_volume(changed), root / "b" / "scan.nii.gz")
    return root


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    """Phantoms share one anatomy: only an equal scan is one here."""
    monkeypatch.setattr("rmaunet.leaks.match_scans.SAME_PATIENT", 0.96)
    monkeypatch.setattr("rmaunet.leaks.match_scans.SAME_SCAN", 0.96)


def test_a_cut_windowed_mirrored_copy_is_named(sets, tmp_path, capsys):
    words = ["data", "overlap", str(sets / "a"), str(sets / "b"), "--json", "-o", str(tmp_path / "pairs.csv")]
    assert main(words) == 0
    content = json.loads(capsys.readouterr().out)
    (pair,) = content["pairs"]
    assert (pair["verdict"], pair["one"], pair["other"], pair["mirrored"]) == (
        "same scan",
        "patient2",
        "scan",
        "left-right",
    )
    (row,) = csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines())
    assert row["one"] == "patient2"


def test_within_one_set_and_a_bad_scan(sets, tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("x", "y"):
        (folder / f"{name}.nii.gz").write_bytes((sets / "a" / "patient1.nii.gz").read_bytes())
    (folder / "z.nii.gz").write_bytes(b"no image")
    assert main(["data", "overlap", str(folder)]) == 3
    printed = capsys.readouterr()
    assert "2 scans against each other: 1 pairs of the same scan" in printed.out
    assert "z.nii.gz" in printed.err


def test_against_weights_and_saved_fingerprints(sets, tmp_path, capsys):
    settings = NetworkSettings(base=2)
    save_weights(tmp_path / "w", build_network(settings), ModelCard(name="w", network=settings))
    assert main(["data", "overlap", str(sets / "b"), "--weights", str(tmp_path / "w")]) == 5
    assert "these weights have none" in capsys.readouterr().err
    saved = tmp_path / "w" / "fingerprints.json"
    assert main(["data", "overlap", str(sets / "a"), "--save", str(saved)]) == 0
    for words in (["--weights", str(tmp_path / "w")], [str(saved)]):
        capsys.readouterr()
        assert main(["data", "overlap", str(sets / "b"), *words, "--json"]) == 0
        assert [p["other"] for p in json.loads(capsys.readouterr().out)["pairs"]] == ["patient2"]


def test_both_b_and_weights_is_a_usage_error(sets):
    assert main(["data", "overlap", str(sets / "a"), str(sets / "b"), "--weights", "fast"]) == 2


def test_the_shipped_weights_know_their_training_cases():
    from rmaunet.leaks.fingerprint import read_fingerprints
    from rmaunet.predict import fingerprint_file, load_card, shipped_weights

    for name in shipped_weights():
        path = fingerprint_file(name)
        assert path is not None
        assert tuple(one.name for one in read_fingerprints(path)) == load_card(name).trained_on
