"""Weights of runs that began alike are averaged into one network."""

import pytest
import torch

from rmaunet.cli.main import main
from rmaunet.core.errors import ModelError
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.predict import ModelCard, load_weights, save_weights
from rmaunet.predict.combine_weights import average_weights
from rmaunet.preprocess import Preprocessing

SETTINGS = NetworkSettings(base=2)


def weights(folder, seed, **card):
    torch.manual_seed(seed)
    name = f"w{seed}"
    save_weights(
        folder / name,
        build_network(SETTINGS),
        ModelCard(name=name, network=SETTINGS, trained_on=(f"case-{seed}", "both"), **card),
    )
    return load_weights(folder / name)


def test_the_command_averages_weights_into_one_network_and_the_card_says_of_what(tmp_path):
    one, two = weights(tmp_path, 1), weights(tmp_path, 2)
    assert main(["models", "average", str(tmp_path / "w1"), str(tmp_path / "w2"), "-o", str(tmp_path / "mean")]) == 0
    mean = load_weights(tmp_path / "mean")
    assert mean.card.name == "mean"
    assert mean.card.network == SETTINGS
    assert mean.card.trained_on == ("case-1", "both", "case-2")
    assert mean.card.training["mean_of"] == [one.card.sha256, two.card.sha256]
    for key, tensor in mean.state.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, (one.state[key] + two.state[key]) / 2, rtol=2e-3, atol=1e-4)
    assert not torch.equal(mean.state["head.weight"], two.state["head.weight"])


def test_what_is_unlike_is_not_averaged(tmp_path):
    one = weights(tmp_path, 1)
    other = weights(tmp_path, 2, preprocessing=Preprocessing(window_hu=(-40.0, 160.0)))
    with pytest.raises(ModelError, match=r"preprocessing.*differs from that of w1"):
        average_weights([one, other], name="mean")
    with pytest.raises(ModelError, match="too few"):
        average_weights([one], name="mean")
