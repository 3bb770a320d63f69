"""docs/network.md says what the code does."""

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.networks.facts import FACTS
from rmaunet.networks.rmaunet import RMAUNet

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "network.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "scripts" / "make_network_doc.py")


def test_generated_tables_are_up_to_date(script: ModuleType) -> None:
    assert script.generate(DOCUMENT) == DOCUMENT, "run scripts/make_network_doc.py"


def test_a_lost_marker_is_noticed(script: ModuleType) -> None:
    with pytest.raises(ValueError, match="layers: 0 places"):
        script.generate(DOCUMENT.replace("network_doc.py: layers", "network_doc.py: lairs"))


def test_layers_hold_every_parameter() -> None:
    block = DOCUMENT.split("network_doc.py: layers -->")[1].split("<!-- end -->")[0]
    counts = [int(line.split("|")[4].replace(",", "")) for line in block.strip().splitlines()[2:]]
    assert sum(counts) == FACTS["rmaunet"].parameters


def test_decisions_name_the_defaults_of_the_code() -> None:
    """Every argument in the table of decisions has the default it says, and no argument is missing there."""
    decisions = DOCUMENT.split("| open point |")[1].split("\n\n")[0]
    last_cells = [line.rstrip(" |").rsplit("| ", 1)[-1] for line in decisions.splitlines()[2:]]
    written = dict(re.findall(r"`(\w+)=(.+?)`", " ".join(last_cells)))
    actual = {name: p.default for name, p in inspect.signature(RMAUNet).parameters.items()}
    assert {name: ast.literal_eval(value) for name, value in written.items()} == {
        name: value for name, value in actual.items() if name not in ("in_channels", "block")
    }
