"""docs/leak-detection.md shows what lab/results/overlap holds, and the limits of the code."""

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
    assert f"SAME_SCAN = {SAME_SCAN} and SAME_PATIENT = {SAME_PATIENT}" in text


def test_links_lead_to_files() -> None:
    for page in ("leak-detection.md", "data.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / page).read_text(encoding="utf-8")):
            assert (ROOT / "docs" / target).exists(), target
