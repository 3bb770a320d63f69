"""Data sets, cases and splits; phantoms; the slice store training reads; leak detection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rmaunet.data import folder, ircadb, lits, msd
from rmaunet.data.case import Case

__all__ = ["DATASETS", "Case"]

DATASETS: dict[str, Callable[[Path], list[Case]]] = {
    "lits": lits.cases,
    "ircadb": ircadb.cases,
    "msd": msd.cases,
    "folder": folder.cases,
}
"""Reader of each data set's own layout; a new data set is one file and one line here."""
