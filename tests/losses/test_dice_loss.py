"""Dice loss against values worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from rmaunet.losses import DiceLoss

LOG3 = math.log(3)  # p = 3/4
E = 1e-5


def slices(*rows: list[float]) -> Tensor:
    """Slices of one channel and one row each, (N, 1, 1, W)."""
    return torch.tensor(rows, dtype=torch.float64)[:, None, None]


@pytest.mark.parametrize(
    ("logits", "target", "expected"),
    [
        # p = 1/2, 1/2; y = 1, 0: overlap 1/2, sizes 1/2 + 1
        (slices([0, 0]), slices([1, 0]), 1 - (1 + E) / (1.5 + E)),
        # p = 3/4, 1/4; y = 1, 0: overlap 3/4, sizes 10/16 + 1
        (slices([LOG3, -LOG3]), slices([1, 0]), 1 - (1.5 + E) / (1.625 + E)),
        # p = 3/4, 3/4; y = 1, 1: squared sizes make an unsure hit cost: overlap 3/2, sizes 18/16 + 2
        (slices([LOG3, LOG3]), slices([1, 1]), 1 - (3 + E) / (3.125 + E)),
        # certain: all right, all wrong
        (slices([99, -99]), slices([1, 0]), 0.0),
        (slices([-99, 99]), slices([1, 0]), 1 - E / (2 + E)),
    ],
)
def test_dice_values(logits: Tensor, target: Tensor, expected: float) -> None:
    assert DiceLoss()(logits, target).item() == pytest.approx(expected, abs=1e-12)


def test_dice_of_an_empty_channel() -> None:
    """Nothing there: predicted empty 0, one certain false pixel nearly 1; never 0/0."""
    nothing = slices([0, 0, 0, 0])
    assert DiceLoss()(slices([-99] * 4), nothing).item() == pytest.approx(0, abs=1e-12)
    assert DiceLoss()(slices([99, -99, -99, -99]), nothing).item() == pytest.approx(1 - E / (1 + E))
    # Half unsure everywhere (what a fresh network says): nearly 1, with a finite gradient that pushes down.
    logits = torch.zeros(1, 1, 1, 4, requires_grad=True)
    loss = DiceLoss()(logits, nothing)
    loss.sum().backward()
    assert loss.item() == pytest.approx(1, abs=2e-5)
    assert logits.grad.isfinite().all()
    assert (logits.grad > 0).all()


def test_dice_of_a_missed_object_is_one() -> None:
    assert DiceLoss()(slices([-99, -99]), slices([1, 1])).item() == pytest.approx(1, abs=1e-5)


def test_dice_reductions() -> None:
    """A large object found on one slice, a small one missed on another: the batch sum hides it, the mean does not."""
    logits = slices([99, 99, 99, -99], [-99, -99, -99, -99])
    target = slices([1, 1, 1, 0], [0, 0, 0, 1])
    assert DiceLoss()(logits, target).item() == pytest.approx(1 - (6 + E) / (7 + E))
    assert DiceLoss(reduction="sample")(logits, target).item() == pytest.approx((0 + 1 - E / (1 + E)) / 2)
    # One slice: no difference.
    torch.testing.assert_close(DiceLoss()(logits[:1], target[:1]), DiceLoss(reduction="sample")(logits[:1], target[:1]))


def test_dice_sample_counts_an_empty_slice_as_right() -> None:
    logits, target = slices([99, -99], [-99, -99]), slices([0, 1], [0, 0])
    assert DiceLoss(reduction="sample")(logits, target).item() == pytest.approx(0.5, abs=1e-5)


def test_dice_channels_stay_apart() -> None:
    logits = torch.cat([slices([99, 99]), slices([-99, 99])], dim=1)
    target = torch.cat([slices([1, 1]), slices([1, 0])], dim=1)
    torch.testing.assert_close(DiceLoss()(logits, target), torch.tensor([0, 1 - E / (2 + E)], dtype=torch.float64))


def test_dice_epsilon() -> None:
    assert DiceLoss(epsilon=1.0)(slices([0, 0]), slices([1, 0])).item() == pytest.approx(1 - 2 / 2.5)
    with pytest.raises(ValueError, match="epsilon = 0: must be above 0"):
        DiceLoss(epsilon=0)


def test_dice_sums_beyond_float16() -> None:
    """8 x 256 x 256 certain pixels sum to 524,288; float16 ends at 65,504."""
    logits = torch.full((8, 1, 256, 256), 20.0, dtype=torch.float16)
    loss = DiceLoss()(logits, torch.ones(8, 1, 256, 256, dtype=torch.uint8))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("reduction", ["batch", "sample"])
def test_dice_gradcheck(reduction: str) -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 2, logits.shape)
    target[1, 1] = 0  # an empty channel of one slice
    assert torch.autograd.gradcheck(lambda x: DiceLoss(reduction=reduction)(x, target), (logits,))
