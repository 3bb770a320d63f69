"""Data sets, cases and splits; phantoms; the slice store training reads; leak detection."""

from __future__ import annotations

from rmaunet.datasets import folder, ircadb, lits, msd
from rmaunet.datasets.case import Case
from rmaunet.datasets.dataset import DataSet

__all__ = ["DATASETS", "Case", "DataSet"]

DATASETS: dict[str, DataSet] = {
    "ircadb": DataSet(ircadb.cases, ircadb.recognizes, ircadb.LICENCE),
    "msd": DataSet(msd.cases, msd.recognizes, folder.licence),
    "folder": DataSet(folder.cases, folder.recognizes, folder.licence),
    "lits": DataSet(lits.cases, lits.recognizes, lits.LICENCE),
}
"""Each data set by the name that commands use; a new data set is one file and one line here.

A folder is of the first layout that recognizes it.
"""
