"""Write docs/reference/commands.md from the commands' own --help; `--check` compares.

usage: python lab/scripts/make_commands_doc.py [--check]
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path
from unittest import mock

from rmaunet.cli.main import COMMANDS, main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
PARTS = {"data": ("check", "overlap"), "models": ("list", "show", "verify", "import", "average", "cascade")}
SHARED = {
    "--series": "SeriesInstanceUID, if a DICOM folder contains several (`rmaunet info` lists them).",
    "--volume": "Index of the volume in a 4-D file, from 0.",
    "--hu-offset": "Added to every voxel, for example -1024 for files that store HU + 1024.",
    "--label": "Meaning of values or segments: `5=liver 7=tumor`, `LAYER:VALUE=liver` or `NAME=tumor`.",
    "--include-phi": "Write text that identifies the patient (DICOM's patient and study, full paths).",
    "--labelmap": "DICOM SEG: write the LABELMAP type of 2024 instead of BINARY.",
    "--lesions": "DICOM SEG: one segment with a tracking id per lesion.",
    "--overlay": "Write a PNG with contours on three planes (default).",
    "--device": "`cpu`, `cuda`, `cuda:N` or `mps`; `segment` also has `auto`.",
    "--threads": "Threads of the network; 0 for one per core.",
    "--json": "Print the result as JSON.",
}
"""Options of several commands, described once."""

HEAD = """\
# Commands

All commands with their options, generated from `rmaunet COMMAND --help` by `lab/scripts/make_commands_doc.py`.
Every command has `--debug` (show the traceback of an error) and `--quiet` (hide warnings). Each
yes/no option `--x` has a counterpart `--no-x`.

Options of several commands:
"""
TAIL = "Next: [exit codes, files and settings](files.md)."


class Screen(io.StringIO):
    """Captured output that accepts box-drawing characters."""

    encoding = "utf-8"


def help_of(*words: str) -> str:
    """Output of --help, with one line per option where possible."""
    out = Screen()
    with mock.patch.dict(os.environ, {"COLUMNS": "2000"}), contextlib.redirect_stdout(out):
        main([*words, "--help"])
    return out.getvalue()


def entries(text: str) -> list[tuple[str, str]]:
    """Options and positional arguments with their descriptions."""
    found: list[list[str]] = []
    for line in text.splitlines():
        if not line.startswith("│"):
            continue
        content = line.strip("│").removeprefix(" ").rstrip()
        if content and not content.startswith(" "):
            name, _, rest = re.sub(r"  +", "\t", content).partition("\t")
            if not rest:
                name, rest = content, ""
            found.append([name.strip(), rest.replace("\t", " ")])
        elif found:
            found[-1][1] += " " + content.strip()
    return [(name, " ".join(rest.split())) for name, rest in found if not name.startswith("-h")]


def option(name: str, text: str) -> tuple[str, str]:
    """Names and description in a short form."""
    text = re.sub(r" ?\(default: (None|False|0|0\.0|''|)\)", "", text)
    text = text.replace("(default: True)", "(default)").replace("(required)", "Required.")
    name = name.replace("{None}|", "").replace("|{FLOAT FLOAT}", " FLOAT FLOAT").replace("{None}", "")
    name = re.sub(r"\[(\S+) \[\1 \.\.\.\]\]", r"\1 ...", name)
    name = re.sub(r", --no-[a-z-]+$", "", name)
    short = re.match(r"(-\w) (\S.*), (--[a-z-]+) ", name + " ")
    if short:
        name = f"{short[1]}, {short[3]} {short[2]}"
    return name, text


def section(*words: str) -> str:
    """Text of one command."""
    text = help_of(*words)
    body = text.partition("╭")[0].partition("\n")[2].strip()
    summary = " ".join(body.partition("\n\n")[0].split())
    lines, shared = [], []
    for name, description in entries(text):
        name, description = option(name, description)
        long = re.search(r"--[a-z-]+", name)
        if long and long[0] in SHARED:
            shared.append(f"`{long[0]}`")
        else:
            lines.append(f"- `{name}`: {description}".removesuffix(": "))
    if shared:
        lines.append(f"- Also {', '.join(shared)}.")
    return f"## {' '.join(words)}\n\n{summary}\n\n" + "\n".join(lines)


def generate() -> str:
    """The page."""
    shared = "\n".join(f"- `{name}`: {text}" for name, text in SHARED.items())
    sections = [
        section(name, *part) for name in COMMANDS for part in ([(p,) for p in PARTS[name]] if name in PARTS else [()])
    ]
    return "\n\n".join([HEAD + "\n" + shared, *sections, TAIL]) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(int(not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != generate()))
    PAGE.write_text(generate(), encoding="utf-8")
