"""lab/logs/inputs.md lists what the tests check."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def test_the_document_is_up_to_date(load_file: Callable[..., ModuleType]) -> None:
    module = load_file(ROOT / "lab" / "scripts" / "make_inputs_doc.py")
    assert module.generate() == module.DOCUMENT.read_text(encoding="utf-8"), "run lab/scripts/make_inputs_doc.py"
