"""The log of leak detection shows lab/results/overlap; the page names the limits of the code."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from rmaunet.leaks.match_scans import SAME_PATIENT, SAME_SCAN

ROOT = Path(__file__).parents[2]


def test_the_document_is_up_to_date(load_file: Callable[..., ModuleType]) -> None:
    module = load_file(ROOT / "lab" / "scripts" / "make_leak_doc.py")
    text = module.DOCUMENT.read_text(encoding="utf-8")
    assert module.generate() == text, "run lab/scripts/make_leak_doc.py"
    page = (ROOT / "docs" / "concepts" / "leak-detection.md").read_text(encoding="utf-8")
    assert f"SAME_SCAN = {SAME_SCAN} and SAME_PATIENT = {SAME_PATIENT}" in page


def test_links_lead_to_files() -> None:
    for name in ("docs/concepts/leak-detection.md", "lab/logs/leak-detection.md", "docs/reference/data-sets.md"):
        page = ROOT / name
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target
