"""A training log that a resumed run continues."""

from __future__ import annotations

import csv
from pathlib import Path

from rmaunet.core.files import write_text

__all__ = ["Log"]


class Log:
    """A CSV that grows by a row at a time and is cut back to a step when a run resumes.

    Args:
        path: The file.
        columns: Its columns; the first is "step".
    """

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.columns = columns

    def cut(self, step: int) -> None:
        """Keep rows of steps below ``step`` only; make the file if there is none."""
        kept: list[str] = []
        if self.path.is_file():
            with self.path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            kept = [
                ",".join(str(row.get(name, "")) for name in self.columns)
                for row in rows
                if (row.get("step") or "").isdigit() and int(row["step"]) < step and None not in row.values()
            ]
        write_text(self.path, "\n".join([",".join(self.columns), *kept]) + "\n")

    def add(self, **row: float | int | str) -> None:
        """Append a row; floats keep all digits."""
        line = ",".join(repr(row[name]) if isinstance(row[name], float) else str(row[name]) for name in self.columns)
        with self.path.open("a") as file:
            file.write(line + "\n")
