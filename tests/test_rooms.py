"""A room imports only from rooms on lower layers; some rooms must not import heavy or foreign libraries."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "rmaunet"
LAYER = {
    "core": 0,
    "networks": 1, "losses": 1,
    "io": 2, "preprocess": 2, "metrics": 2,
    "datasets": 3, "runtimes": 3, "measurement": 3,
    "predict": 4, "report": 4,
    "leaks": 5, "cohort": 5,
    "train": 6, "bench": 6,
    "paper": 7, "api": 7,
    "cli": 8, "__main__": 9, "__init__": 9,
}  # fmt: skip
MODULES = 15  # at most, in one folder; a network and a command are one file each
# Rooms that may import a library; every other room must not.
ONLY = {
    "nibabel": {"io"}, "SimpleITK": {"io", "core"}, "pydicom": {"io"},
    "torch": {"networks", "losses", "runtimes", "predict", "train", "bench", "cli"},
}  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_only_from_lower_layers(path: Path) -> None:
    here = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "rmaunet" and len(parts) > 1:
            there = parts[1]
            allowed = there == here or there == "__version__" or LAYER[there] < LAYER[here]
            assert allowed, f"{path.name} in {here} imports {name}"
        for library, rooms in ONLY.items():
            assert parts[0] != library or here in rooms, f"{path.name} in {here} imports {library}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("folder", sorted({p.parent for p in FILES}), ids=lambda p: str(p.relative_to(SOURCE)))
def test_folders_are_small(folder: Path) -> None:
    modules = [p for p in folder.glob("*.py") if p.stem != "__init__"]
    assert len(modules) <= MODULES or folder.name in ("networks", "cli")
