"""What every test has in common."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Converted networks are kept for the length of a test run, and nothing of the user's is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMAUNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def load_file() -> Callable[..., ModuleType]:
    """``load_file(path)``, or ``load_file(path, name)``: a Python file that is in no package, as a module."""

    def load(path: Path, name: str = "") -> ModuleType:
        spec = importlib.util.spec_from_file_location(name or path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # dataclasses ask for the module they stand in
        spec.loader.exec_module(module)
        return module

    return load
