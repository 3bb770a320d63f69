"""The worked example of docs/adding-a-data-set.md does what the page says."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.data import DATASETS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-data-set.md").read_text(encoding="utf-8")
FILE, REGISTER, TREE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CONTRACTS = ROOT / "tests" / "contracts"


@pytest.fixture
def contract(load_file: Callable[..., ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Follow the page up to step 3; undone afterwards."""
    file = tmp_path / "clinic.py"
    file.write_text(FILE, encoding="utf-8")
    monkeypatch.setitem(DATASETS, "clinic", None)
    for name in ("rmaunet.data.clinic", "trees", "contract_of_data_sets"):
        monkeypatch.setitem(sys.modules, name, None)
    module = load_file(file, "rmaunet.data.clinic")
    exec(REGISTER, {"DATASETS": DATASETS, "cases": module.cases})
    trees = load_file(CONTRACTS / "trees.py")
    exec(TREE, vars(trees))
    return load_file(CONTRACTS / "test_datasets.py", "contract_of_data_sets")


def test_contract(contract: ModuleType, tmp_path: Path) -> None:
    assert "clinic" in contract.NAMES
    roots = {"clinic": contract.TREES["clinic"].write(tmp_path / "set")}
    checked = []
    for name, check in vars(contract).items():
        # Recognition needs a line in detect.py, which the page leaves open.
        if name.startswith("test_") and name not in ("test_it_is_recognised", "test_a_good_set_has_no_errors"):
            (tmp_path / name).mkdir()
            values = {"name": "clinic", "roots": roots, "tmp_path": tmp_path / name}
            check(**{key: values[key] for key in inspect.signature(check).parameters})
            checked.append(name)
    assert len(checked) >= 5
    from rmaunet.data.check import check_set

    assert check_set(roots["clinic"], "clinic").count("error") == 0


def test_page_links_to_files_that_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target


def test_example_file_obeys_the_house() -> None:
    assert FILE.startswith('# src/rmaunet/data/clinic.py\n"""')
