"""Means and maxima are PyTorch's own; their gradients keep the memory order."""

import pytest
import torch

from rmaunet.networks.pooling import mean_over, peak_of_maps

LAST = torch.channels_last


def maps(dtype=torch.float64):
    return torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize("dims", [(2, 3), (1,)])
def test_the_mean_and_its_gradient_are_those_of_pytorch(dims):
    x = maps().requires_grad_()
    assert mean_over(x, dims).equal(x.mean(dim=dims, keepdim=True))
    assert mean_over(x.detach(), dims).equal(x.mean(dim=dims, keepdim=True))
    assert torch.autograd.gradcheck(lambda maps: mean_over(maps, dims), x)


def test_the_peak_and_its_gradient_are_those_of_pytorch():
    x = maps().requires_grad_()
    assert peak_of_maps(x).equal(x.amax(dim=(2, 3), keepdim=True))
    assert peak_of_maps(x.detach()).equal(x.amax(dim=(2, 3), keepdim=True))
    assert torch.autograd.gradcheck(peak_of_maps, x)


@pytest.mark.parametrize("pool", [lambda x: mean_over(x, (2, 3)), lambda x: mean_over(x, (1,)), peak_of_maps])
@pytest.mark.parametrize("order", [LAST, torch.contiguous_format])
def test_the_gradient_has_the_memory_order_of_the_maps(pool, order):
    x = maps(torch.bfloat16).to(memory_format=order).requires_grad_()
    (gradient,) = torch.autograd.grad(pool(x).sum(), x)
    assert gradient.dtype == torch.bfloat16
    assert gradient.is_contiguous(memory_format=order)
