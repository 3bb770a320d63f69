"""A loss on each head: the mean of the heads' losses, gradients in every head, and a training that uses it."""

import numpy as np
import pytest
import torch

from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.losses import LOSSES
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.unetpp import UNetPlusPlus
from rmaunet.preprocess import Preprocessing
from rmaunet.train import train
from rmaunet.train.batches import Batches
from rmaunet.train.deep_supervision import mean_loss, training_logits
from rmaunet.train.experiment import Experiment, Training
from rmaunet.train.sampling import Sampler, Sampling
from rmaunet.train.schedule import make_plan

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


def test_a_training_logs_the_mean_of_the_heads_losses(tmp_path):
    """The first step's loss, from the same first weights and the same first batch."""
    experiment = Experiment(
        network=NetworkSettings(name="unetpp", base=2, options={"deep_supervision": True}),
        preprocessing=Preprocessing(size=32),
        sampling=Sampling(slices="all"),
        training=Training(steps=1, batch=2),
        seed=3,
    )
    labels = np.zeros((4, 32, 32), np.uint8)
    labels[1:3, 8:24, 8:24], labels[2, 12:18, 12:18] = 1, 2
    with StoreWriter(tmp_path / "store", Preprocessing(size=32)) as writer:
        writer.add("volume-1", labels * 90, labels, spacing_mm=(2.0, 1.5, 1.5))
    store = Store(tmp_path / "store")
    train(experiment, store, ["volume-1"], tmp_path / "run")
    logged = float((tmp_path / "run" / "log.csv").read_text().splitlines()[1].split(",")[1])
    torch.manual_seed(experiment.seed)
    network = build_network(experiment.network).to(memory_format=torch.channels_last).train()
    sampler = Sampler([store.case("volume-1")], experiment.sampling, seed=experiment.seed)
    batch = Batches(store, experiment, make_plan(experiment.training, slices=4, size=32), sampler).make(0)
    loss_of = LOSSES[experiment.loss]()
    with torch.no_grad():
        heads = network.side_outputs(batch.images.to(memory_format=torch.channels_last))
    expected = sum(float(loss_of(head, batch.targets)) for head in heads) / 4
    assert logged == pytest.approx(expected, rel=1e-5)
