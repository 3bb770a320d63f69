import math

import pytest
import torch

from rmaunet.losses import CrossEntropyLoss

LOG3 = math.log(3)


@pytest.mark.parametrize(
    ("logit", "y", "expected"),
    [
        (0.0, 1, math.log(2)),
        (0.0, 0, math.log(2)),
        (LOG3, 1, math.log(4 / 3)),
        (LOG3, 0, math.log(4)),
        (-500.0, 1, 500.0),
    ],
)
def test_values(logit: float, y: float, expected: float) -> None:
    loss = CrossEntropyLoss()(torch.full((1, 1, 1, 1), logit, dtype=torch.float64), torch.full((1, 1, 1, 1), y))
    assert loss.item() == pytest.approx(expected)


def test_mean_over_batch_and_pixels_not_channels() -> None:
    logits = torch.zeros(2, 2, 1, 2, dtype=torch.float64)
    logits[0, 1] = LOG3
    loss = CrossEntropyLoss()(logits, torch.ones(2, 2, 1, 2))
    expected = [math.log(2), (math.log(2) + math.log(4 / 3)) / 2]
    torch.testing.assert_close(loss, torch.tensor(expected, dtype=torch.float64))


def test_gradcheck() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, 2, logits.shape)
    assert torch.autograd.gradcheck(lambda x: CrossEntropyLoss()(x, target), (logits,))
