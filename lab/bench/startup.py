"""From the start of ``rmaunet segment`` to its first slices computed, each time in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmaunet.core.errors import RmaunetError

__all__ = ["first_slice", "startup_rows"]

_COMMAND = """
import json, os, sys, time
from rmaunet.cli import main, segment

def stop(*_, **__):
    json.dump({"time": time.time(), "cpu": time.process_time(), "modules": sorted(sys.modules)}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)

segment.show = stop
sys.exit(main.main(["segment", *sys.argv[1:]]))
"""
"""The command as it is, but where it would show its progress for the first time it says what that took and ends."""


def first_slice(scan: Path, cache: Path, *options: str) -> dict[str, Any]:
    """Start the command and wait for its first slices.

    Args:
        scan: The file.
        cache: Folder of converted networks.
        options: Further words for the command line.

    Returns:
        "wall" seconds from the start of the process, "cpu" seconds of it, and "modules", the names of what it had imported.

    Raises:
        RmaunetError: If the command ended before.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", _COMMAND, "-i", str(scan), "-o", folder, *options]
        began = time.time()
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, env=os.environ | {"RMAUNET_CACHE": str(cache)}
        )
    if done.returncode or not done.stdout:
        raise RmaunetError(scan, "segment", done.returncode, done.stderr[-300:], "see above")
    found = json.loads(done.stdout)
    return {"wall": found["time"] - began, "cpu": found["cpu"], "modules": found["modules"]}


def startup_rows(scan: Path, *options: str, repeats: int = 5) -> list[dict[str, Any]]:
    """Time the first slices with and without the converted network in the cache.

    Args:
        scan: A small file: what is measured is what every scan waits for.
        options: Further words for the command line.
        repeats: Starts of each kind; without the network in the cache two less, at least one, since converting is slow.

    Returns:
        One row a kind ("not converted yet", "converted before"): every start's "wall" and "cpu" seconds.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        caches: Sequence[tuple[str, list[Path]]] = (
            ("not converted yet", [Path(folder, str(n)) for n in range(max(1, repeats - 2))]),
            ("converted before", [Path(folder, "0")] * repeats),
        )
        for kind, places in caches:
            starts = [first_slice(scan, place, *options) for place in places]
            rows.append({"network": kind, **{key: [start[key] for start in starts] for key in ("wall", "cpu")}})
    return rows
