"""Synthetic patients without a liver: added in memory, drawn as often as asked, and never a training case by name."""

import json

import numpy as np
import pytest

from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.networks.build import NetworkSettings
from rmaunet.preprocess import Preprocessing
from rmaunet.train import train
from rmaunet.train.augment.liver_free_cases import add_negatives
from rmaunet.train.experiment import Experiment, Training
from rmaunet.train.sampling import Sampler, Sampling


@pytest.fixture
def store(tmp_path):
    labels = np.zeros((6, 32, 32), np.uint8)
    labels[2:4, 8:20, 8:20] = 1
    with StoreWriter(tmp_path / "store", Preprocessing(grid="spacing", spacing_mm=6.0, size=32)) as writer:
        writer.add("real", np.full((6, 32, 32), 130, np.uint8), labels, spacing_mm=(5.0, 6.0, 6.0))
    return Store(tmp_path / "store")


def test_heads_pelves_and_chests_stand_beside_the_stored_cases(store):
    before = store.labels("real").copy()
    added = add_negatives(store)
    assert [case.name for case in store.cases] == ["real"]
    assert {case.name.split("-")[1] for case in added} == {"head", "pelvis", "chest"}
    for case in added:
        images, labels = store.stack(case.name, 20, (-1, 0, 1))
        assert images.shape == labels.shape == (*case.shape[1:], 3)
        assert np.ptp(images) > 100
        assert not labels.any()
        assert not any(case.liver)
    assert np.array_equal(store.labels("real"), before)
    assert len({store.images(case.name).tobytes() for case in added}) == len(added)


def test_they_are_drawn_as_often_as_asked(store):
    settings = Sampling(slices="all", balance="case", negative_share=0.25)
    sampler = Sampler(store.cases, settings, seed=0, negatives=add_negatives(store))
    drawn = [sampler.draw(position).case for position in range(2000)]
    assert 0.21 < sum(name.startswith("phantom-") for name in drawn) / 2000 < 0.29
    assert len(set(drawn)) == 13
    without = Sampler(store.cases, settings, seed=0)
    plain = Sampler(store.cases, Sampling(slices="all", balance="case"), seed=0)
    assert [without.draw(i) for i in range(50)] == [plain.draw(i) for i in range(50)]


def test_a_share_needs_cases_drawn_in_balance():
    with pytest.raises(ValueError, match="negative_share"):
        Sampling(negative_share=0.2)


def test_weights_name_the_patients_only(store, tmp_path):
    experiment = Experiment(
        name="negatives",
        network=NetworkSettings(base=2),
        preprocessing=store.preprocessing,
        sampling=Sampling(slices="all", balance="case", negative_share=1.0),
        training=Training(steps=2, batch=2),
    )
    weights = train(experiment, store, ["real"], tmp_path / "run")
    assert json.loads((weights / "card.json").read_text())["trained_on"] == ["real"]
    log = (tmp_path / "run" / "log.csv").read_text().splitlines()
    assert len(log) == 3
