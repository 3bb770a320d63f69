"""docs/reference/commands.md lists the options that --help prints."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from rmaunet.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script(load_file: Callable[..., ModuleType]) -> ModuleType:
    return load_file(ROOT / "lab" / "scripts" / "make_commands_doc.py")


def test_the_page_is_up_to_date(script: ModuleType) -> None:
    """In a fresh process: other tests register data sets, which --help then lists."""
    done = subprocess.run([sys.executable, script.__file__, "--check"], check=False)
    assert done.returncode == 0, "run lab/scripts/make_commands_doc.py"


def test_every_command_has_a_section(script: ModuleType) -> None:
    text = script.PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        for part in script.PARTS.get(name, ("",)):
            assert f"\n## {name} {part}".rstrip() + "\n" in text


def test_entries_of_a_help_text(script: ModuleType) -> None:
    text = "\n".join(["│ -h, --help   show │", "│ -o PATH, --output PATH │", "│          The   folder. (required) │"])
    (entry,) = script.entries(text)
    assert script.option(*entry) == ("-o, --output PATH", "The folder. Required.")
