"""Two networks in turn: the first finds the liver, the second looks around it at finer pixels and says what is what."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.cli.main import main
from rmaunet.core.errors import ModelError
from rmaunet.core.volume import make_volume
from rmaunet.leaks.fingerprint import Fingerprint, read_fingerprints, write_fingerprints
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, Postprocessing, Predictor, load_weights, save_weights
from rmaunet.predict.cascade import REACH_MM, liver_place
from rmaunet.predict.combine_weights import average_weights, cascade_card
from rmaunet.preprocess import Preprocessing

WHOLE = Preprocessing(grid="spacing", spacing_mm=4.0)
AROUND = Preprocessing(grid="liver", spacing_mm=1.0, size=32)
SETTINGS = NetworkSettings(base=2)


class Threshold(nn.Module):
    """Liver above 50 HU, tumor above 150 HU of a window of [-200, 200]; remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, x):
        self.shown.append(tuple(x.shape))
        return torch.cat([(x[:, :1] - 0.25) * 100, (x[:, :1] - 0.75) * 100], dim=1)


def scene():
    """A liver with a tumor of 3 x 3 pixels, which pixels of 4 mm cannot show; far away something else as bright."""
    array = np.full((40, 96, 96), 0, np.int16)
    array[15:25, 60:84, 8:32] = 100
    array[18:22, 70:73, 15:18] = 190
    array[2:4, 4:12, 80:88] = 100
    expected = np.zeros(array.shape, np.uint8)
    expected[15:25, 60:84, 8:32] = 1
    expected[18:22, 70:73, 15:18] = 2
    return array, expected


def cascade(first, second):
    largest = Postprocessing(largest_liver=True)
    locator = Predictor.from_network(first, WHOLE, largest)
    made = Predictor.from_network(second, replace(AROUND, grid="spacing"), Postprocessing(), batch=4)
    return Predictor(made.runtime, AROUND, Postprocessing(), locator=locator)


@pytest.mark.parametrize("orientation", ["HPL", "LAF", "PRH"])
def test_the_second_network_sees_the_liver_at_its_own_pixels_and_decides(orientation):
    array, expected = scene()
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 5, 1, 1, 1
    ct = make_volume(array, affine)
    first, second = Threshold(), Threshold()
    seen, watched = [], []
    turned = ct.to_patient_orientation(orientation)
    prediction = cascade(first, second).predict(
        turned, progress=lambda *n: seen.append(n), watch=lambda z, maps: watched.append((z, maps.shape))
    )
    assert np.array_equal(prediction.mask.affine, turned.affine)
    assert np.array_equal(prediction.mask.match_geometry(ct).array, expected)
    reach = round(REACH_MM / 5.0)
    looked_at = 10 + 2 * reach
    assert {shape[2:] for shape in second.shown} == {(64, 64)}  # 24 pixels and 15 mm on either side, in steps of 16
    assert sum(shape[0] for shape in second.shown) == looked_at
    assert len(watched) == looked_at
    assert {shape for _, shape in watched} == {(2, 96, 96)}
    assert prediction.computed == looked_at + sum(shape[0] for shape in first.shown)
    assert seen[-1] == (80, 80)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_without_a_liver_the_second_network_is_not_asked():
    second, seen = Threshold(), []
    ct = make_volume(np.full((12, 64, 64), -50, np.int16))
    prediction = cascade(Threshold(), second).predict(ct, progress=lambda *n: seen.append(n))
    assert not prediction.mask.array.any()
    assert not second.shown
    assert seen[-1] == (24, 24)


def test_a_liver_at_the_edge_and_larger_than_the_canvas():
    array = np.zeros((6, 80, 60), np.int16)
    array[:, :70, :50] = 100
    second = Threshold()
    mask = cascade(Threshold(), second).predict(make_volume(array)).mask
    assert np.array_equal(mask.array, array > 50)
    assert second.shown[0][2:] == (112, 80)  # 70 + 30, 50 + 30 pixels in steps of 16


def test_the_place_is_the_livers_box_and_some_slices_more():
    labels = np.zeros((50, 30, 30), np.uint8)
    labels[20:25, 3:9, 4:20] = 1
    labels[24, 8:12, 4] = 2
    place = liver_place(labels, slice_mm=2.0)
    assert place.slices == range(10, 35)
    assert place.box == (3, 12, 4, 20)
    assert liver_place(labels, slice_mm=0.5).slices == range(50)
    assert liver_place(labels * 0, slice_mm=2.0) is None


@pytest.mark.parametrize(("share", "found"), [(0.0, 2), (0.4, 2), (0.6, 1)])
def test_the_first_networks_probabilities_may_have_a_share(share, found):
    """The second network sees a tumor, the first does not: what counts is whose share is larger."""
    array, _ = scene()
    array[18:22, 70:73, 15:18] = 100
    ct = make_volume(array, np.diag([5.0, 1.0, 1.0, 1.0]))
    shown = {}

    class Tumor(Threshold):
        def forward(self, x):
            liver = super().forward(x)[:, :1]
            return torch.cat([liver, liver], dim=1)

    predictor = cascade(Threshold(), Tumor())
    predictor.locator_share = share
    prediction = predictor.predict(ct, watch=lambda z, maps: shown.update({z: maps[1, 71, 16]}))
    assert np.asarray(prediction.mask.array)[20, 71, 16] == found
    assert shown[20] == pytest.approx(1 - share, abs=0.01)
    assert (prediction.mix is None) == (share == 0)


