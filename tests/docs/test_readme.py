import re
import subprocess
import sys
from pathlib import Path

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


def test_links_in_the_documentation_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
