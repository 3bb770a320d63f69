"""An ensemble is the mean of its members' probabilities and lives in one folder like any weights."""

from dataclasses import replace

import pytest
import torch

from rmaunet.cli.main import main
from rmaunet.core.errors import ModelError
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.ensemble import Ensemble
from rmaunet.predict import ModelCard, load_weights, save_weights
from rmaunet.predict.ensemble import average_weights, join_weights
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


def test_the_mean_of_the_members_probabilities(tmp_path):
    one, two = weights(tmp_path, 1), weights(tmp_path, 2)
    network, _ = join_weights([one, two], name="pair")
    x = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mean = (one.network()(x).sigmoid() + two.network()(x).sigmoid()) / 2
        torch.testing.assert_close(network(x).sigmoid(), mean)


def test_the_command_joins_and_the_card_names_every_case_and_member(tmp_path):
    one, two = weights(tmp_path, 1), weights(tmp_path, 2)
    assert main(["models", "join", str(tmp_path / "w1"), str(tmp_path / "w2"), "-o", str(tmp_path / "pair")]) == 0
    pair = load_weights(tmp_path / "pair")
    assert pair.card.name == "pair"
    assert pair.card.network.members == 2
    assert pair.card.trained_on == ("case-1", "both", "case-2")
    assert [m["sha256"] for m in pair.card.training["members"]] == [one.card.sha256, two.card.sha256]
    assert torch.equal(pair.state["members.1.head.bias"], two.state["head.bias"])


def test_an_ensemble_of_ensembles_is_flat(tmp_path):
    one, two, three = (weights(tmp_path, seed) for seed in (1, 2, 3))
    pair, card = join_weights([one, two], name="pair")
    save_weights(tmp_path / "pair", pair, card)
    network, card = join_weights([load_weights(tmp_path / "pair"), three], name="three")
    assert card.network.members == 3
    assert isinstance(network, Ensemble)
    assert not any(isinstance(member, Ensemble) for member in network.members)


def test_members_of_another_input_are_refused(tmp_path):
    one = weights(tmp_path, 1)
    other = weights(tmp_path, 2, preprocessing=Preprocessing(window_hu=(-40.0, 160.0)))
    with pytest.raises(ModelError, match=r"preprocessing.*differs from that of w1"):
        join_weights([one, other], name="pair")


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


def test_one_member_is_no_ensemble(tmp_path):
    with pytest.raises(ModelError, match="too few"):
        join_weights([weights(tmp_path, 1)], name="alone")


@pytest.mark.parametrize("members", [0, -1, 1000])
def test_senseless_numbers_of_members_are_refused(members):
    with pytest.raises(ValueError, match="members"):
        replace(SETTINGS, members=members)
