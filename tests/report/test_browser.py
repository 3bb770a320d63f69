"""The report in a real browser, opened from disk: it starts, jumps to a lesion, and neither errs nor reaches out."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rmaunet.data.phantom import Phantom, phantom
from rmaunet.report.page import viewer_script, write_report

browsing = pytest.importorskip("browsing", reason="run from the repository")

pytestmark = [
    pytest.mark.skipif(browsing.CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright here (pip install -e .[dev])"
    ),
    pytest.mark.skipif(viewer_script() is None, reason="this installation has no viewer (built without npm)"),
]
EVIL = "<img src=x onerror=alert(1)></title></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def made() -> Phantom:
    return phantom(seed=3, shape=(48, 80, 80), lesions=3)


@pytest.fixture(scope="module")
def report(made: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browser") / "a <b> #report.html"
    write_report(made.ct, made.mask, path, title=EVIL, notes=[EVIL], facts={EVIL: EVIL})
    return path


def place(page) -> np.ndarray:  # type: ignore[no-untyped-def]
    return np.array([float(v) for v in page.get_attribute("#planes", "data-crosshair-mm").split(",")])


def test_a_click_on_a_lesion_moves_the_crosshair_there(report: Path, made: Phantom) -> None:
    with browsing.opened(report) as found:
        page = found.page
        assert page.get_attribute("html", "data-viewer") == "ready"
        assert page.title() == EVIL
        rows = page.locator("tr[data-lesion]")
        assert rows.count() == 3
        seen = []
        for i in (2, 0, 1):
            rows.nth(i).click()
            wanted = np.array([float(v) for v in rows.nth(i).get_attribute("data-go-mm").split(",")])
            at = place(page)
            assert np.abs(at - wanted).max() < 0.02
            near = min(np.linalg.norm(at * [-1, -1, 1] - lesion.center_mm) for lesion in made.lesions)
            assert near < 8.0
            assert "tumor" in page.inner_text("#readout")
            seen.append(at)
        assert min(np.linalg.norm(seen[0] - seen[1]), np.linalg.norm(seen[1] - seen[2])) > 5.0
        # The planes are drawn: the canvas is not one flat color.
        picture = page.locator("#planes").screenshot()
        assert len(picture) > 5_000
        # Every control works without an error; a click into a plane moves the crosshair.
        for name in ("Liver", "Wide", "Abdomen"):
            page.get_by_role("button", name=name).click()
        page.locator("#opacity").fill("80")
        page.locator("#outline").uncheck()
        page.locator("#planes").click(position={"x": 120, "y": 120})
        assert np.linalg.norm(place(page) - seen[-1]) > 5.0
        rows.nth(0).focus()
        page.keyboard.press("Enter")
        assert np.abs(place(page) - seen[1]).max() < 0.02
        assert found.wrong == []


def test_without_webgl_the_pictures_stand_in(report: Path) -> None:
    with browsing.opened(report, webgl=False) as found:
        page = found.page
        assert page.get_attribute("html", "data-viewer") == "failed"
        assert page.locator("#viewer-missing").is_visible()
        assert not page.locator("#viewer").is_visible()
        assert page.locator("figure img").count() >= 2
        assert all(page.locator("figure img").nth(i).bounding_box()["width"] > 100 for i in range(2))
        page.locator("tr[data-lesion]").nth(0).click()
        page.emulate_media(media="print")
        assert not page.locator("#viewer-missing").is_visible()
        assert [line for line in found.wrong if "WebGL" not in line] == []
