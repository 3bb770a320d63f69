"""Who is trained on and who is tested: by patient, never by slice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rmaunet.data.lits import IRCADB_VOLUMES, number
from rmaunet.errors import InputError
from rmaunet.files import write_json

__all__ = ["PROTOCOLS", "read_split", "split_cases", "write_split"]

PROTOCOLS = ("all", "lits_paper", "lits_clean")


def split_cases(split: str, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Training and test cases among ``names``.

    Args:
        split: "all" (everything is training), "lits_paper" (training 27-130, test 0-26), "lits_clean" (the same without
            28-47, which are 3D-IRCADb's patients), or the path of a split's JSON file.
        names: Case names at hand.

    Returns:
        (training, test), in the order of ``names``.

    Raises:
        InputError: If the split is unknown, names a case that is not at hand, or leaves nothing to train on.
    """
    if split == "all":
        return list(names), []
    if split in PROTOCOLS:
        numbers = {name: n for name in names if (n := number(name)) is not None}
        train = [name for name, n in numbers.items() if n >= 27 and (split == "lits_paper" or n not in IRCADB_VOLUMES)]
        test = [name for name, n in numbers.items() if n < 27]
    else:
        train, test = read_split(Path(split))
        missing = sorted({*train, *test} - set(names))
        if missing:
            raise InputError(split, "cases", ", ".join(missing[:3]), "not in the store", "prepare them, or correct it")
    if not train:
        raise InputError(split, "training cases", 0, "the split leaves none", "check the split against the store")
    return train, test


def write_split(path: Path, train: Sequence[str], test: Sequence[str]) -> None:
    """Keep a split as JSON. Raises InputError if a case stands on both sides, OutputError if it cannot be written."""
    _check(path, train, test)
    write_json(path, {"train": list(train), "test": list(test)})


def read_split(path: Path) -> tuple[list[str], list[str]]:
    """Read a split written by :func:`write_split`. Raises InputError if it cannot be used."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        known = ", ".join(PROTOCOLS)
        raise InputError(path, "split", None, f"cannot be read ({error})", f"give {known} or a split's JSON") from error
    sides = [content.get(key) if isinstance(content, dict) else None for key in ("train", "test")]
    if not all(isinstance(side, list) and all(isinstance(name, str) for name in side) for side in sides):
        raise InputError(path, "split", None, 'has no lists "train" and "test" of names', "write it with write_split")
    _check(path, *sides)
    return sides[0], sides[1]


def _check(path: Path, train: Sequence[str], test: Sequence[str]) -> None:
    both = sorted(set(train) & set(test))
    if both:
        raise InputError(path, "cases", ", ".join(both[:3]), "are trained on and tested on", "keep each on one side")
