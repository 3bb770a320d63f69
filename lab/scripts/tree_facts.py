"""Measure a checkout: files, folders, functions, settings, names, documentation and wording. One table for two checkouts.

    python lab/scripts/tree_facts.py BEFORE AFTER          # folders of two checkouts, e.g. of `git worktree add`

Counts come from the text alone, so that any commit can be measured; the road of a CT (files and rooms that ``rmaunet
segment`` enters) runs that checkout's own code with this interpreter.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from pathlib import Path

from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_volume

sys.path.insert(0, str(Path(__file__).parent))
from style import findings

FEW_LINES, FEW_ARGUMENTS = 40, 7
SETTINGS = ("Experiment", "NetworkSettings", "Preprocessing", "Augmentation", "Sampling", "Training", "Postprocessing")


def sources(root: Path) -> list[Path]:
    """Python files of the package."""
    return sorted((root / "src" / "rmaunet").rglob("*.py"))


def code_lines(path: Path) -> set[int]:
    """Numbers of the lines that hold code: no comments, no blank lines, no docstrings."""
    found: set[int] = set()
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in (*skipped, tokenize.ENCODING):
                found.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            found -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def functions(root: Path) -> tuple[int, int]:
    """Functions over 40 lines of code, and over 7 parameters."""
    long = wide = 0
    for path in sources(root):
        lines = code_lines(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                own = lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
                names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                long += len(own) > FEW_LINES
                wide += len([name for name in names if name not in ("self", "cls")]) > FEW_ARGUMENTS
    return long, wide


def settings(root: Path) -> int:
    """Fields of the dataclasses that decide a training, and arguments of RMAU-Net."""
    count = 0
    for path in sources(root):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name in SETTINGS:
                fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
                count += sum("ClassVar" not in ast.unparse(part.annotation) for part in fields)
            if isinstance(node, ast.ClassDef) and node.name == "RMAUNet":
                init = next(p for p in node.body if isinstance(p, ast.FunctionDef) and p.name == "__init__")
                count += len(init.args.kwonlyargs)
    return count - len(SETTINGS[1:])  # the fields of Experiment that are such dataclasses themselves


def repeated_names(root: Path) -> int:
    """Base names that occur in more than one folder; commands and package files do not count."""
    names = Counter(p.stem for p in sources(root) if p.stem not in ("__init__", "__main__") and p.parent.name != "cli")
    return sum(number > 1 for number in names.values())


def mirrored(root: Path) -> str:
    """Share of modules with a test of the same name and place."""
    package, tests = root / "src" / "rmaunet", root / "tests"
    modules = [p.relative_to(package) for p in sources(root) if p.stem not in ("__init__", "__main__")]
    found = sum((tests / m.parent / f"test_{m.name}").is_file() for m in modules)
    return f"{found} of {len(modules)}"


def documentation(root: Path) -> int:
    """Words of the documentation for users; the generated list of commands does not count."""
    pages = [p for p in (root / "docs").rglob("*.md") if p.name != "commands.md"]
    return sum(len(p.read_text(encoding="utf-8").split()) for p in [*pages, root / "README.md"])


def banned(root: Path) -> int:
    """Findings of the style check in the package and the documentation."""
    pages = [*(root / "docs").rglob("*.md"), root / "README.md"]
    return sum(len(findings(p)) for p in [*pages, *sources(root)])


def road(root: Path) -> str:
    """Files and rooms that ``rmaunet segment`` enters."""
    with tempfile.TemporaryDirectory() as folder:
        ct = Path(folder) / "ct.nii.gz"
        write_volume(phantom("abdomen", seed=1, shape=(40, 128, 128)).ct, ct)
        words = [sys.executable, str(Path(__file__).with_name("road.py")), str(ct)]
        environment = os.environ | {"PYTHONPATH": str(root / "src"), "RMAUNET_CACHE": folder}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"(\d+) files, (\d+) rooms", done.stdout)
    return f"{found[1]} files, {found[2]} rooms" if found else f"failed: {done.stderr[-80:]}"


def facts(root: Path) -> dict[str, str | int]:
    """All rows of the table for one checkout."""
    files = sources(root)
    folders = Counter(p.parent for p in files if p.stem != "__init__" and p.parent.name not in ("cli", "networks"))
    largest, number = folders.most_common(1)[0]
    long, wide = functions(root)
    return {
        "files in the wheel": len(files),
        "lines in the wheel": sum(len(p.read_text(encoding="utf-8").splitlines()) for p in files),
        "largest folder (without cli, networks)": f"{largest.name}, {number} modules",
        "functions over 40 code lines": long,
        "functions over 7 parameters": wide,
        "settings of a training": settings(root),
        "base names that occur more than once": repeated_names(root),
        "road of a CT": road(root),
        "modules with a test of their name and place": mirrored(root),
        "words of documentation": documentation(root),
        "findings of the style check": banned(root),
    }


if __name__ == "__main__":
    before, after = (facts(Path(word).resolve()) for word in sys.argv[1:3])
    print("| | before | after |\n|---|--:|--:|")
    for name in before:
        print(f"| {name} | {before[name]} | {after[name]} |")
