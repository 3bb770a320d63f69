"""Where training runs."""

import pytest
import torch

from rmaunet.core.errors import UsageError
from rmaunet.train.batches import Batch
from rmaunet.train.training_device import usable_device


def test_a_device_that_is_not_there_is_refused_in_one_line():
    assert usable_device("cpu") == torch.device("cpu")
    for name, text in (
        ("cuda:99", r"--device = cuda:99: cannot be used here \(.*; use --device cpu"),
        ("gpu", "--device = gpu: is no device; did you mean cuda\\? use cpu, cuda, cuda:N or mps"),
        ("meta", "--device = meta: is no device; use cpu"),
        ("auto", "--device = auto: is no device"),
    ):
        with pytest.raises(UsageError, match=text) as caught:
            usable_device(name)
        assert "\n" not in str(caught.value)


def test_a_batch_moves_as_a_whole():
    batch = Batch(torch.ones(2, 1, 4, 4), torch.zeros(2, 2, 4, 4), ())
    moved = batch.to(torch.device("meta"))
    assert {moved.images.device.type, moved.targets.device.type} == {"meta"}
    assert moved.refs == batch.refs
