"""The examples of docs/concepts/metrics.md and of the docstrings give what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import rmaunet.metrics

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "metrics.md"
MODULES = [module.name for module in pkgutil.iter_modules(rmaunet.metrics.__path__)]


def test_page() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert failed == 0
    assert tried > 20


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"rmaunet.metrics.{name}")).failed == 0


def test_every_public_name_is_exported_once() -> None:
    names = rmaunet.metrics.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(rmaunet.metrics, name) for name in names)


def test_measuring_needs_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, rmaunet.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
