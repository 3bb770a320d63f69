"""Count the files and rooms of rmaunet that one command enters, from ``cli`` to the written mask.

    python lab/scripts/road.py CT.nii.gz [--list]

Runs ``rmaunet segment -w fast`` with its default outputs and records each function of the package that is called, in every
thread. Imports, class bodies, lambdas and comprehensions do not count.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import rmaunet
from rmaunet.cli.main import main as command

PACKAGE = Path(rmaunet.__file__).parent


class Recorder:
    """Collects the code objects of the package that were entered."""

    def __init__(self) -> None:
        self.seen: set[CodeType] = set()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Note the function of ``frame``."""
        if event == "call":
            self.seen.add(frame.f_code)

    def functions(self) -> set[tuple[str, str]]:
        """File within the package and qualified name of each function entered."""
        found = set()
        for code in self.seen:
            path = Path(code.co_filename)
            if path.is_relative_to(PACKAGE) and not code.co_name.startswith("<") and code.co_flags & 0x2:
                found.add((str(path.relative_to(PACKAGE)), code.co_qualname))
        return found


def road(ct: Path) -> set[tuple[str, str]]:
    """Functions of the package that ``rmaunet segment`` calls for one NIfTI file."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["segment", "-i", str(ct), "-o", str(Path(folder) / "out"), "-w", "fast"]
        command([*words, "--overwrite"])  # converts the network, fills the caches
        recorder = Recorder()
        threading.setprofile(recorder)
        sys.setprofile(recorder)
        try:
            command([*words, "--overwrite"])
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    return recorder.functions()


if __name__ == "__main__":
    found = road(Path(sys.argv[1]))
    files = sorted({file for file, _ in found})
    rooms = sorted({file.split("/")[0] for file in files})
    if "--list" in sys.argv:
        for file in files:
            print(file, *sorted(name for where, name in found if where == file))
    print(f"{len(files)} files, {len(rooms)} rooms, {len(found)} functions: {' '.join(rooms)}")
