"""docs/concepts/network.md agrees with the code."""

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from torch import nn

from rmaunet.losses import DiceLoss, FocalLoss
from rmaunet.networks.facts import FACTS
from rmaunet.networks.mab import ASPP
from rmaunet.networks.rmaunet import RMAUNet
from rmaunet.preprocess import Preprocessing

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "concepts" / "network.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "lab" / "scripts" / "make_network_doc.py")


def test_generated_tables_are_up_to_date(script: ModuleType) -> None:
    assert script.generate(DOCUMENT) == DOCUMENT, "run lab/scripts/make_network_doc.py"


def test_a_lost_marker_is_noticed(script: ModuleType) -> None:
    with pytest.raises(ValueError, match="layers: 0 places"):
        script.generate(DOCUMENT.replace("network_doc.py: layers", "network_doc.py: lairs"))


def test_layers_hold_every_parameter() -> None:
    block = DOCUMENT.split("network_doc.py: layers -->")[1].split("<!-- end -->")[0]
    counts = [int(line.split("|")[4].replace(",", "")) for line in block.strip().splitlines()[2:]]
    assert sum(counts) == FACTS["rmaunet"].parameters


def arguments(table: int) -> dict[str, object]:
    """The arguments in the last column of a table of open points, 1 being the first."""
    rows = DOCUMENT.split("| open point |")[table].split("\n\n")[0].splitlines()[2:]
    last_cells = " ".join(line.rstrip(" |").rsplit("| ", 1)[-1] for line in rows)
    return {name: ast.literal_eval(value) for name, value in re.findall(r"`(\w+)=(.+?)`", last_cells)}


def test_decisions_name_the_defaults_of_the_code() -> None:
    """Every argument in the table of decisions has the default it says, and no argument is missing there."""
    written = arguments(1)
    actual = {name: p.default for name, p in inspect.signature(RMAUNet).parameters.items()}
    assert written == {name: value for name, value in actual.items() if name not in ("in_channels", "block")}


def test_open_points_of_loss_and_preprocessing_name_the_defaults() -> None:
    loss = {
        **{name: p.default for name, p in inspect.signature(FocalLoss).parameters.items()},
        **{name: p.default for name, p in inspect.signature(DiceLoss).parameters.items()},
    }
    assert arguments(2) == loss
    settings = arguments(3)
    assert settings == {name: getattr(Preprocessing(), name) for name in ("grid",)}


def test_the_heads_start_is_the_one_documented() -> None:
    bias = RMAUNet(widths=(4, 8, 8, 8, 8)).head.bias
    assert f"{float(bias[0].detach()):.3f}" in DOCUMENT
    assert "batch norm" in DOCUMENT
    assert any(isinstance(module, nn.BatchNorm2d) for module in ASPP(8, 8).fuse), "the norm after the ASPP's fusion"
