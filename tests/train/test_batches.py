"""What a patch shows at each kind of stage."""

from dataclasses import replace

import numpy as np
import pytest

from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.preprocess import Preprocessing
from rmaunet.train.augment.transforms import NONE
from rmaunet.train.batches import Batches
from rmaunet.train.experiment import Experiment, Stage, Training
from rmaunet.train.sampling import Sampler, Sampling
from rmaunet.train.schedule import make_plan

SIDE = 64
EXPERIMENT = Experiment(
    preprocessing=Preprocessing(size=SIDE, grid="spacing", spacing_mm=1.5),
    augmentation=NONE,
    sampling=Sampling(slices="all"),
    training=Training(steps=4, batch=2),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    images = np.random.default_rng(0).integers(1, 255, (3, SIDE, SIDE)).astype(np.uint8)
    labels = np.zeros_like(images)
    labels[:, 30:50, 10:40] = 1
    labels[:, 40:44, 20:24] = 2
    with StoreWriter(root, Preprocessing(size=SIDE)) as writer:
        writer.add("volume-1", images, labels, spacing_mm=(2.0, 1.5, 1.5))
    return Store(root)


def batch(store, stage):
    experiment = replace(EXPERIMENT, training=replace(EXPERIMENT.training, stages=(stage,)))
    sampler = Sampler([store.case("volume-1")], experiment.sampling, seed=0)
    plan = make_plan(experiment.training, slices=len(sampler), size=SIDE)
    return Batches(store, experiment, plan, sampler).make(0)


def test_a_part_has_the_slices_own_pixels_and_its_tumor(store):
    made = batch(store, Stage(1.0, 32, 8, view="part"))
    assert made.images.shape == (8, 1, 32, 32)
    whole = store.stack("volume-1", made.refs[0].z, [0])[0][..., 0] / 127.5 - 1
    part = made.images[0, 0].numpy()
    # Some window of the slice, at most half a pixel off, is the patch: its middle row correlates there alone.
    scores = [
        np.corrcoef(whole[r : r + 32, c : c + 32].ravel(), part.ravel())[0, 1] for r in range(33) for c in range(33)
    ]
    assert max(scores) > 0.5
    assert sorted(scores)[-10] < 0.5
    assert (made.targets[:, 1].sum(dim=(1, 2)) > 0).float().mean() >= 0.5


def test_the_whole_has_every_pixel_of_the_liver(store):
    made = batch(store, Stage(1.0, 32, 8))
    liver = made.targets[:, 0].sum(dim=(1, 2))
    assert (liver == 20 * 30 / 4).all()


def test_a_network_around_the_liver_sees_the_middle_of_the_livers_box(tmp_path):
    labels = np.zeros((3, SIDE, 2 * SIDE), np.uint8)
    labels[1, 4:24, 90:120] = 1  # 20 x 30, near a corner
    with StoreWriter(tmp_path, Preprocessing(size=SIDE)) as writer:
        writer.add("volume-1", labels * 100, labels, spacing_mm=(2.0, 1.5, 1.5))
    experiment = replace(
        EXPERIMENT, preprocessing=Preprocessing(size=32, grid="liver", spacing_mm=1.5), sampling=Sampling()
    )
    store = Store(tmp_path)
    sampler = Sampler(store.cases, experiment.sampling, seed=0)
    plan = make_plan(experiment.training, slices=len(sampler), size=32)
    liver = Batches(store, experiment, plan, sampler).make(0).targets[:, 0].numpy()
    assert (liver.sum(axis=(1, 2)) == 20 * 30).all()
    rows, columns = liver[0].any(axis=1).nonzero()[0], liver[0].any(axis=0).nonzero()[0]
    assert abs(rows.mean() - 15.5) <= 0.5
    assert abs(columns.mean() - 15.5) <= 0.5


@pytest.mark.parametrize("start", [0, 3])
def test_several_threads_make_the_same_batches_in_the_same_order(store, start):
    training = Training(steps=20, batch=2)
    plan = make_plan(training, slices=3, size=SIDE)
    sampler = Sampler([store.case("volume-1")], EXPERIMENT.sampling, seed=0)
    one, four = (Batches(store, EXPERIMENT, plan, sampler, workers=n).from_step(start) for n in (1, 4))
    steps = []
    for (step, made), (other, same) in zip(one, four, strict=True):
        steps.append(step)
        assert other == step
        assert made.refs == same.refs
        assert made.images.equal(same.images)
    assert steps == list(range(start, 20))


def test_an_error_in_a_thread_reaches_who_asked(store):
    plan = make_plan(EXPERIMENT.training, slices=3, size=SIDE)
    sampler = Sampler([store.case("volume-1")], EXPERIMENT.sampling, seed=0)
    broken = Batches(store, EXPERIMENT, plan, sampler, workers=2)
    broken.store = None
    with pytest.raises(AttributeError):
        next(broken.from_step(0))


def four_batches(store, augmentation):
    experiment = replace(EXPERIMENT, augmentation=augmentation)
    plan = make_plan(experiment.training, slices=3, size=SIDE)
    sampler = Sampler([store.case("volume-1")], experiment.sampling, seed=0)
    return [Batches(store, experiment, plan, sampler).make(step) for step in range(4)]


@pytest.mark.parametrize("drawn_share", [0.0, 1.0])
def test_more_lesions_are_set_where_there_is_liver(store, drawn_share):
    plain = four_batches(store, NONE)
    more = four_batches(store, replace(NONE, more_lesions=1.0, drawn_lesions=drawn_share))
    gained = 0
    for before, after in zip(plain, more, strict=True):
        assert before.targets[:, 0].equal(after.targets[:, 0])  # the liver, with its tumors, is the same
        assert (after.targets[:, 1] >= before.targets[:, 1]).all()
        gained += int((after.targets[:, 1] > before.targets[:, 1]).sum())
    assert gained > 0


@pytest.mark.parametrize("drawn_share", [0.0, 1.0])
def test_distractors_change_what_is_not_liver_and_no_target(store, drawn_share):
    plain = four_batches(store, NONE)
    distracted = four_batches(store, replace(NONE, distractors=1.0, drawn_lesions=drawn_share))
    outside = 0
    for before, after in zip(plain, distracted, strict=True):
        assert before.targets.equal(after.targets)
        changed = (before.images - after.images).abs()[:, 0]
        outside += int((changed[before.targets[:, 0] == 0] > 0.05).sum())
    assert outside > 100


def test_added_lesions_may_be_large_and_bulge(store):
    def added(**more):
        augmentation = replace(NONE, more_lesions=1.0, drawn_lesions=1.0, **more)
        made, plain = four_batches(store, augmentation), four_batches(store, NONE)
        pairs = [(a.targets.bool(), b.targets.bool()) for a, b in zip(made, plain, strict=True)]
        new = sum(int((a[:, 1] & ~b[:, 1]).sum()) for a, b in pairs)
        return new, sum(int((a[:, 0] & ~b[:, 0]).sum()) for a, b in pairs)

    usual, none_outside = added()
    large, still_none = added(large_lesions=1.0)
    assert none_outside == still_none == 0
    assert 0 < large != usual > 0
    assert added(large_lesions=1.0, bulging_lesions=1.0)[1] > 100


def test_lesions_are_healed_in_half_of_the_slices(store):
    plain = four_batches(store, NONE)
    healed = four_batches(store, replace(NONE, healed_lesions=1.0))
    kept, gone = 0, 0
    for before, after in zip(plain, healed, strict=True):
        assert before.targets[:, 0].equal(after.targets[:, 0])
        for one, other in zip(before.targets[:, 1], after.targets[:, 1], strict=True):
            kept += int(bool(one.any()) and one.equal(other))
            gone += int(one.sum() > other.sum())
    assert kept > 0
    assert gone > 0


def test_lesions_of_patients_without_any_are_drawn_ones(tmp_path):
    labels = np.zeros((2, SIDE, SIDE), np.uint8)
    labels[:, 10:50, 10:50] = 1
    with StoreWriter(tmp_path, Preprocessing(size=SIDE)) as writer:
        writer.add("volume-1", labels * 100, labels, spacing_mm=(2.0, 1.5, 1.5))
    store = Store(tmp_path)
    sampler = Sampler(store.cases, EXPERIMENT.sampling, seed=0)
    assert sampler.lesion(np.random.default_rng(0)) is None
    plan = make_plan(EXPERIMENT.training, slices=2, size=SIDE)
    for share, expected in ((0.0, False), (1.0, True)):
        experiment = replace(EXPERIMENT, augmentation=replace(NONE, more_lesions=1.0, drawn_lesions=share))
        made = Batches(store, experiment, plan, sampler).make(0)
        assert bool(made.targets[:, 1].any()) is expected
