"""Reports of real scans from public packages in a real browser: pictures taken, a lesion clicked, nothing amiss.

The packages are fetched through pip, or come from the cache of `rmaunet demo`; without a network these tests are skipped.
They take minutes, and run where RMAUNET_REAL_REPORTS=1 is set.
"""

import importlib.util
import os
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from rmaunet.errors import RmaunetError
from rmaunet.report.page import viewer_script

browsing = pytest.importorskip("browsing", reason="run from the repository")

ROOT = Path(__file__).parents[2]
CACHE = Path.home() / ".cache" / "rmaunet"  # not the tests' own: what `make demo` has fetched is not fetched again

pytestmark = [
    pytest.mark.skipif("RMAUNET_REAL_REPORTS" not in os.environ, reason="RMAUNET_REAL_REPORTS=1 asks for it"),
    pytest.mark.skipif(browsing.CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(viewer_script() is None, reason="this installation has no viewer (built without npm)"),
    pytest.mark.timeout(1200),
]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_screenshots", ROOT / "scripts" / "make_screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("what", ["demo", "tumors"])
def test_a_real_report_is_clicked_and_pictured(what: str, script: ModuleType, tmp_path: Path) -> None:
    cache = CACHE if CACHE.is_dir() else tmp_path / "cache"
    try:
        page = {"demo": script.demo_report, "tumors": script.tumors_report}[what](tmp_path, cache)
    except (RmaunetError, subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"the public package cannot be fetched here ({error})")
    assert page.stat().st_size < 15e6
    script.shoot(page, tmp_path / "page.png")  # clicks, compares the crosshair, fails on errors and requests
    picture = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    liver = np.abs(picture - (0, 170, 190)).sum(axis=2) < 90
    assert liver.sum() > 2000  # teal contours and the liver in 3-D
    assert picture.std() > 40
