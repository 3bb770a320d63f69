"""Focal loss against values worked out by hand; p = 1/2, 3/4 and 4/5 are logits 0, log 3 and log 4."""

import math

import pytest
import torch

from rmaunet.losses import FocalLoss
from rmaunet.losses.cross_entropy import CrossEntropyLoss

LOG2, LOG3, LOG4 = math.log(2), math.log(3), math.log(4)


def one(logit: float, y: float, **arguments: object) -> float:
    loss = FocalLoss(**arguments)(torch.tensor([[[[logit]]]], dtype=torch.float64), torch.tensor([[[[y]]]]))
    assert loss.shape == (1,)
    return loss.item()


@pytest.mark.parametrize(
    ("logit", "y", "arguments", "expected"),
    [
        (0.0, 1, {}, 0.25 * 0.25 * LOG2),
        (0.0, 0, {}, 0.75 * 0.25 * LOG2),
        (LOG3, 1, {}, 0.25 * (1 / 4) ** 2 * math.log(4 / 3)),
        (LOG3, 0, {}, 0.75 * (3 / 4) ** 2 * math.log(4)),
        (-LOG4, 1, {"alpha": 0.75}, 0.75 * (4 / 5) ** 2 * math.log(5)),
        (-LOG4, 0, {"alpha": 0.75}, 0.25 * (1 / 5) ** 2 * math.log(5 / 4)),
        (LOG3, 1, {"alpha": None, "gamma": 3.0}, (1 / 4) ** 3 * math.log(4 / 3)),
        (LOG3, 0, {"alpha": None, "gamma": 0.0}, math.log(4)),
        (LOG3, 1, {"gamma": 0.5}, 0.25 * 0.5 * math.log(4 / 3)),
    ],
)
def test_values(logit: float, y: float, arguments: dict, expected: float) -> None:
    assert one(logit, y, **arguments) == pytest.approx(expected, rel=1e-12)


def test_mean_over_batch_and_pixels_not_channels() -> None:
    logits = torch.zeros(2, 2, 1, 2, dtype=torch.float64)
    logits[:, 1] = LOG3
    target = torch.ones(2, 2, 1, 2)
    target[0, 0, 0, 0] = 0
    loss = FocalLoss()(logits, target)
    channel0 = (3 * 0.25 + 0.75) / 4 * 0.25 * LOG2
    torch.testing.assert_close(loss, torch.tensor([channel0, 0.25 / 16 * math.log(4 / 3)], dtype=torch.float64))


def test_without_focus_and_weights_it_is_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 4, 5), torch.randint(0, 2, (2, 3, 4, 5))
    plain = FocalLoss(gamma=0.0, alpha=None)(logits, target)
    torch.testing.assert_close(plain, CrossEntropyLoss()(logits, target))


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_certain_and_wrong_is_finite(y: float) -> None:
    """log(sigmoid) would be minus infinity; the loss of logit -200 against 1 is alpha * 200."""
    logits = torch.full((1, 1, 1, 1), -200.0 if y else 200.0, requires_grad=True)
    loss = FocalLoss()(logits, torch.full((1, 1, 1, 1), y))
    assert loss.item() == pytest.approx(200 * (0.25 if y else 0.75))
    loss.sum().backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_certain_and_right_costs_nothing(y: float) -> None:
    logits = torch.full((1, 1, 1, 1), 200.0 if y else -200.0, requires_grad=True)
    loss = FocalLoss()(logits, torch.full((1, 1, 1, 1), y))
    loss.sum().backward()
    assert loss.item() == 0
    assert logits.grad.item() == 0


@pytest.mark.parametrize("arguments", [{}, {"gamma": 1.0, "alpha": 0.75}, {"alpha": None}, {"gamma": 0.0}], ids=str)
def test_gradcheck(arguments: dict) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 2, logits.shape)
    assert torch.autograd.gradcheck(lambda x: FocalLoss(**arguments)(x, target), (logits,))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": -0.1}, "gamma = -0.1: must be at least 0"),
        ({"alpha": 1.0}, "alpha = 1.0: must lie between 0 and 1"),
        ({"alpha": 0.0}, "or be None for no weighting"),
    ],
)
def test_refuses(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FocalLoss(**arguments)
