"""What rmaunet knows of a data set: how to list its cases, how to recognize its layout, and its licence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rmaunet.datasets.case import Case

__all__ = ["DataSet"]


@dataclass(frozen=True)
class DataSet:
    """A data set's layout, as :data:`rmaunet.datasets.DATASETS` lists it.

    Attributes:
        cases: Lists the cases of a root folder; reads no voxels.
        recognizes: Called with a folder; returns whether it has this layout. None to require the layout's name.
        licence: Name and licence of the data, or a function of the root folder; "" if it is not known. Model cards of
            networks trained on the data repeat it.
    """

    cases: Callable[[Path], list[Case]]
    recognizes: Callable[[Path], bool] | None = None
    licence: str | Callable[[Path], str] = ""

    def __call__(self, root: Path) -> list[Case]:
        """The cases of ``root``."""
        return self.cases(root)

    def licence_of(self, root: Path) -> str:
        """Name and licence of the data in ``root``; "" if it is not known."""
        return self.licence if isinstance(self.licence, str) else self.licence(root)
