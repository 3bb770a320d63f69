"""The worked example of docs/how-to/add-a-data-set.md does what the page says."""

import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.cli.main import main
from rmaunet.datasets import DATASETS, DataSet
from rmaunet.datasets.store.slice_store import Store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-data-set.md").read_text(encoding="utf-8")
FILE, REGISTER, TREE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CONTRACTS = ROOT / "tests" / "contracts"


@pytest.fixture
def contract(load_file: Callable[..., ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Follow the page up to step 3; undone afterwards."""
    file = tmp_path / "clinic.py"
    file.write_text(FILE, encoding="utf-8")
    monkeypatch.setitem(DATASETS, "clinic", DataSet(lambda root: []))
    for name in ("rmaunet.datasets.clinic", "trees", "contract_of_data_sets"):
        monkeypatch.setitem(sys.modules, name, None)
    module = load_file(file, "rmaunet.datasets.clinic")
    exec(REGISTER, {"DATASETS": DATASETS, "DataSet": DataSet, **vars(module)})
    trees = load_file(ROOT / "tests" / "cases" / "trees.py")
    exec(TREE, vars(trees))
    return load_file(CONTRACTS / "test_datasets.py", "contract_of_data_sets")


def test_contract(contract: ModuleType, tmp_path: Path) -> None:
    assert "clinic" in contract.NAMES
    roots = {"clinic": contract.TREES["clinic"].write(tmp_path / "set")}
    checked = []
    for name, check in vars(contract).items():
        if name.startswith("test_"):
            (tmp_path / name).mkdir()
            values = {"name": "clinic", "roots": roots, "tmp_path": tmp_path / name}
            check(**{key: values[key] for key in inspect.signature(check).parameters})
            checked.append(name)
    assert len(checked) >= 7


def test_every_command_knows_it(contract: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, store = str(contract.TREES["clinic"].write(tmp_path / "set")), tmp_path / "store"
    for more in ([], ["--layout", "clinic"]):
        assert main(["data", "check", root, "--json", *more]) == 0
        assert json.loads(capsys.readouterr().out)["layout"] == "clinic"
        assert main(["data", "overlap", root, "--json", *more]) == 0
        capsys.readouterr()
    assert main(["prepare", "clinic", root, "-o", str(store), "--size", "32"]) == 0
    assert [case.name for case in Store(store).cases] == ["anna", "bert"]
    assert Store(store).licence == "CLINIC (made up)"


@pytest.mark.parametrize("words", [["prepare", "clinik", ".", "-o", "s"], ["data", "check", ".", "--layout", "clinik"]])
def test_an_unknown_layout_is_refused_with_the_known_ones(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "clinik" in said
    assert all(name in said for name in DATASETS)


def test_page_links_to_files_that_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / "how-to" / target).exists(), target


def test_example_file_obeys_the_house() -> None:
    assert FILE.startswith('# src/rmaunet/datasets/clinic.py\n"""')
