"""A loss on each head: the mean of the heads' losses, gradients in every head, and a training that uses it."""

import pytest
import torch

from rmaunet.losses import LOSSES
from rmaunet.networks.unetpp import UNetPlusPlus
from rmaunet.train.heads import mean_loss, training_logits

WIDTHS = (4, 4, 6, 8, 8)


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(2, 1, 32, 32, generator=generator) * 2 - 1
    return images, (torch.rand(2, 2, 32, 32, generator=generator) > 0.7).float()


def test_the_loss_is_the_mean_of_the_heads_losses(batch):
    images, targets = batch
    network, loss_of = UNetPlusPlus(widths=WIDTHS, deep_supervision=True).eval(), LOSSES["focal_dice"]()
    heads = training_logits(network, images)
    assert len(heads) == 4
    expected = sum(float(loss_of(head, targets).detach()) for head in heads) / 4
    assert float(mean_loss(loss_of, heads, targets).detach()) == pytest.approx(expected)
    together = float(loss_of(network(images), targets).detach())
    assert expected != pytest.approx(together, abs=1e-6)  # a loss on the mean of the heads is another one


def test_every_head_is_taught_by_its_own_error(batch):
    """With the last head's loss alone the first heads would get no gradient."""
    images, targets = batch
    network = UNetPlusPlus(widths=WIDTHS, deep_supervision=True)
    mean_loss(LOSSES["focal_dice"](), training_logits(network, images), targets).backward()
    assert all(head.weight.grad.abs().sum() > 0 for head in network.heads)


def test_one_head_is_the_networks_output(batch):
    network = UNetPlusPlus(widths=WIDTHS).eval()
    (only,) = training_logits(network, batch[0])
    assert torch.equal(only, network(batch[0]))
