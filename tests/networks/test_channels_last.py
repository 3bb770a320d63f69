"""Means and maxima are PyTorch's own; their gradients keep the memory order."""

import pytest
import torch

from rmaunet.networks.channels_last import mean_over, peak_of_maps, peak_over_channels

PLAIN = {
    "mean of maps": (lambda x: mean_over(x, (2, 3)), lambda x: x.mean(dim=(2, 3), keepdim=True)),
    "mean over channels": (lambda x: mean_over(x, (1,)), lambda x: x.mean(dim=1, keepdim=True)),
    "peak of maps": (peak_of_maps, lambda x: x.amax(dim=(2, 3), keepdim=True)),
    "peak over channels": (peak_over_channels, lambda x: x.amax(dim=1, keepdim=True)),
}
ORDERS = (torch.channels_last, torch.contiguous_format)


def maps(dtype=torch.float64, order=torch.channels_last):
    x = torch.randn((2, 3, 4, 6), generator=torch.Generator().manual_seed(0), dtype=dtype)
    return x.to(memory_format=order).requires_grad_()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", PLAIN)
def test_a_pool_and_its_gradient_are_those_of_pytorch(name, order):
    pool, plain = PLAIN[name]
    x = maps(order=order)
    assert pool(x).equal(plain(x))
    assert pool(x.detach()).equal(plain(x))
    assert torch.autograd.gradcheck(pool, x)


def test_equal_channels_share_the_gradient_of_their_peak():
    x = torch.tensor([1.0, 3.0, 3.0, 2.0]).reshape(1, 4, 1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(peak_over_channels(x).sum(), x)
    assert gradient.flatten().tolist() == [0, 0.5, 0.5, 0]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", PLAIN)
def test_the_gradient_has_the_memory_order_of_the_maps(name, order):
    x = maps(torch.bfloat16, order)
    (gradient,) = torch.autograd.grad(PLAIN[name][0](x).sum(), x)
    assert gradient.dtype == torch.bfloat16
    assert gradient.is_contiguous(memory_format=order)
