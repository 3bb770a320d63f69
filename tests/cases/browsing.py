"""A real headless Chromium that opens a report from disk, and what a report must do there.

Nothing here waits for a time: each wait is for a state of the page, and one that is not reached says what was.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from rmaunet.report.page import viewer_script

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
]
PATIENCE_SECONDS = 240.0  # a busy machine draws slowly
WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_WEBGL = ["--disable-gpu", "--disable-3d-apis"]
NEAR_MM = 0.02  # positions are written with two digits
NEEDS = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None, reason="no playwright here (pip install -e .[dev])"
    ),
    pytest.mark.skipif(viewer_script() is None, reason="this installation has no viewer (built without npm)"),
]
"""Marks of tests that open a report."""


@dataclass
class Opened:
    """A page and what went wrong on it: console messages, page errors, crashes, dialogs, requests beyond the file itself."""

    page: Page
    patience_seconds: float = PATIENCE_SECONDS
    wrong: list[str] = field(default_factory=list)

    def wait_until(self, reached: Callable[[], bool], what: Callable[[], str]) -> None:
        """Look until a state is reached; an AssertionError says what was seen instead, and what went wrong before."""
        end = time.monotonic() + self.patience_seconds
        while not reached():
            if time.monotonic() > end:
                raise AssertionError(
                    f"after {self.patience_seconds:.0f} s: {what()}; wrong before: {self.wrong or 'nothing'}"
                )
            self.page.wait_for_timeout(50)

    def crosshair(self) -> np.ndarray:
        """Where the crosshair is said to be: left-right, front-back, feet-head (RAS, mm)."""
        return _numbers(self.page.get_attribute("#planes", "data-crosshair-mm"))

    def wait_for_crosshair(self, wanted: np.ndarray) -> None:
        self.wait_until(
            lambda: bool(np.abs(self.crosshair() - wanted).max() <= NEAR_MM),
            lambda: f"the crosshair is at {self.crosshair()}, not at {wanted}",
        )

    def go_to(self, row: Locator) -> np.ndarray:
        """Click a row of the lesion table and wait until the crosshair is at its lesion."""
        wanted = _numbers(row.get_attribute("data-go-mm"))
        row.click()
        self.wait_for_crosshair(wanted)
        return wanted

    def click_plane(self, x: float, y: float) -> np.ndarray:
        """Click into the planes, at fractions of their width and height where the crosshair is not; where it went."""
        before, box = self.crosshair(), self.page.locator("#planes").bounding_box()
        assert box is not None
        self.page.locator("#planes").click(position={"x": x * box["width"], "y": y * box["height"]})
        self.wait_until(
            lambda: not np.array_equal(before, self.crosshair()),
            lambda: f"a click at {x:.0%}, {y:.0%} of the planes left the crosshair at {before}",
        )
        return self.crosshair()

    def planes(self) -> np.ndarray:
        """Red, green and blue (3, rows, columns) of the planes as shown, once they have stopped changing."""
        self.page.evaluate("scrollTo(0, 0)")  # at another fraction of a pixel all edges would look a little different
        shots = [b"", b"."]

        def still() -> bool:
            shots[:] = [shots[1], self.page.locator("#planes").screenshot()]
            return shots[0] == shots[1]

        self.wait_until(still, lambda: "the planes do not stop changing")
        return np.moveaxis(np.asarray(Image.open(io.BytesIO(shots[1])).convert("RGB")).astype(int), 2, 0)

    def settle(self) -> None:
        """Wait until every picture has loaded or failed, and what that sets off has happened."""
        self.wait_until(
            lambda: bool(self.page.evaluate("[...document.images].every((one) => one.complete)")),
            lambda: "a picture neither loads nor fails",
        )
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


@contextlib.contextmanager
def opened(
    path: Path, *, webgl: bool = True, width: int = 1280, height: int = 900, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Opened]:
    """Open a file by its file:// address and wait until its viewer has started or given up.

    Args:
        path: The report.
        webgl: Whether the browser can draw in three dimensions (in software).
        width: Of the window, pixels.
        height: Of the window, pixels.
        patience_seconds: How long a state of the started page is waited for.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        flags = [*QUIET, *(WEBGL if webgl else NO_WEBGL)]
        patience_ms = 1000 * PATIENCE_SECONDS
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=patience_ms)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(patience_ms)
        found = Opened(page, patience_seconds)
        _listen(found, path.resolve().as_uri())
        try:
            page.goto(path.resolve().as_uri())
            page.wait_for_selector("html[data-viewer]", state="attached")
            yield found
        finally:
            browser.close()


