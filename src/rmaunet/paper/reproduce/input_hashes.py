"""SHA-256 of the test cases' files, remembered as long as name, size and time of a file stay."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from rmaunet.core.files import read_json, sha256, write_json
from rmaunet.core.walk import walk
from rmaunet.datasets.case import Case

__all__ = ["Hashes"]


class Hashes:
    """Hashes by case.

    Args:
        path: JSON file that remembers them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            content = read_json(path)
        except (OSError, ValueError):
            content = {}
        self._known: dict[str, Any] = content if isinstance(content, dict) else {}

    def of(self, case: Case, part: Literal["image", "label"]) -> str:
        """The hash of a case's image or label; of a folder, that of its files' names and hashes.

        Args:
            case: With a label.
            part: Which.

        Returns:
            64 hexadecimal digits; "" if there is no such part.
        """
        path = case.image if part == "image" else case.label
        if path is None:
            return ""
        files = [p for p in walk(path).files if p.is_file()] if path.is_dir() else [path]
        seen = [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]
        key = f"{case.name} {part}"
        entry = self._known.get(key)
        if isinstance(entry, dict) and entry.get("files") == seen and isinstance(entry.get("sha256"), str):
            return str(entry["sha256"])
        digest = sha256(files[0]) if not path.is_dir() else _of_folder(path, files)
        self._known[key] = {"files": seen, "sha256": digest}
        write_json(self.path, self._known)
        return digest


def _of_folder(folder: Path, files: list[Path]) -> str:
    lines = [f"{file.relative_to(folder).as_posix()} {sha256(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
