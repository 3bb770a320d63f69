"""A rewritten network computes what the network computes, in fewer and larger layers."""

import numpy as np
import pytest
import torch
from torch import nn

from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.mab import ASPP, SpatialAttention
from rmaunet.runtimes.fuse_layers import NormAfterJoining, SpatialAttentionInBlocks, rewritten


def lively(network):
    """Norms with numbers of their own, as after training."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(torch.randn(module.num_features, generator=generator) * 0.3)
                module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
            if isinstance(module, nn.BatchNorm2d | nn.InstanceNorm2d):
                module.weight.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
                module.bias.copy_(torch.randn(module.num_features, generator=generator) * 0.3)
    return network.eval()


def slab(*shape):
    return torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32))


def kinds(network, kind):
    return [module for module in network.modules() if isinstance(module, kind)]


OPTIONS = {
    "rmaunet": NetworkSettings(base=4),
    "instance norm": NetworkSettings(base=4, options={"norm": "instance"}),
    "group norm": NetworkSettings(base=4, options={"norm": "group"}),
    "every decoder": NetworkSettings(base=4, options={"norm": "instance", "mab_at": "all_decoder"}),
    "unet": NetworkSettings(name="unet", base=4),
    "attention_unet": NetworkSettings(name="attention_unet", base=4),
}


@pytest.mark.parametrize("settings", OPTIONS.values(), ids=OPTIONS)
def test_rounding_is_all_that_changes(settings):
    torch.manual_seed(0)
    network = lively(build_network(settings)).double()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    copied = rewritten(network, slab(1, 1, 64, 64).double())
    for shape in ((1, 1, 64, 64), (2, 1, 48, 80)):
        x = slab(*shape).double()
        with torch.inference_mode():
            assert torch.allclose(copied(x), network(x), atol=1e-9, rtol=1e-9)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_batch_norms_become_part_of_convolutions():
    for name, all_gone in (("rmaunet", True), ("unet", True), ("attention_unet", False)):
        torch.manual_seed(0)
        network = build_network(NetworkSettings(name=name, base=4))
        left = kinds(rewritten(network, slab(1, 1, 64, 64)), nn.BatchNorm2d)
        assert len(left) < len(kinds(network, nn.BatchNorm2d))
        assert not left or not all_gone


def test_branches_of_instance_norm_are_joined_before_it():
    network = build_network(NetworkSettings(base=4, options={"norm": "instance"}))
    copied = rewritten(network, slab(1, 1, 64, 64))
    assert len(kinds(copied, NormAfterJoining)) == 2
    assert not kinds(copied, ASPP)
    # three norms for the four branches are saved, in either block
    assert len(kinds(copied, nn.InstanceNorm2d)) == len(kinds(network, nn.InstanceNorm2d)) - 6
    assert isinstance(copied.decoder1["mab"].aspp, NormAfterJoining), "names of layers stay"


def test_spatial_attention_is_computed_in_blocks_where_sides_are_whole_blocks():
    """At the bottleneck a side can be a single pixel."""
    network = build_network(NetworkSettings(base=4))
    copied = rewritten(network, slab(1, 1, 64, 64))
    assert isinstance(copied.decoder1["mab"].spatial, SpatialAttentionInBlocks)
    assert isinstance(copied.mab_encoder.spatial, SpatialAttention)
