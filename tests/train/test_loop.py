"""Training survives being stopped, refuses what does not fit, and says what went wrong."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from rmaunet.core.errors import InputError, ModelError, OutputError, UsageError
from rmaunet.core.runs import locked
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.leaks.fingerprint import fingerprint, read_fingerprints
from rmaunet.leaks.match_scans import leaked_cases
from rmaunet.networks.build import NetworkSettings
from rmaunet.predict import fingerprint_file, load_card, load_weights
from rmaunet.preprocess import Preprocessing, to_bytes, window
from rmaunet.train import HowToTrain, TrainingError, train
from rmaunet.train import loop as loop_module
from rmaunet.train.augment.transforms import Augmentation
from rmaunet.train.checkpoint import load_checkpoint, save_checkpoint
from rmaunet.train.experiment import Experiment, Stage, Training
from rmaunet.train.sampling import Sampling
from rmaunet.train.schedule import make_plan

TINY = Experiment(
    name="tiny",
    network=NetworkSettings(base=2),
    preprocessing=Preprocessing(size=32),
    sampling=Sampling(slices="all", balance="case"),
    training=Training(steps=12, batch=2, learning_rate=1e-3, ema_decay=0.9, schedule="trapezoid"),
    seed=5,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("store")
    with StoreWriter(root, Preprocessing(size=32)) as writer:
        for name in ("volume-1", "volume-2"):
            labels = np.zeros((6, 32, 32), np.uint8)
            labels[2:5, 8:24, 8:24] = 1
            labels[3, 12:18, 12:18] = 2
            images = (labels * 80 + rng.integers(0, 40, labels.shape)).astype(np.uint8)
            writer.add(name, images, labels, spacing_mm=(2.0, 1.5, 1.5))
    return Store(root, check=True)


def run(store, folder, experiment=TINY, start=None, **how):
    return train(experiment, store, ["volume-1", "volume-2"], folder, start=start, how=HowToTrain(**how))


def test_stopping_and_going_on_equals_going_through_bit_for_bit(store, tmp_path):
    run(store, tmp_path / "through", checkpoint_every=5)
    run(store, tmp_path / "stopped", checkpoint_every=5, stop_after=7)
    run(store, tmp_path / "stopped", checkpoint_every=5)
    for name in ("weights/model.safetensors", "log.csv"):
        assert (tmp_path / "through" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes()
    one, two = load_checkpoint(tmp_path / "through"), load_checkpoint(tmp_path / "stopped")
    for key, tensor in one["network"].items():
        assert torch.equal(tensor, two["network"][key]), key


def test_the_weights_are_the_running_average_and_load(store, tmp_path):
    weights = load_weights(run(store, tmp_path / "run"))
    average = load_checkpoint(tmp_path / "run")["average"]
    assert torch.equal(weights.state["head.bias"], average["head.bias"].half().float())
    assert weights.card.experiment["seed"] == 5
    assert weights.card.trained_on == ("volume-1", "volume-2")
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["cases"] == ["volume-1", "volume-2"]


def test_a_run_can_start_from_weights_and_says_so(store, tmp_path):
    first = load_weights(run(store, tmp_path / "first"))
    no_rate = replace(TINY.training, steps=1, learning_rate=1e-12, ema_decay=0.0)
    again = load_weights(run(store, tmp_path / "again", replace(TINY, training=no_rate), start=first))
    for key in ("head.weight", "encoder1.body.0.weight"):
        torch.testing.assert_close(again.state[key], first.state[key])
    origin = json.loads((tmp_path / "again" / "manifest.json").read_text())["start"]
    assert origin["sha256"] == first.card.sha256
    assert again.card.training["start"] == first.card.training
    assert "start" not in first.card.training


def test_weights_of_another_network_are_no_start(store, tmp_path):
    first = load_weights(run(store, tmp_path / "first", stop_after=1))
    with pytest.raises(ModelError, match="rmaunet base 2, 1 channels: is not the experiment's"):
        run(store, tmp_path / "other", replace(TINY, network=NetworkSettings(base=4)), start=first)


def test_a_broken_checkpoint_gives_way_to_the_one_before(tmp_path):
    save_checkpoint(tmp_path, {"step": 1})
    save_checkpoint(tmp_path, {"step": 2})
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-7])
    assert load_checkpoint(tmp_path) == {"step": 1}
    (tmp_path / "checkpoint.previous.pt").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(tmp_path)


def test_another_experiment_in_the_folder_is_refused(store, tmp_path):
    run(store, tmp_path / "run", stop_after=2)
    with pytest.raises(InputError, match="seed"):
        run(store, tmp_path / "run", replace(TINY, seed=6))


def test_a_run_may_be_lengthened(store, tmp_path):
    run(store, tmp_path / "run", stop_after=2)
    run(store, tmp_path / "run", replace(TINY, training=replace(TINY.training, steps=14)))
    assert load_checkpoint(tmp_path / "run")["step"] == 14


def test_a_store_of_another_window_is_refused(store, tmp_path):
    other = replace(TINY, preprocessing=Preprocessing(size=32, window_hu=(-40.0, 160.0)))
    with pytest.raises(InputError, match="window_hu"):
        run(store, tmp_path / "run", other)


def test_an_unknown_loss_is_refused_with_the_known_ones(store, tmp_path):
    with pytest.raises(UsageError, match="focal_dice"):
        run(store, tmp_path / "run", replace(TINY, loss="dise"))


def test_two_runs_never_share_a_folder(store, tmp_path):
    with locked(tmp_path / "run"), pytest.raises(OutputError, match="another run uses this folder"):
        run(store, tmp_path / "run")


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_cases(store, tmp_path, monkeypatch):
    class Broken(torch.nn.Module):
        def forward(self, logits, target):
            return logits.sum() * float("nan")

    monkeypatch.setitem(loop_module.LOSSES, "broken", Broken)
    with pytest.raises(TrainingError, match=r"step 9.*volume-"):
        run(store, tmp_path / "run", replace(TINY, loss="broken"))


def test_a_plan_counts_slices_over_stages():
    training = Training(steps=10, stages=(Stage(0.5, 32, 4), Stage(0.5, 64, 2)))
    plan = make_plan(training, slices=100, size=64)
    assert [plan.position(step) for step in (0, 4, 5, 6, 9)] == [0, 16, 20, 22, 28]
    assert [plan.stage(step).size for step in (0, 4, 5, 9)] == [32, 32, 64, 64]


def test_the_papers_plan_is_250_epochs_of_batch_8_at_a_constant_rate():
    plan = make_plan(Training(), slices=15040, size=256)
    assert plan.steps == 1880 * 250
    assert {plan.learning_rate(step) for step in (0, 1000, plan.steps - 1)} == {1e-4}


def test_schedules_rise_and_fall():
    one = make_plan(Training(steps=1000, schedule="one_cycle", learning_rate=1e-2), slices=1, size=32)
    rates = [one.learning_rate(step) for step in range(1000)]
    assert max(rates) == pytest.approx(1e-2, rel=1e-3)
    assert 95 <= int(np.argmax(rates)) <= 105
    assert rates[-1] < 1e-6
    flat = make_plan(Training(steps=1000, schedule="trapezoid", learning_rate=1e-2), slices=1, size=32)
    assert [flat.learning_rate(step) for step in (200, 500, 749)] == [1e-2] * 3
    assert flat.learning_rate(875) == pytest.approx(5e-3)


def test_the_papers_augmentation_is_the_default():
    a = Augmentation()
    assert (a.scale, a.scale_probability) == ((0.8, 1.2), 0.5)
    assert (a.rotation_degrees, a.rotation_probability) == ((0.0, 30.0), 0.3)
    assert (a.flip_horizontal, a.flip_vertical) == (0.3, 0.3)
    assert (a.shift, a.gain, a.bias, a.gamma, a.noise) == (0, 0, 0, 1, 0)


def test_weights_name_their_training_cases_and_keep_their_fingerprints(tmp_path):
    with StoreWriter(tmp_path / "store", Preprocessing(size=32)) as writer:
        for seed in (1, 2):
            made = phantom(seed=seed, shape=(16, 32, 32))
            images = to_bytes(window(made.ct.array, (-200.0, 200.0)))
            writer.add(f"volume-{seed}", images, made.mask.array, spacing_mm=(16.0, 12.0, 12.0))
    weights = run(Store(tmp_path / "store"), tmp_path / "run", replace(TINY, training=Training(steps=1, batch=1)))
    assert load_card(weights).trained_on == ("volume-1", "volume-2")
    prints = read_fingerprints(fingerprint_file(weights))
    assert [one.name for one in prints] == ["volume-1", "volume-2"]
    scan = fingerprint(phantom(seed=2, shape=(16, 32, 32)).ct, "scan")
    assert leaked_cases([scan], prints)["scan"].other == "volume-2"


@pytest.mark.parametrize(("stated", "said"), [("My hospital (consented)", "data: My hospital"), ("", "was not stated")])
def test_the_licence_comes_from_the_data(tmp_path, stated, said):
    """Nothing is claimed of data that was not used; weights that a run began with keep binding."""
    with StoreWriter(tmp_path / "store", Preprocessing(size=32), licence=stated) as writer:
        images = np.full((3, 32, 32), 90, np.uint8)
        writer.add("volume-1", images, np.ones_like(images), spacing_mm=(2.0, 1.5, 1.5))
    kept = Store(tmp_path / "store")
    first = load_weights(train(TINY, kept, ["volume-1"], tmp_path / "first", how=HowToTrain(stop_after=1)))
    assert said in first.card.licence
    assert first.card.licence.startswith("Research use only.")
    assert "LiTS" not in first.card.licence
    earlier = first.with_card(licence="Research use only. Trained on data: B.")
    second = load_weights(
        train(TINY, kept, ["volume-1"], tmp_path / "second", start=earlier, how=HowToTrain(stop_after=1))
    )
    assert "data: B." in second.card.licence
    assert said in second.card.licence
