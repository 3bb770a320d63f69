"""The checks of browsing.py can fail: each fault put into a good report is complained of, and for what it is."""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.report.page import write_report

browsing = pytest.importorskip("browsing", reason="run from the repository")

pytestmark = [pytest.mark.timeout(1200), *browsing.NEEDS]
NAME = "<img src=x onerror=alert('name')>"
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# What runs in a page that has started well, and what is said of it.
FAULTS = {
    "console.error('lost')": "console: lost",
    "console.warn('low')": "console: low",
    "setTimeout(() => { throw new Error('thrown'); })": "error: thrown",
    "setTimeout(() => alert('hello'))": "dialog: hello",
    "document.body.append(Object.assign(new Image(), { src: 'http://elsewhere.invalid/x.png' }))": (
        r"request: http://elsewhere\.invalid/x\.png"
    ),
    "fetch('http://elsewhere.invalid/data').catch(() => 0)": r"request: http://elsewhere\.invalid/data",
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = phantom(seed=3, shape=(48, 80, 80), lesions=3)
    path = tmp_path_factory.mktemp("good") / "report.html"
    write_report(made.ct, made.mask, path, title=NAME)
    return path.read_text(encoding="utf-8")


def replaced(text: str, old: str, new: str) -> str:
    """The page with a fault; it must apply, or a test would pass for no reason."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the report, not once"
    return text.replace(old, new)


def unescaped(text: str) -> str:
    changed = re.sub(r"<h1>.*?</h1>", f"<h1>{NAME}</h1>", text)
    assert changed != text
    return changed


def without_policy(text: str) -> str:
    """Without its content security policy a page may do what the policy would stop; a changed script needs that too."""
    assert len(POLICY.findall(text)) == 1
    return POLICY.sub("", text)


def opened(text: str, folder: Path, *, webgl: bool = True) -> AbstractContextManager[Any]:
    path = folder / "faulty.html"
    path.write_text(text, encoding="utf-8")
    return browsing.opened(path, webgl=webgl)


def test_what_a_page_does_that_it_must_not(good: str, tmp_path: Path) -> None:
    """One page for all, since a start takes long."""
    with opened(without_policy(unescaped(good)), tmp_path) as found:
        page = found.page
        with pytest.raises(AssertionError, match="dialog: name"):
            browsing.check_nothing_is_wrong(found)
        found.wrong.clear()
        browsing.check_report(found)  # nothing else is amiss
        for script, complaint in FAULTS.items():
            page.evaluate(f"() => {{ {script}; }}")
            with pytest.raises(AssertionError, match=complaint):
                browsing.check_nothing_is_wrong(found)
            found.wrong.clear()
        page.evaluate("void new WebSocket('ws://elsewhere.invalid/')")
        found.wait_until(lambda: bool(found.wrong), lambda: "nothing was said of a socket")  # it is, at its handshake
        with pytest.raises(AssertionError, match=r"request: ws://elsewhere\.invalid/"):
            browsing.check_nothing_is_wrong(found)
        page.evaluate(
            "for (const draw of ['drawArrays', 'drawElements']) WebGL2RenderingContext.prototype[draw] = () => {}"
        )
        with pytest.raises(AssertionError, match="the planes look as before"):
            browsing.check_report(found)
        page.evaluate("""document.addEventListener("click", (event) => {
          if (event.target.closest("[data-go-mm]")) event.stopImmediatePropagation();
        }, true)""")
        found.patience_seconds = 2  # for a state that is never reached
        with pytest.raises(AssertionError, match="the crosshair is at"):
            found.go_to(page.locator("tr[data-lesion]").nth(1))


def test_what_the_policy_stops_is_found_too(good: str, tmp_path: Path) -> None:
    with (
        opened(unescaped(good), tmp_path, webgl=False) as found,
        pytest.raises(AssertionError, match="Content Security"),
    ):
        browsing.check_nothing_is_wrong(found)


def test_neurological_display(good: str, tmp_path: Path) -> None:
    text = replaced(without_policy(good), "isRadiologicalConvention:!0", "isRadiologicalConvention:!1")
    with opened(text, tmp_path) as found:
        with pytest.raises(AssertionError, match="not radiological"):
            browsing.check_report(found)
        with pytest.raises(AssertionError, match="lettered LR"):
            browsing.check_letters(found)


def test_swapped_letters(good: str, tmp_path: Path) -> None:
    text = replaced(without_policy(good), 'isRadiologicalConvention?"R":"L"', 'isRadiologicalConvention?"L" : "R"')
    text = replaced(text, 'isRadiologicalConvention?"L":"R"', 'isRadiologicalConvention?"R" : "L"')
    text = replaced(text, '["R",1,0,0],["L",-1,0,0]', '["L",1,0,0],["R",-1,0,0]')
    with opened(text, tmp_path) as found:
        browsing.check_clicks(found)  # the picture itself is as it should be
        with pytest.raises(AssertionError, match="lettered LR"):
            browsing.check_letters(found)
        with pytest.raises(AssertionError, match="as if seen from behind"):
            browsing.check_compass(found)
