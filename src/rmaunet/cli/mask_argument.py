"""What commands do alike with a mask argument: tell one mask from a folder of masks, and name its segments."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmaunet.core.files import sha256

if TYPE_CHECKING:
    from rmaunet.io.masks.label_values import Labels
    from rmaunet.io.masks.segment_use import Use

__all__ = ["fingerprint", "is_one_mask", "say_uses"]


def is_one_mask(path: Path, labels: Labels | None = None) -> bool:
    """Whether a path is one mask: a file, a zip, a folder with one DICOM SEG, or a folder with one file per structure.

    Args:
        path: The argument.
        labels: The user's mapping; a name in it can name a file of a folder.

    Returns:
        False for a folder of several masks, and for a folder without a mask.
    """
    from rmaunet.core.errors import InputError
    from rmaunet.io.masks.mask_files import chosen

    if not path.is_dir():
        return True
    try:
        with chosen(path, labels) as choice:
            return choice.file is None
    except InputError:
        return False


def say_uses(path: Path, uses: Sequence[Use]) -> None:
    """Print what became of each segment, on one line of stderr."""
    from rmaunet.io.masks.segment_use import use_line

    if uses:
        print(f"{path.name}: {use_line(uses)}", file=sys.stderr)


def fingerprint(path: Path) -> dict[str, Any]:
    """Name and SHA-256 of a mask for a manifest; a folder has no hash."""
    return {"file": path.name} | ({"sha256": sha256(path)} if path.is_file() else {})
