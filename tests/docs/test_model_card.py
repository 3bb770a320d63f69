"""Model cards and the list of weights agree with the tables and the weights' cards."""

import subprocess
import sys
from pathlib import Path

from rmaunet.predict import shipped_weights

ROOT = Path(__file__).parents[2]


def test_page_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "lab" / "scripts" / "make_model_card.py", "--check"], check=False)
    assert done.returncode == 0, "run lab/scripts/make_model_card.py"


def test_all_shipped_weights_have_a_page_whose_pictures_stand_there() -> None:
    pages = {name: ROOT / "docs" / "results" / f"{name}.md" for name in shipped_weights()}
    for page in pages.values():
        lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("![")]
        assert lines
        for line in lines:
            assert (page.parent / line.split("](")[1].rstrip(")")).resolve().is_file()
