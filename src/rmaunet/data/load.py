"""A case's files as volumes."""

from __future__ import annotations

from rmaunet.data.case import Case
from rmaunet.errors import InputError
from rmaunet.io import Scan, read_mask, read_volume
from rmaunet.volume import Volume

__all__ = ["load_case"]


def load_case(case: Case) -> tuple[Scan, Volume]:
    """Read a labelled case.

    Args:
        case: With a label.

    Returns:
        The CT, and its mask on the same grid.

    Raises:
        InputError: If a file cannot be used, or the two do not fit each other.
    """
    if case.label is None:
        raise InputError(case.name, "label", None, "the case has no mask", "leave it out")
    scan = read_volume(case.image)
    return scan, read_mask(case.label, like=scan)
