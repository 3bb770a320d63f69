"""LiTS, the Liver Tumor Segmentation Benchmark.

==========  ==========================================================================================================
source      Bilic et al. 2019 (arXiv 1901.04056); training scans 0 to 130
licence     CC BY-NC-ND 4.0 (the MSD Task03 re-release of the same scans: CC BY-SA 4.0)
layout      ``volume-N.nii[.gz]`` and ``segmentation-N.nii[.gz]``, in one folder, in the two training batches' folders, or
            volumes and segmentations apart; they are paired by number
labels      0 background, 1 liver, 2 tumor; "liver" is label >= 1
counts      131 scans, 58,638 slices; 13 scans without tumor, none of them in 0-26
defects     orientation is mixed; volumes 28-47 have an identity affine (spacing lost); 28-47 ARE 3D-IRCADb-01's patients
            1-20, so that a test on 3D-IRCADb after training on 27-130 is no independent one
==========  ==========================================================================================================
"""

from __future__ import annotations

import re
from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.walk import say_unreached, walk
from rmaunet.datasets import ircadb
from rmaunet.datasets.case import Case

__all__ = ["IRCADB_VOLUMES", "LICENCE", "TUMOR_FREE", "cases", "known_spacing", "number", "recognizes"]

LICENCE = "LiTS (CC BY-NC-ND 4.0)"

IRCADB_VOLUMES = range(28, 48)
"""Volume N is 3D-IRCADb-01's patient N - 27."""

TUMOR_FREE = frozenset({32, 34, 38, 41, 47, 87, 89, 91, 105, 106, 114, 115, 119})
"""Volumes without a tumor."""

_VOLUME = re.compile(r"volume-(\d+)\.nii(\.gz)?", re.IGNORECASE)
_MASK = re.compile(r"segmentation-(\d+)\.nii(\.gz)?", re.IGNORECASE)


def number(name: str) -> int | None:
    """N of a case named ``volume-N``, None for other names."""
    match = re.fullmatch(r"volume-(\d+)", name)
    return int(match.group(1)) if match else None


def known_spacing(n: int, shape: tuple[int, int, int]) -> tuple[float, float, float] | None:
    """The spacing of a volume whose affine was lost, from 3D-IRCADb-01's own DICOM.

    Args:
        n: Volume number.
        shape: (slices, rows, columns) of the file, axial.

    Returns:
        (between slices, rows, columns) in mm: the patient's, scaled to the matrix of the file, and to every second, third or
        fourth slice where that is what it holds. None if the volume is none of 28-47 or its size fits neither.

    Example:
        >>> known_spacing(28, (129, 512, 512)), known_spacing(28, (65, 256, 256)), known_spacing(28, (100, 512, 512))
        ((1.6, 0.57, 0.57), (3.2, 1.14, 1.14), None)
    """
    if n not in IRCADB_VOLUMES or shape[1] != shape[2]:
        return None
    slices, (between, in_plane) = ircadb.SLICES[n - 27], ircadb.SPACING_MM[n - 27]
    step = next((k for k in (1, 2, 3, 4) if shape[0] in (slices // k, -(-slices // k))), None)
    if step is None:
        return None
    side = in_plane * 512 / shape[1]
    return (between * step, side, side)


def cases(root: Path) -> list[Case]:
    """The cases of a folder in LiTS's layout, by number.

    Args:
        root: Folder that holds the files, at any depth.

    Returns:
        One case a volume.

    Raises:
        InputError: If there is no volume, a volume stands there twice, or volumes or masks are missing (with
            their count and the first names).
    """
    if not root.is_dir():
        raise InputError(root, "data set", None, "is not a folder", "give the folder with volume-N.nii files")
    tree = walk(root)
    say_unreached(root, tree.dangling, tree.unreadable)
    volumes, masks = _numbered(root, _VOLUME), _numbered(root, _MASK)
    if not volumes:
        raise InputError(root, "data set", 0, "no volume-N.nii[.gz] in it", "give LiTS's training folder")
    result, missing = [], []
    for n, images in sorted(volumes.items()):
        if len(images) > 1:
            raise InputError(root, f"volume-{n}", images[1].name, "stands there twice", "remove one of the files")
        label = _mask_of(root, n, images[0], masks.get(n, []))
        if label is None:
            missing.append(f"segmentation-{n}.nii")
        patient = f"3Dircadb1.{n - 27}" if n in IRCADB_VOLUMES else None
        result.append(Case(f"volume-{n}", images[0], label, patient=patient))
    missing += [f"volume-{n}.nii" for n in sorted(set(masks) - set(volumes))]
    if missing:
        first = ", ".join(missing[:3])
        raise InputError(root, "files", len(missing), f"missing, first {first}", "complete the set")
    return result


def recognizes(root: Path) -> bool:
    """Whether a folder holds a LiTS volume at any depth."""
    return bool(_numbered(root, _VOLUME))


def _numbered(root: Path, pattern: re.Pattern[str]) -> dict[int, list[Path]]:
    """Files of a name by their number, at any depth."""
    found: dict[int, list[Path]] = {}
    for path in walk(root).files:
        match = pattern.fullmatch(path.name)
        if match is not None and path.is_file():
            found.setdefault(int(match.group(1)), []).append(path)
    return found


def _mask_of(root: Path, n: int, image: Path, masks: list[Path]) -> Path | None:
    """A volume's mask: the one beside it, else the only one with its number."""
    beside = [path for path in masks if path.parent == image.parent]
    there = sorted(beside, key=lambda path: len(path.name)) or masks
    if len(there) > 1 and not beside:
        names = ", ".join(str(path.relative_to(root)) for path in there[:3])
        raise InputError(root, f"segmentation-{n}", names, "stands there twice", "remove one of the files")
    return there[0] if there else None
