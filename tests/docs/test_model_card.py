"""docs/models/fast.md says what the tables and the weights' card say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts" / "make_model_card.py", "--check"], check=False)
    assert done.returncode == 0, "run scripts/make_model_card.py"


def test_pictures_stand_there() -> None:
    page = ROOT / "docs" / "models" / "fast.md"
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("!["):
            assert (page.parent / line.split("](")[1].rstrip(")")).resolve().is_file()
