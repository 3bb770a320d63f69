"""Borrowed networks, with stand-ins for the two libraries (neither is a dependency)."""

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from rmaunet.core.errors import ModelError, UsageError
from rmaunet.networks.adapter import BorrowedNetwork, borrowed_network
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.facts import network_title


class Recorded(nn.Module):
    """Remembers how it was made."""

    def __init__(self, **arguments: object) -> None:
        super().__init__()
        self.arguments = arguments
        self.conv = nn.Conv2d(arguments["in_channels"], arguments.get("classes", arguments.get("out_channels")), 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class DynUNet(Recorded):
    pass


class MAnet(Recorded):
    pass


class Supervised(Recorded):
    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.conv(x)] * int(self.arguments.get("heads", 1))


class Classifier(Recorded):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class Needy(nn.Module):
    def __init__(self, **arguments: object) -> None:
        raise ImportError("from einops import rearrange (No module named 'einops').\n\nFor details, ...")


class Picky(nn.Module):
    def __init__(self, *, spatial_dims: int, in_channels: int, out_channels: int, img_size: int) -> None:
        super().__init__()


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    nets, smp = ModuleType("monai.networks.nets"), ModuleType("segmentation_models_pytorch")
    for kind in (DynUNet, Supervised, Classifier, Needy, Picky):
        setattr(nets, kind.__name__, kind)
    smp.MAnet = MAnet
    smp.version = "1"
    for name, module in {
        "monai": ModuleType("monai"),
        "monai.networks": ModuleType("monai.networks"),
        "monai.networks.nets": nets,
        "segmentation_models_pytorch": smp,
    }.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.usefixtures("libraries")
def test_monai_arguments() -> None:
    network = borrowed_network("monai:DynUNet", in_channels=3, classes=2, options={"strides": (1, 2, 2, 2, 1)})
    arguments = network.network.arguments
    assert (arguments["spatial_dims"], arguments["in_channels"], arguments["out_channels"]) == (2, 3, 2)
    assert arguments["kernel_size"] == (3, 3, 3, 3, 3)  # what the class needs and nobody gave
    assert arguments["strides"] == (1, 2, 2, 2, 1)  # what was given wins
    assert network(torch.zeros(1, 3, 32, 64)).shape == (1, 2, 32, 64)


@pytest.mark.usefixtures("libraries")
def test_smp_downloads_nothing_by_default() -> None:
    network = borrowed_network("smp:MAnet")
    assert network.network.arguments == {"encoder_weights": None, "in_channels": 1, "classes": 2}
    assert borrowed_network("smp:MAnet", options={"encoder_weights": "imagenet"}).network.arguments["encoder_weights"]


@pytest.mark.usefixtures("libraries")
def test_joins_experiments() -> None:
    network = build_network(NetworkSettings(name="smp:MAnet", options={"encoder_name": "resnet18"}), classes=3)
    assert isinstance(network, BorrowedNetwork)
    assert network.network.arguments["encoder_name"] == "resnet18"
    assert network_title("smp:MAnet") == "MAnet (smp)"
    assert network_title("monai:DynUNet") == "DynUNet (monai)"
    assert network_title("hfrunet") == "HFRU-Net (reconstruction)"


@pytest.mark.usefixtures("libraries")
def test_outputs() -> None:
    x = torch.zeros(1, 1, 32, 32)
    assert borrowed_network("monai:Supervised")(x).shape == (1, 2, 32, 32)
    with pytest.raises(ModelError, match=r"outputs = 4: returns several outputs.*deep supervision off"):
        borrowed_network("monai:Supervised", options={"heads": 4})(x)
    with pytest.raises(ModelError, match="not logits of the input's size"):
        borrowed_network("monai:Classifier")(x)
    with pytest.raises(ValueError, match="multiples of 32; pad to 32 x 64"):
        borrowed_network("monai:DynUNet")(torch.zeros(1, 1, 32, 48))


@pytest.mark.usefixtures("libraries")
def test_unknown_names() -> None:
    with pytest.raises(UsageError, match=r"smp:UNett: network = UNett: is no network of smp; nearest are MAnet"):
        borrowed_network("smp:UNett")
    with pytest.raises(UsageError, match="is no network of smp"):
        borrowed_network("smp:version")
    with pytest.raises(UsageError, match=r"library = timm: is unknown; choose from monai, smp"):
        borrowed_network("timm:resnet18")
    with pytest.raises(UsageError, match=r"lacks a package: .*No module named 'einops'\)\.; install that package$"):
        borrowed_network("monai:Needy")
    with pytest.raises(ModelError, match=r"monai:Picky: options = \{\}: cannot be made: .*img_size"):
        borrowed_network("monai:Picky")


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("monai", "monai.networks", "monai.networks.nets", "segmentation_models_pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UsageError, match=r"monai:UNet: library = monai: is not installed; pip install monai"):
        borrowed_network("monai:UNet")
    with pytest.raises(UsageError, match="pip install segmentation-models-pytorch"):
        borrowed_network("smp:MAnet")


@pytest.mark.usefixtures("libraries")
def test_a_broken_installation_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that lacks one of its own dependencies says so itself."""

    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'timm'", name="timm")

    monkeypatch.setattr("rmaunet.networks.adapter.importlib.import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="timm"):
        borrowed_network("smp:MAnet")
