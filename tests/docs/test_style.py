"""Wording that the style guide bans is found, and plain wording is not."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


PAGES = sorted(
    {
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "lab").rglob("*.md"),
    }
    - {ROOT / "docs" / "reference" / "commands.md"}  # generated from --help: the text belongs to src
)


@pytest.fixture(scope="module")
def style(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "lab" / "scripts" / "style.py")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("is none", "Refuse a share that is none (ValueError)."),
        ("is none", "Pieces at the edge\nare none."),
        ("is no X", "The text is no JSON."),
        ("What-clause", "What came of a scan."),
        ("What-clause", "## What is unlike the liver at its edge"),
        ("What-clause", "Done. What is read is kept. More."),
        ("Whom, Whose, Whoever", "Whom the scan is of; None otherwise."),
        ("fragment with Of", "Args:\n    inner: Of weight."),
        ("fragment with Of", "| name | Of a lesion's voxels |"),
        ("told", "progress: Told (slices done, slices in all)."),
        ("asked for", "Columns exist only where they were asked for."),
        ("such as", "an error such as a lesion"),
        ("a defect of", "1 a defect of ours"),
        ("goes before", "a checkpoint goes before them"),
        ("nobody", "A lesion that nobody can see"),
        ("stands in", "It stands in the manifest."),
        ("flatters", "The gain is flattered."),
        ("a row a scan", "Writes a table, a row a scan."),
    ],
)
def test_banned(style: ModuleType, pattern: str, text: str) -> None:
    assert pattern in [line.split(": ")[1] for line in style.violations(text, markdown=False)]


@pytest.mark.parametrize(
    "text",
    [
        "Result of segmenting one scan.",
        "What does the number mean?",
        "There is no liver in the mask.",
        "The mask is no longer read.",
        "Run `what is none` first.",
        "```\nWhat is none.\n```\n",
        "See [the page](what-is-none.md).",
        "The text of a module that is offered",
        "Of 160 lesions, 58 are found.",
    ],
)
def test_allowed(style: ModuleType, text: str) -> None:
    assert style.violations(text) == []


def test_lines_are_counted_across_joined_paragraphs(style: ModuleType) -> None:
    assert style.violations("One.\n\nTwo that\nis none.")[0].startswith("4: is none: ")


def test_british_spelling_is_found_only_if_wanted(style: ModuleType) -> None:
    assert style.violations("the centre of the tumour") == []
    assert len(style.violations("the centre of the tumour", spelling=True)) == 2


def test_python_files_are_checked_where_people_read(style: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        '"""What this is."""\n'
        "# a peak is none\n"
        'told = "asked_for"\n'
        'raise ValueError(f"{told} is no JSON")\n'
        'quoted = "it is none"  # style: ok\n'
    )
    found = [line.removeprefix(f"{path}:") for line in style.findings(path)]
    assert [line.split(": ")[0] + ": " + line.split(": ")[1] for line in found] == [
        "1: What-clause",
        "2: is none",
        "4: is no X",
    ]


def test_the_command_lists_findings(style: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "page.md").write_text("A page.\n\nNobody reads it.\n")
    assert style.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'page.md'}:3: nobody: ")
    (tmp_path / "page.md").write_text("A page.\n")
    assert style.main([str(tmp_path)]) == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_have_no_banned_wording(style: ModuleType, page: Path) -> None:
    assert style.violations(page.read_text(encoding="utf-8")) == []
