"""Decision records in docs/decisions have one form and one index."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "decisions"
RECORDS = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")


def test_numbers_have_no_gaps() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{number:04d}-" for number in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_form(path: Path) -> None:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 130
    assert re.fullmatch(rf"# {path.name[:4]}\. \S.*[^.]", lines[0])
    headings = re.findall(r"^\*\*(\w+)\.\*\* ", "\n".join(lines), re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequence"]


def test_the_index_links_every_record_by_its_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"^- \[(\d{4})\]\((.*?)\) (.*)$", index, re.MULTILINE)
    titles = [path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for path in RECORDS]
    assert [f"{number}. {title}" for number, _, title in linked] == titles
    assert [name for _, name, _ in linked] == [path.name for path in RECORDS]
