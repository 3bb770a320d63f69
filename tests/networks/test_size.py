import torch
from torch import nn

from rmaunet.networks.size import NetworkSize, network_size


def test_closed_form() -> None:
    """A convolution costs out x in x k x k x positions; a bias costs nothing here."""
    size = network_size(lambda: nn.Conv2d(3, 5, 3, padding=1), (1, 3, 10, 20))
    assert size == NetworkSize(parameters=5 * 3 * 9 + 5, macs=5 * 3 * 9 * 200)
    assert (size.parameters_millions, size.gmacs) == (140e-6, 27000e-9)


def test_counts_per_batch_and_transposed() -> None:
    size = network_size(lambda: nn.ConvTranspose2d(4, 2, 2, stride=2, bias=False), (3, 4, 8, 8))
    assert size.macs == 3 * 4 * 2 * 4 * 64


def test_frozen_parameters_do_not_count() -> None:
    def build() -> nn.Module:
        network = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
        network[0].weight.requires_grad_(False)
        return network

    assert network_size(build, (1, 4)).parameters == 16


def test_allocates_nothing() -> None:
    """A network of 40 TB is counted."""
    assert network_size(lambda: nn.Linear(10**6, 10**7), (1, 10**6)).macs == 10**13
    assert torch.zeros(1).device.type == "cpu"  # the default device is put back
