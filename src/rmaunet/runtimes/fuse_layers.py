"""A network as fewer and larger layers: the same function, for runtimes that are given it converted.

What is done, where it applies:

- batch norm becomes part of the convolution before it;
- the branches of an ASPP are joined before their instance norm, not after: four norms of a few channels each take as long as
  four of sixteen, because a processor computes sixteen channels at once;
- the convolution of spatial attention, 7 x 7 from two channels to one, is computed over blocks of 4 x 4 pixels as 3 x 3 from 32
  channels to 16, for the same reason.

Names of modules stay, and with them those of the converted layers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pixel_shuffle, pixel_unshuffle
from torch.nn.utils.fusion import fuse_conv_bn_eval

from rmaunet.networks.blocks import InstanceNorm
from rmaunet.networks.channels_last import mean_over, peak_over_channels
from rmaunet.networks.mab import ASPP, SpatialAttention

__all__ = ["rewritten"]

BLOCK = 4
"""Side of the blocks of pixels that spatial attention's convolution is computed over: their pixels fill 16 channels."""


def rewritten(network: nn.Module, example: Tensor) -> nn.Module:
    """A copy of fewer and larger layers, equal but for rounding.

    Args:
        network: Any network; what is not known here stays as it is.
        example: A slab (N, C, H, W) that it takes.

    Returns:
        The copy, in evaluation mode, for slabs whose sides are multiples of 4 and fit the network.
    """
    copied = copy.deepcopy(network).eval()
    _fold_batch_norms(copied)
    _replace(copied, _joins_before_norm, NormAfterJoining)
    full = _at_full_resolution(copied, example)
    _replace(copied, lambda module: module in full, SpatialAttentionInBlocks)
    return copied


class NormAfterJoining(nn.Module):
    """An ASPP whose branches are joined before they are normalised: instance norm is each channel's own affair.

    Args:
        aspp: What it does the same as; its numbers are shared or copied.
    """

    def __init__(self, aspp: ASPP) -> None:
        super().__init__()
        branches = [cast(nn.Sequential, branch) for branch in aspp.branches]
        norms = [cast(InstanceNorm, branch[1]) for branch in branches]
        self.convolutions = nn.ModuleList(branch[0] for branch in branches)
        self.norm = InstanceNorm(sum(norm.num_features for norm in norms)).to(norms[0].weight)
        self.norm.eps = norms[0].eps
        with torch.no_grad():
            self.norm.weight.copy_(torch.cat([norm.weight for norm in norms]))
            self.norm.bias.copy_(torch.cat([norm.bias for norm in norms]))
        self.activation = branches[0][2]
        self.fuse = aspp.fuse

    def forward(self, x: Tensor) -> Tensor:
        """Multi-scale features of ``x`` (N, C, H, W)."""
        joined = torch.cat([convolution(x) for convolution in self.convolutions], dim=1)
        fused: Tensor = self.fuse(self.activation(self.norm(joined)))
        return fused


class SpatialAttentionInBlocks(nn.Module):
    """Spatial attention for maps whose sides are multiples of :data:`BLOCK`.

    Args:
        attention: What it does the same as; its kernel reaches no further than a block.
    """

    weight: Tensor

    def __init__(self, attention: SpatialAttention) -> None:
        super().__init__()
        kernel = attention.conv.weight.detach()[0]  # 2 k k
        side = kernel.shape[-1]
        filters = []
        for y in range(BLOCK):
            for x in range(BLOCK):  # a pixel of the middle one of 3 x 3 blocks, and what it takes from them
                canvas = kernel.new_zeros(2, 3 * BLOCK, 3 * BLOCK)
                top, left = BLOCK + y - side // 2, BLOCK + x - side // 2
                canvas[:, top : top + side, left : left + side] = kernel
                filters.append(pixel_unshuffle(canvas, BLOCK))
        self.register_buffer("weight", torch.stack(filters))

    def forward(self, x: Tensor) -> Tensor:
        """Weight the positions of ``x`` (N, C, H, W); same shape out."""
        # Joined after they are in blocks: joining maps of one channel takes as long as joining those of sixteen.
        maps = [pixel_unshuffle(one, BLOCK) for one in (mean_over(x, (1,)), peak_over_channels(x))]
        return x * torch.sigmoid(pixel_shuffle(conv2d(torch.cat(maps, dim=1), self.weight, padding=1), BLOCK))


def _fold_batch_norms(network: nn.Module) -> None:
    """Where a batch norm does not directly follow a convolution in a ``Sequential`` it stays."""
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for i in range(len(module) - 1):
            first, norm = module[i], module[i + 1]
            if isinstance(first, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(first, nn.ConvTranspose2d)
                module[i] = fuse_conv_bn_eval(first, norm, transpose=transposed)
                module[i + 1] = nn.Identity()


def _joins_before_norm(module: nn.Module) -> bool:
    return isinstance(module, ASPP) and all(
        isinstance(cast(nn.Sequential, branch)[1], InstanceNorm) for branch in module.branches
    )


def _at_full_resolution(network: nn.Module, example: Tensor) -> set[nn.Module]:
    """Spatial attention over maps as large as the slices: only there do the sides have to be whole blocks."""
    found: set[nn.Module] = set()

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].shape[2:] == example.shape[2:]:
            found.add(module)

    fitting = [
        module
        for module in network.modules()
        if isinstance(module, SpatialAttention) and module.conv.kernel_size[0] // 2 <= BLOCK
    ]
    hooks = [module.register_forward_pre_hook(note) for module in fitting]
    with torch.no_grad():
        network(example)
    for hook in hooks:
        hook.remove()
    return found


def _replace(network: nn.Module, which: Callable[[nn.Module], bool], made: Callable[..., nn.Module]) -> None:
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if which(child):
                setattr(module, name, made(child))