def test_a_share_is_kept_by_the_card_and_refused_out_of_range(tmp_path, capsys):
    for name, preprocessing in (("whole", WHOLE), ("around", AROUND)):
        card = ModelCard(name=name, network=SETTINGS, preprocessing=preprocessing)
        save_weights(tmp_path / name, build_network(SETTINGS), card)
    words = ["models", "cascade", str(tmp_path / "whole"), str(tmp_path / "around"), "-o", str(tmp_path / "both")]
    assert main([*words, "--locator-share", "0.5"]) == 0
    assert load_weights(tmp_path / "both").card.locator_share == 0.5
    assert Predictor.from_weights(load_weights(tmp_path / "both"), runtime="torch").locator_share == 0.5
    assert main([*words, "--locator-share", "1"]) == 2
    assert "--locator-share" in capsys.readouterr().err


def test_a_grid_around_the_liver_and_a_locator_belong_together():
    network = Threshold()
    with pytest.raises(ValueError, match="needs a locator"):
        Predictor.from_network(network, AROUND, Postprocessing())
    locator = Predictor.from_network(network, WHOLE, Postprocessing())
    with pytest.raises(ValueError, match="no other grid takes one"):
        Predictor(locator.runtime, WHOLE, Postprocessing(), locator=locator)


def saved(folder, name, preprocessing, *cases):
    torch.manual_seed(len(name))
    card = ModelCard(name=name, network=SETTINGS, preprocessing=preprocessing, trained_on=cases)
    save_weights(folder / name, build_network(SETTINGS), card)
    strips = np.zeros((1, 3, 16, 16), np.int8)
    write_fingerprints(folder / name / "fingerprints.json", [Fingerprint(case, strips) for case in cases])
    return load_weights(folder / name)


def test_the_command_makes_one_folder_of_both(tmp_path, capsys):
    first, second = saved(tmp_path, "find", WHOLE, "a", "b"), saved(tmp_path, "refine", AROUND, "b", "c")
    assert (
        main(["models", "cascade", str(tmp_path / "find"), str(tmp_path / "refine"), "-o", str(tmp_path / "both")]) == 0
    )
    both = load_weights(tmp_path / "both")
    assert both.card.name == "both"
    assert both.card.trained_on == ("a", "b", "c")
    assert both.card.sha256 == second.card.sha256
    assert both.card.locator == first.card.sha256
    assert first.card.sha256 in both.card.identity
    assert second.card.identity == second.card.sha256
    assert [one.name for one in read_fingerprints(tmp_path / "both" / "fingerprints.json")] == ["a", "b", "c"]
    predictor = Predictor.from_weights(both, runtime="torch")
    assert predictor.locator is not None
    assert predictor.locator.preprocessing == WHOLE
    assert main(["models", "verify", str(tmp_path / "both")]) == 0
    (tmp_path / "both" / "locator" / "card.json").write_bytes((tmp_path / "refine" / "card.json").read_bytes())
    (tmp_path / "both" / "locator" / "model.safetensors").write_bytes(
        (tmp_path / "refine" / "model.safetensors").read_bytes()
    )
    capsys.readouterr()
    assert main(["models", "verify", str(tmp_path / "both")]) != 0
    assert "locator: sha256" in capsys.readouterr().err


def test_what_cannot_be_put_in_turn_is_refused(tmp_path):
    first, second = saved(tmp_path, "find", WHOLE, "a"), saved(tmp_path, "refine", AROUND, "b")
    with pytest.raises(ModelError, match=r"find: grid = spacing.*'liver' is needed"):
        cascade_card(first.card, first.card, name="both")
    with pytest.raises(ModelError, match=r"refine: grid = liver.*found before"):
        cascade_card(second.card, second.card, name="both")
    with pytest.raises(ModelError, match=r"refine: locator.*rmaunet models cascade"):
        Predictor.from_weights(second, runtime="torch")
    save_weights(tmp_path / "both", second.network(), cascade_card(first.card, second.card, name="both"), locator=first)
    both = load_weights(tmp_path / "both")
    with pytest.raises(ModelError, match=r"both: locator.*has one already"):
        average_weights([both, both], name="pair")


def test_weights_located_by_others_are_those_of_the_folder(tmp_path):
    first, second = saved(tmp_path, "find", WHOLE, "a"), saved(tmp_path, "refine", AROUND, "b")
    save_weights(tmp_path / "both", second.network(), cascade_card(first.card, second.card, name="both"), locator=first)
    located = second.located_by(first)
    assert located.card.identity == load_weights(tmp_path / "both").card.identity
    assert Predictor.from_weights(located, runtime="torch").locator.preprocessing == WHOLE