def _listen(found: Opened, own: str) -> None:
    page, wrong = found.page, found.wrong
    page.on("console", lambda m: wrong.append(f"console: {m.text}") if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: wrong.append(f"error: {e}"))
    page.on("crash", lambda _: wrong.append("the page crashed"))
    page.on("dialog", lambda d: (wrong.append(f"dialog: {d.message}"), d.dismiss()))
    page.on("websocket", lambda s: wrong.append(f"request: {s.url[:200]}"))
    page.on("popup", lambda p: wrong.append(f"popup: {p.url[:200]}"))
    own_or_inline = (own, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(own_or_inline) else wrong.append(f"request: {r.url[:200]}"))


def check_report(found: Opened, *, lesions: bool = True) -> None:
    """What holds for every report with a viewer; an AssertionError says what does not.

    The viewer starts; a click on a lesion's row, if it is to have lesions, moves the crosshair there, in what the page says and
    in what it draws; the display is radiological, by where clicks lead and by the compass; nothing errs, asks, or reaches out.
    """
    page = found.page
    assert page.get_attribute("html", "data-viewer") == "ready", page.text_content("#viewer-missing")
    check_clicks(found)
    rows = page.locator("tr[data-lesion]")
    assert (rows.count() > 0) == lesions, f"{rows.count()} rows of lesions"
    if lesions:
        check_lesion_row(found, rows.first)
    check_compass(found)
    check_nothing_is_wrong(found)


def check_lesion_row(found: Opened, row: Locator) -> None:
    """A click on a lesion's row moves the crosshair there, and the planes with it."""
    before, elsewhere = found.planes(), found.crosshair()
    wanted = found.go_to(row)
    assert np.abs(elsewhere - wanted).max() > 1, (
        f"the crosshair was at the lesion, {wanted}, before the click on its row"
    )
    assert (found.planes() != before).any(), "the crosshair is said to have moved, but the planes look as before"


def check_clicks(found: Opened) -> None:
    """Where clicks into the axial plane, the first of the row, lead: its left is the patient's right, its top the front."""
    left, right = found.click_plane(0.08, 0.5), found.click_plane(0.22, 0.5)
    assert left[0] > right[0] + 1, (
        f"not radiological: clicks left and right in the axial plane lead to {left} and {right}"
    )
    top, bottom = found.click_plane(0.15, 0.3), found.click_plane(0.15, 0.7)
    assert top[1] > bottom[1] + 1, (
        f"the front is not up: clicks above and below in the axial plane lead to {top} and {bottom}"
    )


def check_compass(found: Opened) -> None:
    """R is left of L beside the 3-D view, which one sees from the front."""
    texts = found.page.locator("#compass text")
    at = {texts.nth(i).text_content(): float(texts.nth(i).get_attribute("x") or "nan") for i in range(texts.count())}
    assert at["R"] < at["L"], f"the compass has R at {at['R']} and L at {at['L']}, as if seen from behind"


def check_letters(found: Opened) -> None:
    """R stands at the left and L at the right edge of the axial plane of a phantom (no bone is as small and bright there)."""
    found.click_plane(0.12, 0.65)  # the crosshair's lines cross no letter
    bright = found.planes().min(axis=0) > 120
    parts, _ = ndimage.label(bright, np.ones((3, 3)))
    letters = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if 8 <= height <= 12 and 4 <= width <= 10 and columns.stop < 0.4 * bright.shape[1]:
            upper_right = (parts[rows, columns] == number)[: height // 2, width // 2 :]
            letters.append(
                (columns.start, rows.start, "R" if upper_right.mean() > 0.15 else "L")
            )  # an L has no ink there
    _, level, _ = min(letters, default=(0, 0, ""))
    edges = "".join(letter for _, row, letter in sorted(letters) if abs(row - level) <= 2)
    assert edges == "RL", f"the axial plane is lettered {edges or 'with nothing'} from left to right, not RL"


def check_nothing_is_wrong(found: Opened) -> None:
    found.settle()
    assert found.wrong == [], "\n".join(found.wrong)


def _numbers(text: str | None) -> np.ndarray:
    return np.array([float(value) for value in (text or "nan,nan,nan").split(",")])
