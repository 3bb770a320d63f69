"""docs/inputs.md says what the tests check."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_document_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_inputs_doc", ROOT / "scripts" / "make_inputs_doc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.generate() == module.DOCUMENT.read_text(encoding="utf-8"), "run scripts/make_inputs_doc.py"
