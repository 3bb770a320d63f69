"""A room imports only from rooms on lower layers; some rooms must not import heavy or foreign libraries."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "rmaunet"
LAYER = {
    "__init__": -1, "errors": 0, "labels": 0, "notices": 0, "files": 0, "settings": 0, "runs": 0, "core": 0,
    "networks": 0, "losses": 0, "volume": 0,
    "io": 1, "preprocess": 1, "evaluate": 1,
    "data": 2, "report": 2, "predict": 2.5,
    "experiments": 3, "segment": 3, "train": 4, "bench": 5, "reproduce": 5, "cli": 6, "__main__": 7,
}  # fmt: skip
GROUND = {"errors", "labels", "notices", "files", "settings", "runs", "core"}
# Rooms that may import a library; every other room must not.
ONLY = {
    "nibabel": {"io"}, "SimpleITK": {"io", "volume"}, "pydicom": {"io"},
    "torch": {"networks", "losses", "predict", "train", "bench", "cli"},
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
            there = parts[1] if parts[1] in LAYER else "__init__"
            allowed = there == here or LAYER[there] < LAYER[here] or there in GROUND
            assert allowed, f"{path.name} in {here} imports {name}"
        for library, rooms in ONLY.items():
            assert parts[0] != library or here in rooms, f"{path.name} in {here} imports {library}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
