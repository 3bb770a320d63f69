"""RMAU-Net: sizes and costs, gradients, and each block against a case computed by hand."""

import math

import pytest
import torch
from torch import Tensor, nn

from rmaunet.networks.blocks import DoubleConv, SqueezeExcitation, Upsample, check_divisible
from rmaunet.networks.mab import ASPP, ChannelAttention, MultiScaleAttentionBlock, SpatialAttention
from rmaunet.networks.rmaunet import ResSEBlock, RMAUNet, reduced_channels, widths_from_base
from rmaunet.networks.size import network_size

B64, B32, B16 = (widths_from_base(base) for base in (64, 32, 16))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


# Millions of parameters and GMACs at 1 x 1 x 256 x 256; the first nine are those of the paper's ablation.
SIZES = [
    ("RMAU-Net, base 64", {"widths": B64}, 43.677, 56.16),
    ("RMAU-Net, base 32", {"widths": B32}, 10.925, 14.06),
    ("RMAU-Net, base 16", {"widths": B16}, 2.734, 3.53),
    ("backbone, base 64", {"widths": B64, "block": "plain", "mab_at": "none"}, 31.037, 48.10),
    ("backbone, base 32", {"widths": B32, "block": "plain", "mab_at": "none"}, 7.762, 12.04),
    ("backbone, base 16", {"widths": B16, "block": "plain", "mab_at": "none"}, 1.942, 3.01),
    ("Res-SE only, base 64", {"widths": B64, "mab_at": "none"}, 33.014, 50.79),
    ("Res-SE only, base 32", {"widths": B32, "mab_at": "none"}, 8.258, 12.71),
    ("Res-SE only, base 16", {"widths": B16, "mab_at": "none"}, 2.066, 3.18),
    ("MAB only, base 64", {"widths": B64, "block": "plain"}, 41.699, 53.47),
    ("MAB only, base 32", {"widths": B32, "block": "plain"}, 10.429, 13.38),
    ("MAB only, base 16", {"widths": B16, "block": "plain"}, 2.610, 3.36),
    ("encoder MAB only", {"mab_at": "encoder"}, 43.635, 53.47),
    ("decoder MAB only", {"mab_at": "decoder"}, 33.056, 53.48),
    ("MAB after every decoder block", {"mab_at": "all_decoder"}, 47.164, 64.22),
    ("bilinear", {"up": "bilinear"}, 44.372, 64.75),
    ("bilinear and convolution", {"up": "bilinear_conv"}, 47.159, 73.34),
    ("three classes", {"classes": 3}, 43.677, 56.16),
]


@pytest.mark.parametrize(("arguments", "millions", "gmacs"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES])
def test_size_and_cost(arguments: dict, millions: float, gmacs: float) -> None:
    size = network_size(lambda: RMAUNet(**arguments), (1, 1, 256, 256))
    # half a unit of the last printed digit, and a hair for values that end in 5
    assert size.parameters_millions == pytest.approx(millions, abs=0.00051)
    assert size.gmacs == pytest.approx(gmacs, abs=0.0051)


def test_modules_add_up() -> None:
    """Parameters: what Res-SE adds and what the MABs add is what RMAU-Net has more than its backbone."""

    def count(**arguments: object) -> int:
        return network_size(lambda: RMAUNet(widths=B16, **arguments), (1, 1, 16, 16)).parameters

    backbone, whole = count(block="plain", mab_at="none"), count()
    assert (count(mab_at="none") - backbone) + (count(block="plain") - backbone) == whole - backbone


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"block": "plain", "mab_at": "none"},
        {"mab_at": "all_decoder", "norm": "instance"},
        {"up": "bilinear"},
        {"up": "bilinear_conv", "norm": "group"},
    ],
    ids=str,
)
def test_gradients_reach_every_parameter(arguments: dict) -> None:
    silent: set[str] = set()
    for seed in range(5):  # a ReLU between two small fully connected layers may be shut: another seed opens it
        torch.manual_seed(seed)
        network = RMAUNet(widths=(16, 16, 24, 32, 48), **arguments)
        network(torch.randn(2, 1, 32, 32)).square().mean().backward()
        gradients = {name: p.grad for name, p in network.named_parameters()}
        assert all(g is not None and g.isfinite().all() for g in gradients.values())
        zero = {name for name, g in gradients.items() if not g.any()}
        silent = zero if seed == 0 else silent & zero
    assert silent == set()


