"""The comparison networks: published sizes, and what makes each of them the network it claims to be."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import nn

from rmaunet.networks.asunetpp import ASUNetPlusPlus
from rmaunet.networks.attention_unet import AttentionGate, AttentionUNet
from rmaunet.networks.blocks import SqueezeExcitation
from rmaunet.networks.hfrunet import DeepLabASPP, FusedSkip, HFRUNet
from rmaunet.networks.nnunet2d import NNUNet2d
from rmaunet.networks.raunet import AttentionResidualModule, RAUNet, ResidualUnit
from rmaunet.networks.rmaunet import RMAUNet, widths_from_base
from rmaunet.networks.saanet import SAANet, ScaleAxisAttention
from rmaunet.networks.size import network_size
from rmaunet.networks.unet import unet
from rmaunet.networks.unet3plus import UNet3Plus
from rmaunet.networks.unetpp import UNetPlusPlus

B64, B32, B16 = (widths_from_base(base) for base in (64, 32, 16))
TINY = (8, 8, 12, 16, 16)

# Millions of parameters and GMACs at 1 x 1 x 256 x 256, as a count made apart from this code printed them. That count has
# biases this code leaves out: before batch norms, where they do nothing, and in squeeze-and-excitation (Eq. 2 has none).
SIZES: list[tuple[str, Callable[..., nn.Module], dict, float, float]] = [
    ("U-Net++", UNetPlusPlus, {"widths": B32}, 9.05, 29.8),
    ("U-Net++, base 64", UNetPlusPlus, {"widths": B64}, 36.17, 119.0),
    ("Attention U-Net", AttentionUNet, {"widths": B64}, 34.88, 66.4),
    ("Attention U-Net, base 32", AttentionUNet, {"widths": B32}, 8.73, 16.6),
    ("SAA-Net", SAANet, {"widths": B64}, 56.93, 72.3),
    ("SAA-Net, base 32", SAANet, {"widths": B32}, 14.25, 18.1),
    ("HFRU-Net", HFRUNet, {"widths": B64}, 45.24, 63.2),
    ("HFRU-Net, base 32", HFRUNet, {"widths": B32}, 11.32, 15.8),
    ("UNet 3+", UNet3Plus, {"widths": B64}, 26.97, 197.8),
]


def left_out(network: nn.Module) -> int:
    """Biases that the count behind ``SIZES`` has and this code has not."""
    norms = sum(m.num_features for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    excitations = [m for m in network.modules() if isinstance(m, SqueezeExcitation)]
    return norms + sum(m.reduce.out_channels + m.expand.out_channels for m in excitations)


@pytest.mark.parametrize(("build", "arguments", "millions", "gmacs"), [r[1:] for r in SIZES], ids=[r[0] for r in SIZES])
def test_size_with_biases(build: Callable[..., nn.Module], arguments: dict, millions: float, gmacs: float) -> None:
    size = network_size(lambda: build(**arguments), (1, 1, 256, 256))
    with torch.device("meta"):
        biases = left_out(build(**arguments))
    assert (size.parameters + biases) / 1e6 == pytest.approx(millions, abs=0.0051)
    assert size.gmacs == pytest.approx(gmacs, abs=0.051)


@pytest.mark.parametrize(
    ("build", "arguments", "millions", "gmacs"),
    [
        (unet, {"widths": B64}, 31.04, 48.1),
        (RAUNet, {"widths": B16}, 0.738, 0.64),
        (RAUNet, {"widths": B32}, 2.916, 2.52),
        (RAUNet, {"widths": B64}, 11.595, 10.01),
        (ASUNetPlusPlus, {"widths": B32}, 38.90, 67.0),
    ],
    ids=["U-Net", "RA-UNet f=4", "RA-UNet f=8", "RA-UNet f=16", "ASU-Net++"],
)
def test_size(build: Callable[..., nn.Module], arguments: dict, millions: float, gmacs: float) -> None:
    size = network_size(lambda: build(classes=1, **arguments), (1, 1, 256, 256))
    digit = 0.0051 if millions > 30 else 0.00051
    assert size.parameters_millions == pytest.approx(millions, abs=digit)
    assert size.gmacs == pytest.approx(gmacs, abs=0.05 if gmacs > 40 else 0.005)


def test_unet_is_the_ablation_backbone() -> None:
    torch.manual_seed(0)
    one = unet(widths=TINY)
    torch.manual_seed(0)
    other = RMAUNet(widths=TINY, block="plain", mab_at="none")
    assert list(one.state_dict()) == list(other.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_unetpp_columns_and_supervision() -> None:
    """Ten nodes right of the backbone; with deep supervision the logits are the mean of four heads."""
    torch.manual_seed(0)
    network = UNetPlusPlus(widths=TINY, deep_supervision=True).eval()
    assert len(network.grid.unit) == 10
    assert network.grid.unit["03"][0].in_channels == 3 * 8 + 8
    x = torch.randn(1, 1, 16, 32)
    with torch.no_grad():
        heads = network.side_outputs(x)
        assert len(heads) == 4
        torch.testing.assert_close(network(x), sum(heads) / 4)
    plain = UNetPlusPlus(widths=TINY).eval()
    assert len(plain.side_outputs(x)) == 1


def test_unetpp_pruned_head_needs_no_deeper_node() -> None:
    """The point of deep supervision: X(0, 1) does not change when deeper backbone nodes do."""
    torch.manual_seed(0)
    network = UNetPlusPlus(widths=TINY, deep_supervision=True).eval()
    x = torch.randn(1, 1, 16, 32)
    with torch.no_grad():
        before = network.side_outputs(x)
        for parameter in network.x20.parameters():
            parameter.zero_()
        after = network.side_outputs(x)
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_attention_gate_by_hand() -> None:
    """Projections that copy: psi reads relu(g + x) of one inner channel; weight sigmoid of it."""
    gate = AttentionGate(2).eval()
    for part in (gate.gate, gate.skip, gate.psi):
        part[1].running_var.fill_(1 - part[1].eps)
    with torch.no_grad():
        gate.gate[0].weight.copy_(torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
        gate.skip[0].weight.copy_(torch.tensor([0.0, 1.0]).view(1, 2, 1, 1))
        gate.psi[0].weight.fill_(2)
    g = torch.tensor([[[[1.0, -5.0]], [[9.0, 9.0]]]])
    x = torch.tensor([[[[7.0, 8.0]], [[2.0, 4.0]]]])
    weights = torch.sigmoid(torch.tensor([2 * 3.0, 0.0]))  # relu(1 + 2) = 3, relu(-5 + 4) = 0
    torch.testing.assert_close(gate(g, x), x * weights)


def test_residual_unit_by_hand() -> None:
    """Zero body: the shortcut alone; the inner width is a quarter."""
    unit = ResidualUnit(4, 8)
    assert unit.body[1][2].weight.shape == (2, 2, 3, 3)
    nn.init.zeros_(unit.body[2][2].weight)
    nn.init.zeros_(unit.body[2][2].bias)
    x = torch.randn(2, 4, 4, 4)
    torch.testing.assert_close(unit(x), unit.shortcut(x))


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_attention_residual_module(depth: int) -> None:
    """(1 + mask) trunk, with a mask of 1/2 where the last convolution is zero."""
    torch.manual_seed(0)
    module = AttentionResidualModule(4, depth=depth).eval()
    nn.init.zeros_(module.mask[1].weight)
    nn.init.zeros_(module.mask[1].bias)
    x = torch.randn(1, 4, 16, 32)
    with torch.no_grad():
        torch.testing.assert_close(module(x), module.after(1.5 * module.trunk(module.before(x))))
    assert (len(module.down), len(module.side), len(module.up)) == (depth, depth - 1, depth)


def test_asunetpp_channels() -> None:
    """The channels of the backbone column that the authors' layers give."""
    with torch.device("meta"):
        network = ASUNetPlusPlus()
    column = (network.x00, network.x10, network.x20, network.x30, network.x40)
    assert [node.norm.num_features for node in column] == [64, 192, 512, 1024, 1408]
    rates = [[branch[0].dilation[0] for branch in node.branches] for node in column]
    assert rates == [[], [3], [3, 6], [3, 12, 18], [3, 6, 9]]
    assert network.grid.unit["13"].norm.num_features == 128
    with pytest.raises(ValueError, match="last two must be at least"):
        ASUNetPlusPlus(widths=(4, 4, 4, 1, 4))


