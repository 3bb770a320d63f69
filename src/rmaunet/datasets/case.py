"""One case of a data set: an image, its mask, and whom they are of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """A case on disk.

    Attributes:
        name: Unique in its data set.
        image: CT file, DICOM folder or archive.
        label: Mask file, None where there is none.
        patient: Whom the scan is of; None where every scan is another patient.
        labels: Values in the mask file to ours (0 background, 1 liver, 2 tumor); None where they are ours.
        mask: "file": ``label`` is one mask file. "ircadb": it is a 3D-IRCADb-01 patient's folder of structures.
    """

    name: str
    image: Path
    label: Path | None
    patient: str | None = None
    labels: Mapping[int, int] | None = field(default=None, hash=False)
    mask: Literal["file", "ircadb"] = "file"