def test_refuses_sides_that_do_not_halve() -> None:
    network = RMAUNet(widths=(2, 2, 2, 2, 2)).eval()
    with pytest.raises(ValueError, match=r"slice of 250 x 256 pixels: .*multiples of 16; pad to 256 x 256"):
        network(torch.zeros(1, 1, 250, 256))
    with pytest.raises(ValueError, match="pad to 16 x 272"):
        network(torch.zeros(1, 1, 16, 257))
    with pytest.raises(ValueError, match=r"volume of 9 x 16 x 16 voxels.*pad to 16 x 16 x 16"):
        check_divisible(9, 16, 16, factor=8)
    with pytest.raises(ValueError, match="pad to 16 x 16"):
        check_divisible(0, 16, factor=16)


def test_refuses_wrong_widths() -> None:
    with pytest.raises(ValueError, match=r"widths = \(8, 16\): 5 widths are needed"):
        RMAUNet(widths=(8, 16))
    with pytest.raises(ValueError, match="each at least 1"):
        RMAUNet(widths=(8, 16, 0, 8, 8))


@pytest.mark.parametrize(("channels", "expected"), [(64, 10), (128, 21), (1024, 170), (3, 1)])
def test_reduced_channels(channels: int, expected: int) -> None:
    assert reduced_channels(channels) == expected


# --- blocks, by hand ------------------------------------------------------------------------------------------------


def fill(weight: Tensor, values: list) -> None:
    with torch.no_grad():
        weight.copy_(torch.tensor(values, dtype=weight.dtype).reshape(weight.shape))


def neutral(module: nn.Module) -> None:
    """Batch norms that change nothing: running mean 0, and a variance of 1 less their epsilon."""
    module.eval()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_var.fill_(1 - norm.eps)


def test_squeeze_excitation() -> None:
    """Means 2 and -1; hidden relu(2 - (-1)) = 3; weights sigmoid(3) and sigmoid(-6)."""
    block = SqueezeExcitation(2, hidden=1)
    fill(block.reduce.weight, [1, -1])
    fill(block.expand.weight, [1, -2])
    u = torch.tensor([[[[1.0, 3.0]], [[-4.0, 2.0]]]])
    expected = torch.tensor([[[[1.0, 3.0]], [[-4.0, 2.0]]]]) * torch.tensor([sigmoid(3), sigmoid(-6)]).view(1, 2, 1, 1)
    torch.testing.assert_close(block(u), expected)
    # A shut ReLU leaves sigmoid(0) for every channel.
    torch.testing.assert_close(block(-u), -u / 2)


def test_channel_attention() -> None:
    """Two channels, one hidden unit that reads the first: mean 2 and maximum 3 give MLPs of 2 and 3, then their sum."""
    block = ChannelAttention(2)
    fill(block.mlp[0].weight, [1, 0])
    fill(block.mlp[2].weight, [1, -1])
    x = torch.tensor([[[[1.0, 3.0]], [[10.0, 20.0]]]])
    expected = torch.tensor([[[[1.0, 3.0]], [[10.0, 20.0]]]]) * torch.tensor([sigmoid(5), sigmoid(-5)]).view(1, 2, 1, 1)
    torch.testing.assert_close(block(x), expected)


def test_channel_attention_width() -> None:
    assert ChannelAttention(64).mlp[0].weight.shape == (4, 64, 1, 1)
    assert ChannelAttention(8).mlp[0].weight.shape == (1, 8, 1, 1)


def test_spatial_attention() -> None:
    """A kernel whose centre reads mean + 2 maximum: one weight per position, the same for all channels."""
    block = SpatialAttention()
    kernel = torch.zeros(1, 2, 7, 7)
    kernel[0, 0, 3, 3], kernel[0, 1, 3, 3] = 1, 2
    fill(block.conv.weight, kernel.tolist())
    x = torch.tensor([[[[1.0, -1.0]], [[3.0, 0.0]]]])  # means 2 and -0.5, maxima 3 and 0
    weight = torch.tensor([sigmoid(2 + 6), sigmoid(-0.5)])
    torch.testing.assert_close(block(x), x * weight)


def test_spatial_attention_reaches_three_pixels() -> None:
    """The 7 x 7 window ends three pixels away."""
    block = SpatialAttention()
    nn.init.ones_(block.conv.weight)
    x = torch.zeros(1, 1, 9, 9)
    x[..., 4, 4] = 1
    y = block(x + 1e-3) / (x + 1e-3)
    assert y[0, 0, 4, 1] > 0.8  # sigmoid(2 + ...), sees the centre
    assert y[0, 0, 4, 0] < 0.6  # four pixels away: does not


