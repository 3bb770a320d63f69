"""The table at the head of docs/decisions.md names every part and every decision, in their order."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "decisions.md").read_text(encoding="utf-8")


def test_the_table_names_every_decision() -> None:
    named = {
        part: decided.split("; ")
        for part, decided in re.findall(r"^\| \[(.*?)\]\(#.*?\) \| (.*) \|$", PAGE, re.MULTILINE)
    }
    stand = {}
    for section in PAGE.split("\n## ")[1:]:
        part, _, text = section.partition("\n")
        leads = re.findall(r"^- \*\*(.*?)\*\*", text, re.MULTILINE | re.DOTALL)
        stand[part] = [" ".join(lead.split()).removesuffix(".") for lead in leads]
    assert list(named) == list(stand)
    assert named == stand, "a new decision stands last in its part, and in the part's row of the table"


def test_the_table_leads_to_the_parts() -> None:
    for part, anchor in re.findall(r"^\| \[(.*?)\]\(#(.*?)\) \|", PAGE, re.MULTILINE):
        assert anchor == re.sub(r"[^\w\- ]", "", part.lower()).replace(" ", "-")
