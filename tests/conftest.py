"""What every test has in common."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Converted networks are kept for the length of a test run, and nothing of the user's is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMAUNET_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
