"""A case's files as volumes."""

from __future__ import annotations

from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.volume import Volume
from rmaunet.datasets.case import Case
from rmaunet.datasets.ircadb import load as load_ircadb
from rmaunet.io import Scan, read_mask, read_scan

__all__ = ["load_case", "load_image"]


def load_case(case: Case) -> tuple[Scan, Volume]:
    """Read a labelled case.

    Args:
        case: With a label.

    Returns:
        The CT, and its mask on the same grid.

    Raises:
        InputError: If a file cannot be used, or the two do not fit each other.
        UsageError: If values are mapped of a set whose structures are folders.
    """
    if case.label is None:
        raise InputError(case.name, "label", None, "the case has no mask", "leave it out")
    if case.mask == "ircadb":
        if case.labels is not None:
            problem = "does not apply to 3D-IRCADb, whose structures are named by their folders"
            raise UsageError(case.name, "label", str(dict(case.labels)), problem, "leave it out")
        return load_ircadb(case)
    scan = read_scan(case.image)
    return scan, read_mask(case.label, like=scan, labels=case.labels)


def load_image(case: Case) -> Scan:
    """Read a case's CT alone.

    Args:
        case: Labelled or not.

    Returns:
        The CT.

    Raises:
        InputError: If it cannot be used.
    """
    return load_ircadb(case)[0] if case.mask == "ircadb" and case.image == case.label else read_scan(case.image)
