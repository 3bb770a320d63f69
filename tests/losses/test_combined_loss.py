"""The paper's hybrid loss and the rows of its ablation."""

import math

import pytest
import torch
from torch import nn

from rmaunet.losses import LOSSES, CombinedLoss, CrossEntropyLoss, DiceLoss, FocalLoss

LOG2 = math.log(2)
E = 1e-5
# Two pixels, p = 1/2 each, y = 1 and 0: the mean focal loss, the dice loss and the cross-entropy.
FOCAL = (0.25 + 0.75) / 2 * 0.25 * LOG2
DICE = 1 - (1 + E) / (1.5 + E)
CE = LOG2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("focal_dice", 0.5 * FOCAL + DICE),
        ("ce", CE),
        ("ce_dice", 0.5 * CE + DICE),
    ],
)
def test_values(name: str, expected: float) -> None:
    logits = torch.zeros(1, 1, 1, 2, dtype=torch.float64)
    assert LOSSES[name]()(logits, torch.tensor([[[[1, 0]]]])).item() == pytest.approx(expected)


def test_every_loss_has_a_value_here() -> None:
    assert set(LOSSES) == {"focal_dice", "ce", "ce_dice"}


def test_channels_are_averaged() -> None:
    """Channel 0 costs log 2, channel 1 nearly nothing: the mean of both."""
    logits = torch.zeros(1, 2, 1, 1, dtype=torch.float64)
    logits[0, 1] = 99
    target = torch.ones(1, 2, 1, 1)
    terms = [(1.0, CrossEntropyLoss())]
    assert CombinedLoss(terms)(logits, target).item() == pytest.approx(LOG2 / 2)


def test_refuses() -> None:
    with pytest.raises(ValueError, match="at least one loss"):
        CombinedLoss([])
    loss = LOSSES["focal_dice"]()
    with pytest.raises(ValueError, match=r"logits \(1, 2, 4, 4\) and target \(1, 1, 4, 4\) must have the same shape"):
        loss(torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradcheck(name: str) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 2, logits.shape)
    assert torch.autograd.gradcheck(lambda x: LOSSES[name]()(x, target), (logits,))


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_computed_in_float32(name: str, dtype: torch.dtype) -> None:
    """Half-precision logits give the loss of the same logits in float32, to float32's precision."""
    torch.manual_seed(0)
    logits = (4 * torch.randn(2, 2, 64, 64)).to(dtype)
    target = (torch.rand(2, 2, 64, 64) > 0.9).to(torch.uint8)
    loss = LOSSES[name]()(logits, target)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, LOSSES[name]()(logits.float(), target))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_under_autocast(name: str) -> None:
    """A convolution runs in bfloat16, its loss in float32, and the gradient comes back to float32 weights."""
    torch.manual_seed(0)
    head = nn.Conv2d(1, 2, 3, padding=1)
    target = (torch.rand(1, 2, 8, 8) > 0.5).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = head(torch.randn(1, 1, 8, 8))
        loss = LOSSES[name]()(logits, target)
    assert logits.dtype == torch.bfloat16
    assert loss.dtype == torch.float32
    assert torch.equal(loss, LOSSES[name]()(logits.float(), target))
    loss.backward()
    assert head.weight.grad.dtype == torch.float32
    assert head.weight.grad.isfinite().all()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_empty_channels_are_finite(name: str) -> None:
    """A batch without tumor (or without anything) has a finite loss and gradient, and being right costs next to nothing."""
    logits = torch.zeros(2, 2, 4, 4, requires_grad=True)
    target = torch.zeros(2, 2, 4, 4)
    loss = LOSSES[name]()(logits, target)
    loss.backward()
    assert loss.isfinite()
    assert logits.grad.isfinite().all()
    asked = logits.grad[:, :1] if name.endswith("_conditional") else logits.grad  # no liver: nothing is said of tumor
    assert (asked > 0).all()  # towards empty
    assert LOSSES[name]()(torch.full((2, 2, 4, 4), -99.0), target).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("loss", [FocalLoss(), DiceLoss(), DiceLoss(reduction="sample"), CrossEntropyLoss()], ids=repr)
def test_better_predictions_cost_less(loss: nn.Module) -> None:
    torch.manual_seed(0)
    target = (torch.rand(2, 1, 8, 8) > 0.7).float()
    towards = 2 * target - 1
    costs = [loss(strength * towards, target).item() for strength in (-2.0, 0.0, 1.0, 4.0)]
    assert costs == sorted(costs, reverse=True)
