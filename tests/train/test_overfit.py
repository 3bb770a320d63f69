"""A network that learns must learn four slices by heart; these hold liver and tumor."""

import numpy as np
import torch

from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.losses import LOSSES
from rmaunet.networks import RMAUNet
from rmaunet.networks.rmaunet import widths_from_base
from rmaunet.preprocess import Preprocessing, prepare


def dice(prediction, reference):
    return float(2 * (prediction & reference).sum() / (prediction.sum() + reference.sum()))


def test_four_slices_are_overfitted_in_seconds():
    torch.manual_seed(0)
    scene = phantom("abdomen", seed=3, shape=(32, 64, 64), lesions=3, lesion_radius_mm=(15.0, 25.0))
    labels = scene.mask.array
    best = np.argsort([-int((plane == 2).sum()) for plane in labels])[:4]
    prepared = prepare(scene.ct, Preprocessing(grid="matrix", size=64))
    images = torch.from_numpy(np.concatenate([prepared.slices(z, z + 1) for z in best]))
    kept = labels[best]
    target = torch.from_numpy(np.stack([liver_mask(kept), tumor_mask(kept)], axis=1).astype(np.float32))
    assert target[:, 1].sum() > 100
    network = RMAUNet(widths=widths_from_base(12))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    loss_of = LOSSES["focal_dice"]()
    for _ in range(150):
        optimiser.zero_grad()
        loss_of(network(images), target).backward()
        optimiser.step()
    with torch.no_grad():
        found = network(images) > 0
    truth = target > 0.5
    assert dice(found[:, 0], truth[:, 0]) > 0.95
    assert dice(found[:, 1], truth[:, 1]) > 0.95
