import pytest
import torch

from rmaunet.losses import LOSSES, CombinedLoss, ConditionalLoss, CrossEntropyLoss

CE = CombinedLoss([(1.0, CrossEntropyLoss())])


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    """A liver of three pixels in a row of nine, its middle pixel tumor."""
    torch.manual_seed(0)
    target = torch.zeros(1, 2, 1, 9)
    target[0, 0, 0, 3:6] = 1
    target[0, 1, 0, 4] = 1
    return torch.randn(1, 2, 1, 9, dtype=torch.float64), target


@pytest.mark.parametrize(("margin", "pixels"), [(0, slice(3, 6)), (1, slice(2, 7)), (4, slice(0, 9))])
def test_the_tumor_counts_in_and_near_the_liver(margin: int, pixels: slice) -> None:
    logits, target = scene()
    value = ConditionalLoss(CE, margin=margin)(logits, target)
    expected = (CE(logits[:, :1], target[:, :1]) + CE(logits[:, 1:, :, pixels], target[:, 1:, :, pixels])) / 2
    torch.testing.assert_close(value, expected)


def test_far_tumor_logits_have_no_gradient_and_liver_logits_all_have() -> None:
    logits, target = scene()
    logits.requires_grad_()
    ConditionalLoss(CE, margin=1)(logits, target).backward()
    gradient = logits.grad
    assert gradient is not None
    assert gradient[0, 0].all()
    assert gradient[0, 1, 0].count_nonzero() == 5
    assert not gradient[0, 1, 0, :2].any()


def test_without_liver_only_the_liver_counts() -> None:
    logits, target = scene()
    empty = torch.zeros_like(target)
    torch.testing.assert_close(ConditionalLoss(CE)(logits, empty), CE(logits[:, :1], empty[:, :1]) / 2)


def test_gradcheck() -> None:
    logits, target = scene()
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: LOSSES["ce_dice_conditional"]()(x, target), (logits,))


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="give"):
        ConditionalLoss(CE)(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match="margin = -1"):
        ConditionalLoss(CE, margin=-1)
