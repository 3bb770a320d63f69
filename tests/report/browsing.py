"""A real headless Chromium that opens a page from disk and remembers everything that went wrong."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
PATIENCE_MS = 240_000  # a busy machine draws slowly
WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
NO_WEBGL = ["--disable-gpu", "--disable-3d-apis"]


@dataclass
class Opened:
    """The page and what happened on it: console errors, page errors, dialogs, requests beyond the file itself."""

    page: Page
    wrong: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened(path: Path, *, webgl: bool = True, width: int = 1280, height: int = 900) -> Iterator[Opened]:
    """Open a file by its file:// address and wait until its viewer has started or given up."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        flags = [*QUIET, *(WEBGL if webgl else NO_WEBGL)]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        found = Opened(page)
        page.on(
            "console", lambda m: found.wrong.append(f"console: {m.text}") if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda e: found.wrong.append(f"error: {e}"))
        page.on("dialog", lambda d: (found.wrong.append(f"dialog: {d.message}"), d.dismiss()))
        own = path.resolve().as_uri()
        page.on(
            "request",
            lambda r: (
                found.wrong.append(f"request: {r.url[:200]}") if not r.url.startswith((own, "data:", "blob:")) else None
            ),
        )
        try:
            page.goto(own, timeout=PATIENCE_MS)
            page.wait_for_selector("html[data-viewer]", state="attached", timeout=PATIENCE_MS)
            yield found
        finally:
            browser.close()