def test_scale_axis_attention() -> None:
    """Scale weights that agree (zero fully connected layers) are 1/3; zero axis maps halve twice."""
    torch.manual_seed(0)
    unit = ScaleAxisAttention(8).eval()
    for module in (unit.rows, unit.columns, *unit.expand):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
    x = torch.randn(2, 8, 6, 10)
    with torch.no_grad():
        expected = sum(scale(x) for scale in unit.scales) / 3 / 4 + x
        torch.testing.assert_close(unit(x), expected)


def test_scale_axis_attention_tells_rows_from_columns() -> None:
    """Transposing the input and swapping the two axis convolutions transposes the output."""
    torch.manual_seed(0)
    unit = ScaleAxisAttention(8).eval()
    with torch.no_grad():
        for scale in unit.scales:  # kernels that do not know the axes
            scale[0].weight.copy_((scale[0].weight + scale[0].weight.transpose(2, 3)) / 2)
        x = torch.randn(1, 8, 6, 10)
        y = unit(x)
        unit.rows, unit.columns = unit.columns, unit.rows
        torch.testing.assert_close(unit(x.transpose(2, 3)), y.transpose(2, 3))
        assert not torch.allclose(unit(x), y)


def test_fused_skip_by_hand() -> None:
    """With silent squeeze-and-excitation (weights 1/2) and a fusion that reads the skip alone, half the skip comes out."""
    skip = FusedSkip(2, 2).eval()
    skip.fuse[1].running_var.fill_(1 - skip.fuse[1].eps)
    nn.init.zeros_(skip.recalibrate.expand.weight)
    with torch.no_grad():
        skip.fuse[0].weight.copy_(torch.eye(2, 4).view(2, 4, 1, 1))
        e = torch.rand(1, 2, 4, 4)
        torch.testing.assert_close(skip(e, torch.randn(1, 2, 2, 2)), e / 2)


