"""The worked example of docs/how-to/add-a-network.md does what the page says."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.networks import NETWORKS
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.networks.facts import FACTS, NetworkFacts, network_title
from rmaunet.networks.size import network_size
from rmaunet.train.presets import PAPER

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-network.md").read_text(encoding="utf-8")
FILE, REGISTER, FACT, COUNT, TRAIN = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def added(load_file: Callable[..., ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Follow the page up to step 3; undone afterwards."""
    file = tmp_path / "sum_unet.py"
    file.write_text(FILE, encoding="utf-8")
    facts = dict(FACTS)
    names = {"NETWORKS": dict(NETWORKS), "FACTS": facts, "NetworkFacts": NetworkFacts}
    names["SumUNet"] = load_file(file).SumUNet
    exec(REGISTER, names)
    exec(FACT, names)
    monkeypatch.setitem(NETWORKS, "sum_unet", names["NETWORKS"]["sum_unet"])
    monkeypatch.setattr("rmaunet.networks.facts.FACTS", facts)
    return names


def test_contract(added: dict[str, object], load_file: Callable[..., ModuleType]) -> None:
    """Every function of the contract tests accepts the new network."""
    contract = load_file(ROOT / "tests" / "contracts" / "test_networks.py", "contract_of_networks")
    assert "sum_unet" in contract.NAMES
    checked = []
    for name, check in vars(contract).items():
        if name.startswith("test_"):
            arguments = inspect.signature(check).parameters
            values = {"name": "sum_unet", "channels": 3, "classes": 2}
            check(**{key: values[key] for key in arguments})
            checked.append(name)
    assert len(checked) >= 8


def test_experiment_and_title(added: dict[str, object]) -> None:
    names: dict[str, object] = {"replace": replace, "PAPER": PAPER, "NetworkSettings": NetworkSettings}
    exec(TRAIN, names)
    network = build_network(names["experiment"].network)
    assert type(network).__name__ == "SumUNet"
    assert network.encoder1[0].out_channels == 32
    assert network_title("sum_unet") == "Sum-U-Net"


def test_count(added: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    exec(COUNT, {"network_size": network_size, "SumUNet": added["SumUNet"]})
    assert capsys.readouterr().out.startswith(f"{added['FACTS']['sum_unet'].parameters:_} parameters, ")


def test_page_links_to_files_that_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / "how-to" / target).exists(), target


def test_example_file_obeys_the_house() -> None:
    """Its path is the one the page names, and it starts with a docstring as every module does."""
    assert FILE.startswith('# src/rmaunet/networks/sum_unet.py\n"""')
