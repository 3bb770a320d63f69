"""What every test has in common."""

import sys

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Converted networks are kept for the length of a test run, and nothing of the user's is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMAUNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _denormals_are_numbers() -> None:
    """Hypothesis refuses to draw floats in a thread that flushes denormals, as runtimes of an earlier test may leave it."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
