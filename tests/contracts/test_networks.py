"""What every network of ``NETWORKS`` promises."""

import math

import pytest
import torch
from torch import Tensor, nn

from rmaunet.networks import NETWORKS
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.facts import FACTS
from rmaunet.networks.size import network_size

NAMES = sorted(NETWORKS)
TINY = {name: {"widths": (8, 8, 12, 16, 16)} for name in NAMES}


def tiny(name: str, seed: int = 0, **arguments: object) -> nn.Module:
    torch.manual_seed(seed)
    return NETWORKS[name](**(TINY[name] | arguments))


def batch(name: str, count: int = 2, channels: int = 1) -> Tensor:
    """The smallest input with two positions at the deepest resolution, so that batch norm can train."""
    facts = FACTS[name]
    sides = (facts.multiple_of, 2 * facts.multiple_of)
    return torch.randn(count, channels, *sides, generator=torch.Generator().manual_seed(1))


def settled(name: str) -> nn.Module:
    """In evaluation mode, after one step of training mode so that running statistics are not the initial ones."""
    network = tiny(name)
    with torch.no_grad():
        network(batch(name))
    return network.eval()


def test_every_network_has_facts() -> None:
    assert set(FACTS) == set(NETWORKS)
    assert {name for name, facts in FACTS.items() if facts.reconstruction} == {"saanet", "hfrunet"}
    titles = [facts.printed for facts in FACTS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("channels", "classes"), [(1, 2), (3, 1), (5, 3)])
def test_shape(name: str, channels: int, classes: int) -> None:
    x = batch(name, 1, channels)
    with torch.no_grad():
        logits = tiny(name, in_channels=channels, classes=classes)(x)
    assert logits.shape == (1, classes, *x.shape[2:])
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_fresh_networks_are_not_saturated(name: str) -> None:
    """Saturated sigmoids have no gradient through dice, and logits that hardly vary take long to grow."""
    network = tiny(name)
    with torch.no_grad():
        logits = network.train()(batch(name))
    assert abs(float(logits.median()) - math.log(0.1 / 0.9)) < 1
    assert 0.05 < float(logits.std()) < 2


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter(name: str) -> None:
    silent: set[str] = set()
    for seed in range(4):  # a ReLU of few channels may be shut for all inputs: another seed opens it
        network = tiny(name, seed)
        network(batch(name)).square().mean().backward()
        gradients = {key: p.grad for key, p in network.named_parameters()}
        assert [key for key, g in gradients.items() if g is None or not g.isfinite().all()] == []
        zero = {key for key, g in gradients.items() if not g.any()}
        silent = zero if seed == 0 else silent & zero
    assert silent == set()


@pytest.mark.parametrize("name", NAMES)
def test_refuses_sides_that_do_not_divide(name: str) -> None:
    multiple = FACTS[name].multiple_of
    network = tiny(name).eval()
    x = batch(name, 1)
    with pytest.raises(ValueError, match=f"multiples of {multiple}; pad to .* x {2 * multiple}$"):
        network(x[..., : multiple + 1])
    with pytest.raises(ValueError, match=f"pad to {multiple} x"):
        network(x[:, :, : multiple - 1])


@pytest.mark.parametrize("name", NAMES)
def test_evaluation_does_not_mix_the_batch(name: str) -> None:
    network, x = settled(name), batch(name)
    with torch.no_grad():
        together, apart = network(x), torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(together[0], together[1])


@pytest.mark.parametrize("name", NAMES)
def test_state_dict_round_trip(name: str) -> None:
    network, x = settled(name), batch(name, 1)
    other = tiny(name, seed=7).eval()
    with torch.no_grad():
        assert not torch.equal(other(x), network(x))
        other.load_state_dict(network.state_dict(), strict=True)
        assert torch.equal(other(x), network(x))


@pytest.mark.parametrize("name", NAMES)
def test_state_holds_only_plain_separate_tensors(name: str) -> None:
    """What safetensors can store: no tensor shares memory with another."""
    state = tiny(name).state_dict()
    assert len({t.data_ptr() for t in state.values()}) == len(state)
    assert all(t.is_contiguous() for t in state.values())


@pytest.mark.parametrize("name", NAMES)
def test_stated_parameter_count(name: str) -> None:
    facts = FACTS[name]
    shape = (1, 1, facts.multiple_of, 2 * facts.multiple_of)
    assert network_size(NETWORKS[name], shape).parameters == facts.parameters


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_weights(name: str) -> None:
    one, two = tiny(name, 3).state_dict(), tiny(name, 3).state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_by_name(name: str) -> None:
    with pytest.raises(TypeError):
        NETWORKS[name](1)


@pytest.mark.parametrize("name", NAMES)
def test_built_from_settings(name: str) -> None:
    network = build_network(NetworkSettings(name=name, base=8), in_channels=3, classes=1)
    with torch.no_grad():
        assert network.eval()(batch(name, 1, 3)).shape[1] == 1
