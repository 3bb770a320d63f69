"""One case of a data set: an image, its mask, and whom they are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A case on disk.

    Attributes:
        name: Unique in its data set.
        image: CT file or DICOM folder.
        label: Mask file, None where there is none.
        patient: Whom the scan is of; None where every scan is another patient.
    """

    name: str
    image: Path
    label: Path | None
    patient: str | None = None