def test_res_se_block() -> None:
    """3 x 3 kernels that copy: u = max-like of Leaky ReLU twice; y = shortcut(x) + u s(u)."""
    block = ResSEBlock(1, 1)
    neutral(block)
    centre = [0, 0, 0, 0, 1, 0, 0, 0, 0]
    fill(block.body[0].weight, centre)
    fill(block.body[3].weight, [2 * c for c in centre])
    fill(block.shortcut[0].weight, [10])
    fill(block.se.reduce.weight, [1])
    fill(block.se.expand.weight, [1])
    x = torch.tensor([[[[1.0, -1.0]]]])
    u = torch.tensor([2.0, -2 * 0.01 * 0.01])  # Leaky ReLU after each convolution
    s = sigmoid(u.mean().item())
    torch.testing.assert_close(block(x), 10 * x + u * s)


def test_double_conv_is_the_paper_backbone() -> None:
    """Two convolutions, each followed by batch norm and an ordinary ReLU."""
    block = DoubleConv(1, 1)
    neutral(block)
    fill(block[0].weight, [1] * 9)
    fill(block[3].weight, [0, 0, 0, 0, -1, 0, 0, 0, 0])
    assert block(torch.ones(1, 1, 3, 3)).eq(0).all()
    fill(block[3].weight, [0, 0, 0, 0, 1, 0, 0, 0, 0])
    counts = torch.tensor([[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]])  # neighbours inside the image
    torch.testing.assert_close(block(torch.ones(1, 1, 3, 3))[0, 0], counts)


def test_aspp_rates() -> None:
    """An impulse through kernels of ones shows up 1, 2, 4 and 8 pixels away, in one branch each."""
    aspp = ASPP(1, 4)
    neutral(aspp)
    for branch in aspp.branches:
        nn.init.ones_(branch[0].weight)
    fill(aspp.fuse[0].weight, torch.eye(4).tolist())
    x = torch.zeros(1, 1, 17, 17)
    x[..., 8, 8] = 1
    y = aspp(x)[0]
    for channel, rate in enumerate((1, 2, 4, 8)):
        expected = torch.zeros(17, 17)
        expected[8 - rate :: rate, 8 - rate :: rate][:3, :3] = 1
        torch.testing.assert_close(y[channel], expected)


def test_aspp_fuses_all_branches() -> None:
    aspp = ASPP(1, 4)
    neutral(aspp)
    for branch in aspp.branches:
        nn.init.ones_(branch[0].weight)
    fill(aspp.fuse[0].weight, [[1, 2, 3, -4]] * 4)
    x = torch.zeros(1, 1, 17, 17)
    x[..., 8, 8] = 1
    y = aspp(x)[0, 0].detach()
    assert y[8, 8] == pytest.approx(1 + 2 + 3 - 4)  # the centre tap of every rate
    assert y[8, 9] == pytest.approx(1)
    assert y[8, 12] == pytest.approx(3)
    assert y[0, 0] == pytest.approx(-0.04)  # Leaky ReLU


def test_mab_order() -> None:
    """ASPP, then channel, then spatial attention."""
    torch.manual_seed(0)
    mab = MultiScaleAttentionBlock(8, 8).eval()
    x = torch.randn(1, 8, 6, 6)
    torch.testing.assert_close(mab(x), mab.spatial(mab.channel(mab.aspp(x))))


def test_upsample_modes() -> None:
    up = Upsample(1, 1)
    fill(up[0].weight, [1, 2, 3, 4])
    nn.init.zeros_(up[0].bias)
    torch.testing.assert_close(up(torch.tensor([[[[5.0]]]]))[0, 0], torch.tensor([[5.0, 10.0], [15.0, 20.0]]))
    flat = torch.full((1, 1, 3, 3), 7.0)
    torch.testing.assert_close(Upsample(1, 1, mode="bilinear")(flat), torch.full((1, 1, 6, 6), 7.0))
    assert Upsample(4, 2, mode="bilinear_conv")(torch.zeros(2, 4, 3, 3)).shape == (2, 2, 6, 6)


def test_initialisation_keeps_zero_biases_but_in_the_head() -> None:
    network = RMAUNet(widths=(4, 4, 4, 4, 4))
    biases = [
        m.bias
        for m in network.modules()
        if isinstance(m, nn.Conv2d | nn.ConvTranspose2d) and m.bias is not None and m is not network.head
    ]
    assert biases
    assert all(not bias.any() for bias in biases)