def test_unet3plus_is_full_scale() -> None:
    """Each decoder stage has five inputs of equal width; deep supervision has five heads at full resolution."""
    network = UNet3Plus(widths=TINY, deep_supervision=True).eval()
    for stage in (network.decoder4, network.decoder3, network.decoder2, network.decoder1):
        assert len(stage.project) == 5
        assert stage.fuse[0].out_channels == 5 * TINY[0]
    x = torch.randn(1, 1, 32, 48)
    with torch.no_grad():
        heads = network.side_outputs(x)
        assert [head.shape for head in heads] == [(1, 2, 32, 48)] * 5
        torch.testing.assert_close(network(x), sum(heads) / 5)


def test_nnunet2d_has_the_plans_numbers() -> None:
    """Widths 32 to 512, seven resolutions of 256 x 256, two convolutions with bias and norm each, counted by hand."""
    network = NNUNet2d()
    widths = [32, 64, 128, 256, 512, 512, 512]

    def stage(cin: int, cout: int) -> int:
        return 9 * cin * cout + 9 * cout * cout + 2 * 3 * cout

    down = sum(stage(cin, cout) for cin, cout in zip([1, *widths], widths, strict=False))
    up = sum(4 * low * high + high + stage(2 * high, high) for high, low in itertools.pairwise(widths))
    assert sum(p.numel() for p in network.parameters()) == down + up + 2 * 32 + 2
    assert network.factor == 64
    with pytest.raises(ValueError, match="pad to 64 x 128"):
        network(torch.zeros(1, 1, 32, 128))
    with pytest.raises(ValueError, match="pad to 64 x 128 or more"):
        network(torch.zeros(1, 1, 64, 64))
    with pytest.raises(ValueError, match="deeper = -1"):
        NNUNet2d(deeper=-1)


def test_nnunet2d_halves_by_stride_and_sees_each_resolution() -> None:
    network = NNUNet2d(widths=(4, 4, 4, 4, 4), deeper=0)
    assert network.factor == 16
    sides: list[int] = []
    for stage in network.encoder:
        stage.register_forward_hook(lambda _module, _inputs, output: sides.append(output.shape[-1]))
    network(torch.zeros(1, 1, 64, 64))
    assert sides == [64, 32, 16, 8, 4]
    assert not any(isinstance(module, nn.MaxPool2d) for module in network.modules())


def test_hfrunet_has_the_dilations_of_deeplab_v3() -> None:
    aspp = DeepLabASPP(8)
    assert [branch[0].dilation[0] for branch in list(aspp.branches)[:-1]] == [1, 6, 12, 18]
    assert aspp(torch.randn(1, 8, 16, 16)).shape == (
        1,
        8,
        16,
        16,
    )  # one slice, training mode: the pooled branch allows it
