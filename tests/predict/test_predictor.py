"""The way from a CT to a mask, with a network whose answer is known."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.core.volume import make_volume
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, Postprocessing, Predictor, load_weights, save_weights
from rmaunet.predict.compute import Compute
from rmaunet.preprocess import Preprocessing


class Threshold(nn.Module):
    """Liver above 50 HU, tumor above 150 HU of a window of [-200, 200]."""

    def forward(self, x):
        return torch.cat([(x[:, :1] - 0.25) * 100, (x[:, :1] - 0.75) * 100], dim=1)


def scene():
    array = np.full((6, 40, 48), -1000, np.int16)
    array[1:5, 5:35, 5:40] = 0
    array[2:5, 10:25, 8:30] = 100
    array[3:4, 12:18, 10:20] = 190
    expected = np.zeros(array.shape, np.uint8)
    expected[2:5, 10:25, 8:30] = 1
    expected[3:4, 12:18, 10:20] = 2
    return array, expected


def predictor(**settings):
    return Predictor.from_network(Threshold(), Preprocessing(**settings), Postprocessing(), batch=4)


def test_labels_lie_where_the_voxels_are():
    array, expected = scene()
    prediction = predictor(grid="spacing", spacing_mm=1.0).predict(make_volume(array))
    assert np.array_equal(prediction.mask.array, expected)
    assert set(prediction.seconds) == {"prepare", "network", "restore", "postprocess"}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_a_turned_copy_gives_the_same_mask_in_patient_space(order, signs):
    array, expected = scene()
    ct = make_volume(array)
    turned = ct.permute_spatial_axes(list(order))
    for axis, sign in enumerate(signs):
        if sign < 0:
            turned = turned.flip_spatial(axis)
    mask = predictor(grid="spacing", spacing_mm=1.0).predict(turned).mask
    assert np.array_equal(mask.affine, turned.affine)
    back = mask.match_geometry(ct)
    assert np.array_equal(back.array, expected)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 13, 17), (3, 50, 33), (70, 16, 16)])
def test_any_shape_gives_a_mask_of_that_shape(shape):
    mask = predictor(grid="matrix", size=32).predict(make_volume(np.full(shape, -1000, np.int16))).mask
    assert mask.array.shape == shape
    assert mask.array.dtype == np.uint8
    assert mask.array.max() == 0


def test_progress_counts_to_the_end():
    seen = []
    every = predictor(grid="matrix", size=16)
    every.compute = Compute(all_slices=True)
    every.predict(make_volume(np.zeros((6, 16, 16), np.int16)), progress=lambda *n: seen.append(n))
    assert seen == [(4, 6), (6, 6)]
    seen.clear()
    predictor(grid="matrix", size=16).predict(
        make_volume(np.full((320, 16, 16), -1000, np.int16)), progress=lambda *n: seen.append(n)
    )
    assert seen == [(4, 320), (8, 320), (12, 320), (16, 320), (320, 320)]  # 0, 20, ..., 300; 319


def test_skipping_gives_the_mask_of_every_slice():
    array = np.full((320, 20, 24), -1000, np.int16)
    array[33:58, 4:16, 5:18] = 100
    array[40:44, 6:9, 7:11] = 190
    array[65:67, 4:16, 5:18] = 100  # apart by a gap the search goes across
    ct = make_volume(array)
    fast, every = predictor(grid="spacing", spacing_mm=1.0), predictor(grid="spacing", spacing_mm=1.0)
    every.compute = Compute(all_slices=True)
    one, other = fast.predict(ct), every.predict(ct)
    assert np.array_equal(one.mask.array, other.mask.array)
    assert np.array_equal(one.mask.array, (array == 100) + 2 * (array == 190))
    assert other.computed == 320
    assert one.computed == len({*range(0, 320, 20), 319} | set(range(33 - 12, 66 + 13)))


def test_watch_sees_every_computed_slice_once_on_the_scans_own_pixels():
    array, expected = scene()
    seen = {}

    def watch(z, maps):
        assert z not in seen
        seen[z] = maps.copy()

    every = predictor(grid="spacing", spacing_mm=1.0)
    every.compute = Compute(all_slices=True)
    every.predict(make_volume(array), watch=watch)
    assert sorted(seen) == list(range(6))
    assert {maps.shape for maps in seen.values()} == {(2, 40, 48)}
    maps = np.stack([seen[z] for z in range(6)], axis=1)
    assert np.array_equal(maps[0] > 0.5, expected >= 1)
    assert np.array_equal(maps[1] > 0.5, expected == 2)


def test_a_predictor_takes_any_runtime():
    class Everything:
        name, precision, device = "made here", "float32", "cpu"

        def __call__(self, slab):
            return np.stack([np.ones_like(slab[:, 0]), np.zeros_like(slab[:, 0])], axis=1)

    array, _ = scene()
    mask = (
        Predictor.from_runtime(Everything(), Preprocessing(size=32), Postprocessing()).predict(make_volume(array)).mask
    )
    assert (mask.array == 1).all()


@pytest.mark.parametrize("inside", [False, True])
def test_tumor_that_counts_in_the_liver_only_is_not_searched_for_elsewhere(inside):
    class TumorEverywhere:
        name, precision, device = "made here", "float32", "cpu"

        def __call__(self, slab):
            return np.stack([np.zeros_like(slab[:, 0]), np.ones_like(slab[:, 0])], axis=1)

    ct = make_volume(np.zeros((320, 16, 16), np.int16))
    settings = Postprocessing(tumor_inside_liver=inside)
    found = Predictor.from_runtime(TumorEverywhere(), Preprocessing(size=16), settings).predict(ct)
    assert found.computed == (17 if inside else 320)
    assert (found.mask.array == (0 if inside else 2)).all()


def test_weights_come_back_and_predict_the_same(tmp_path):
    torch.manual_seed(0)
    settings = NetworkSettings(base=4)
    network = build_network(settings).eval()
    card = ModelCard(name="tiny", network=settings, preprocessing=Preprocessing(size=32))
    save_weights(tmp_path / "tiny", network, card)
    loaded = load_weights(tmp_path / "tiny")
    assert loaded.card.network == settings
    halves = {
        k: v.half().float() if "running_" not in k and v.is_floating_point() else v
        for k, v in network.state_dict().items()
    }
    network.load_state_dict(halves)
    x = torch.randn(1, 1, 32, 32)
    assert torch.equal(loaded.network()(x), network(x))


@pytest.mark.parametrize(("name", "multiple"), [("rmaunet", 16), ("raunet", 32), ("nnunet2d", 64)])
def test_a_slice_is_padded_to_what_the_network_asks_for(tmp_path, name, multiple):
    settings = NetworkSettings(name, base=2)
    card = ModelCard(name=name, network=settings, preprocessing=Preprocessing(grid="spacing", spacing_mm=1.0))
    save_weights(tmp_path, build_network(settings), card)
    loaded = Predictor(load_weights(tmp_path), runtime="torch", all_slices=True)
    prediction = loaded.predict(make_volume(np.zeros((2, 70, 40), np.int16)))
    assert prediction.mask.array.shape == (2, 70, 40)
    assert prediction.prepared.grid.canvas == tuple(-(-side // multiple) * multiple for side in (70, 40))
