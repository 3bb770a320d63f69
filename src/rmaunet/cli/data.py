"""``rmaunet data check | overlap``: look over a data set, find the same patient twice. Each is a file of its own."""

from __future__ import annotations

import importlib
import sys

__all__ = ["main"]

ACTIONS = {
    "check": "Check every case of a data set; --fix writes a repaired copy.",
    "overlap": "Find the same patient in two data sets, or among the training cases of weights.",
}


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    if not argv or argv[0] not in ACTIONS:
        asked = bool(argv) and argv[0] in ("-h", "--help")
        where = sys.stdout if asked else sys.stderr
        print(f"usage: rmaunet data {{{','.join(ACTIONS)}}} ROOT [options]", file=where)
        for name, summary in ACTIONS.items():
            print(f"  {name:<8} {summary}", file=where)
        return 0 if asked else 2
    return int(importlib.import_module(f"rmaunet.cli.data_{argv[0]}").main(argv[1:]))
