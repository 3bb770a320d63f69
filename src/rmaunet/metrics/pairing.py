"""Which predicted mask belongs to which reference: by file name, under one rule.

A file's case is its name without the suffix, without one ending that says "mask" (``_seg``, ``_segmentation``, ``_mask``,
``_label``, ``_labels``, ``_pred``, ``_prediction``, with ``-`` or ``.`` for ``_`` as well), without nnU-Net's channel ``_0000``
and without LiTS's ``volume-`` or ``segmentation-`` in front. So ``volume-7.nii``, ``segmentation-7.nii.gz`` and
``volume-7_seg.nii.gz`` are all case ``7``, and ``liver_012_0000.nii.gz`` and ``liver_012.nii.gz`` are case ``liver_012``.

Where one folder holds both the scan of a case (``volume-N``, ``CASE_0000``) and its mask, the mask is taken. Two masks of one
case in one folder are a duplicate, and the case is not scored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.errors import InputError, UsageError

__all__ = ["Pair", "Pairing", "case_name", "match_files"]

SUFFIXES = (".nii.gz", ".nii", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm")
MARK = re.compile(r"[-_.](seg|segmentation|mask|labels?|pred|prediction)$", re.IGNORECASE)
LITS = re.compile(r"^(test-)?(volume|segmentation)-(?=.)", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """One case: its name and its two files."""

    name: str
    reference: Path
    prediction: Path


@dataclass(frozen=True)
class Pairing:
    """What matching two folders gave.

    Attributes:
        pairs: Cases with exactly one mask on each side, numbers in names sorted as numbers.
        only_reference: Cases without a prediction.
        only_prediction: Cases without a reference.
        duplicates: Case and the names of the files that all claim it, on either side.
    """

    pairs: tuple[Pair, ...]
    only_reference: tuple[str, ...] = ()
    only_prediction: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, tuple[str, ...]], ...] = ()


def case_name(file_name: str) -> str:
    """The case a file name belongs to, under the rule of this module.

    Example:
        >>> [case_name(n) for n in ("volume-7.nii", "segmentation-7.nii.gz", "test-volume-7.nii", "a_0000.nii", "b_seg.nrrd")]
        ['7', '7', 'test-7', 'a', 'b']
    """
    stem = _stem(file_name)
    bare = MARK.sub("", stem).removesuffix("_0000")
    return LITS.sub(lambda found: found[1] or "", bare) or stem


def match_files(reference: Path, prediction: Path) -> Pairing:
    """Pair two files, or the files of two folders by case.

    Args:
        reference: A mask, or a folder of masks (its own files, not those of folders in it).
        prediction: A mask if ``reference`` is one (names then need not match), else a folder.

    Returns:
        The pairs, and what has no partner.

    Raises:
        InputError: If something is missing, or no case of the two folders matches.
        UsageError: If one is a file and the other a folder.
    """
    for side, path in (("reference", reference), ("prediction", prediction)):
        if not path.exists():
            raise InputError(path, side, None, "no such file or folder", "check the path")
    if reference.is_dir() != prediction.is_dir():
        raise UsageError(
            prediction, "prediction", None, "one of the two is a folder, the other a file", "give two of a kind"
        )
    if not reference.is_dir():
        return Pairing((Pair(case_name(reference.name), reference, prediction),))
    first, second = _cases(reference), _cases(prediction)
    names = sorted({*first, *second}, key=_natural)
    both = [name for name in names if name in first and name in second]
    if not both:
        shown = "; ".join(
            f"{p}: {', '.join(list(c)[:3]) or 'no masks'}" for p, c in ((reference, first), (prediction, second))
        )
        raise InputError(
            prediction, "cases", shown, "no case is in both folders", "name files alike, e.g. CASE.nii.gz in both"
        )
    single = [name for name in both if len(first[name]) == len(second[name]) == 1]
    return Pairing(
        tuple(Pair(name, first[name][0], second[name][0]) for name in single),
        tuple(name for name in names if name not in second),
        tuple(name for name in names if name not in first),
        tuple(
            (name, tuple(path.name for side in (first, second) if len(side[name]) > 1 for path in side[name]))
            for name in both
            if name not in single
        ),
    )


def _stem(file_name: str) -> str:
    for suffix in SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)]
    return file_name


def _is_scan(path: Path) -> bool:
    stem = _stem(path.name)
    return not MARK.search(stem) and (
        stem.endswith("_0000") or re.match(r"(test-)?volume-", stem, re.IGNORECASE) is not None
    )


def _cases(folder: Path) -> dict[str, list[Path]]:
    """Masks of a folder by case; a case's scans are left out where it has anything else."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir(), key=lambda p: _natural(p.name)):
        if path.name.lower().endswith(SUFFIXES) and not path.name.startswith(".") and not path.is_dir():
            found.setdefault(case_name(path.name), []).append(path)
    return {name: [p for p in paths if not _is_scan(p)] or paths for name, paths in found.items()}


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]
