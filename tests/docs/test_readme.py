import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_readmes_table_is_the_one_made_from_the_results():
    assert (
        subprocess.run(
            [sys.executable, ROOT / "lab" / "scripts" / "make_readme_table.py", "--check"], check=False
        ).returncode
        == 0
    )


def test_the_first_weights_find_the_liver():
    import csv

    with (ROOT / "lab" / "results" / "first" / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["name"] for row in rows} == {str(n) for n in (0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 22)}
    assert sum(float(row["liver_dice"]) for row in rows) / len(rows) >= 0.90


PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "lab").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_the_documentation_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, anchor = target.partition("#")
        if ":" in name:
            continue
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        if anchor and other.suffix == ".md":
            headings = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings], (
                target
            )


def test_every_page_is_reachable_from_the_index():
    linked, waiting = set(), [ROOT / "docs" / "README.md"]
    while waiting:
        page = waiting.pop()
        linked.add(page)
        for target in re.findall(r"\]\(([^)#\s:]+\.md)", page.read_text(encoding="utf-8")):
            other = (page.parent / target).resolve()
            if other not in linked and ROOT / "docs" in other.parents:
                waiting.append(other)
    assert sorted((ROOT / "docs").rglob("*.md")) == sorted(linked)


def test_readme_and_documentation_are_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 100
    assert sum(words(page) for page in (ROOT / "docs").rglob("*.md")) <= 15_000


def words(page: Path) -> int:
    """Words without code blocks, comments and table borders."""
    text = re.sub(r"^```.*?^```|<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return sum(bool(re.search(r"\w", word)) for word in text.split())
