"""Who is trained on and who is tested: by patient, never by slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.files import read_json, write_json
from rmaunet.datasets import ircadb, lits
from rmaunet.datasets.lits import IRCADB_VOLUMES, number

__all__ = [
    "PROTOCOLS",
    "make_folds",
    "protocol_folds",
    "read_folds",
    "read_patients",
    "read_split",
    "split_cases",
    "write_split",
]

PROTOCOLS = ("all", "lits_paper", "lits_clean", "lits_cv5", "ircadb_cv5")
"""Of the last two, one fold is named ``lits_cv5:K`` or ``ircadb_cv5:K``, K from 0 to 4."""

_FOLDS = 5


def split_cases(split: str, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Training and test cases among ``names``.

    Args:
        split: "all" (everything is training), "lits_paper" (training 27-130, test 0-26), "lits_clean" (the same without
            28-47, which are 3D-IRCADb's patients), "lits_cv5:K" or "ircadb_cv5:K" (fold K of :func:`protocol_folds` is the
            test), the path of a split's JSON file, or ``PATH:K`` for fold K of nnU-Net's splits_final.json.
        names: Case names at hand.

    Returns:
        (training, test), in the order of ``names``.

    Raises:
        InputError: If the split is unknown, names a case that is not at hand, or leaves nothing to train on.
        UsageError: If the fold is missing or none of 0 to 4.

    Example:
        >>> split_cases("lits_clean", ["volume-3", "volume-30", "volume-60"])
        (['volume-60'], ['volume-3'])
    """
    if split == "all":
        return list(names), []
    if split.partition(":")[0] in ("lits_cv5", "ircadb_cv5"):
        protocol, _, fold = split.partition(":")
        if fold not in [str(k) for k in range(_FOLDS)]:
            raise UsageError("split", "fold", fold or None, "is none of 0 to 4", f"write {protocol}:0 for the first")
        folds = protocol_folds(protocol, names)
        test = folds[int(fold)]
        train = [name for name in names if any(name in other for k, other in enumerate(folds) if k != int(fold))]
    elif split in PROTOCOLS:
        numbers = {name: n for name in names if (n := number(name)) is not None}
        train = [name for name, n in numbers.items() if n >= 27 and (split == "lits_paper" or n not in IRCADB_VOLUMES)]
        test = [name for name, n in numbers.items() if n < 27]
    else:
        train, test = _from_file(split)
        missing = sorted({*train, *test} - set(names))
        if missing:
            raise InputError(split, "cases", ", ".join(missing[:3]), "not in the store", "prepare them, or correct it")
    if not train:
        raise InputError(split, "training cases", 0, "the split leaves none", "check the split against the store")
    return train, test


def _from_file(split: str) -> tuple[list[str], list[str]]:
    path, _, fold = split.rpartition(":")
    if not path.endswith(".json"):
        return read_split(Path(split))
    folds = read_folds(Path(path))
    if not fold.isdecimal() or int(fold) >= len(folds):
        raise UsageError(
            "split", "fold", fold or None, f"is none of 0 to {len(folds) - 1}", f"write {path}:0 for the first"
        )
    return folds[int(fold)]


def read_folds(path: Path) -> list[tuple[list[str], list[str]]]:
    """Read nnU-Net's splits_final.json.

    Args:
        path: The file: a list of {"train": [names], "val": [names]}.

    Returns:
        (training, test) of each fold.

    Raises:
        InputError: If it is no such file, a case stands on both sides of a fold, or is tested in two folds.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(
            path, "folds", None, f"cannot be read ({reason})", "give nnU-Net's splits_final.json"
        ) from error
    if not isinstance(content, list) or not content or not all(isinstance(fold, dict) for fold in content):
        raise InputError(path, "folds", None, "is no list of folds", "give nnU-Net's splits_final.json")
    folds = [(_names(path, fold, "train"), _names(path, fold, "val")) for fold in content]
    tested: dict[str, int] = {}
    for k, (train, test) in enumerate(folds):
        _check(path, train, test, {})
        for name in test:
            if tested.setdefault(name, k) != k:
                raise InputError(
                    path, f"folds {tested[name]} and {k}", name, "is tested in both", "keep each in one fold"
                )
    return folds


def read_patients(path: Path) -> dict[str, str]:
    """Read a JSON map of cases to patients.

    Args:
        path: E.g. ``{"volume-0": "A", "volume-1": "A"}``; cases it does not name are patients of their own.

    Returns:
        Case to patient.

    Raises:
        InputError: If it is no such map.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "patients", None, f"cannot be read ({error})", "give a JSON map") from error
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise InputError(path, "patients", repr(content)[:60], "is no map of cases to patients", "correct it")
    return content


def protocol_folds(protocol: str, names: Sequence[str], *, folds: int = _FOLDS) -> list[list[str]]:
    """Folds by patient, tumor-free patients spread over them; the same whatever cases are at hand.

    Args:
        protocol: "lits_cv5" (volumes 0-130) or "ircadb_cv5" (patients 1-20).
        names: Case names at hand; those of another data set are left out.
        folds: How many, at least 2; the paper's are five.

    Returns:
        One list a fold, together every name of the data set once.

    Raises:
        UsageError: If there are fewer patients than folds.
    """
    if protocol == "lits_cv5":
        of, everyone, free = lits.number, range(131), lits.TUMOR_FREE
    else:
        of, everyone, free = ircadb.patient_number, range(1, 21), ircadb.TUMOR_FREE
    drawn = make_folds({str(n): n not in free for n in everyone}, folds=folds, seed=0)
    return [[name for name in names if str(of(name)) in fold] for fold in drawn]


def make_folds(
    tumor: Mapping[str, bool], *, folds: int, seed: int, patients: Mapping[str, str] | None = None
) -> list[list[str]]:
    """Draw folds of nearly equal size by patient, those with and without tumor spread evenly.

    Args:
        tumor: Whether each case has a tumor; its keys are the cases.
        folds: How many, at least 2.
        seed: Draws the order.
        patients: Whom each case is of; a case it does not name is a patient of its own.

    Returns:
        One list of cases a fold; all scans of a patient in the same one.

    Raises:
        UsageError: If there are fewer patients than folds.
    """
    owner = {case: (patients or {}).get(case) or case for case in tumor}
    everyone = sorted(set(owner.values()))
    if folds < 2 or len(everyone) < folds:
        raise UsageError(
            "split", "folds", folds, f"cannot be made of {len(everyone)} patients", "choose from 2 upwards"
        )
    sick = {owner[case] for case, has in tumor.items() if has}
    rng = np.random.default_rng(seed)
    order = [
        group[i]
        for group in ([p for p in everyone if p in sick], [p for p in everyone if p not in sick])
        for i in rng.permutation(len(group))
    ]
    fold_of = {patient: k % folds for k, patient in enumerate(order)}
    return [[case for case in tumor if fold_of[owner[case]] == k] for k in range(folds)]


def write_split(
    path: Path, train: Sequence[str], test: Sequence[str], *, patients: Mapping[str, str] | None = None
) -> None:
    """Keep a split as JSON.

    Args:
        path: The file.
        train: Cases to train on.
        test: Cases to test on.
        patients: Whom each case is of; a case it does not name is a patient of its own.

    Raises:
        InputError: If a case or a patient stands on both sides, or a case twice.
        OutputError: If it cannot be written.
    """
    known = {case: patients[case] for case in (*train, *test) if patients and case in patients}
    _check(path, train, test, known)
    write_json(path, {"train": list(train), "test": list(test), **({"patients": known} if known else {})})


def read_split(path: Path) -> tuple[list[str], list[str]]:
    """Read a split written by :func:`write_split`.

    Args:
        path: The file.

    Returns:
        (training, test).

    Raises:
        InputError: If it is no split, or a case or a patient stands on both sides.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError, RecursionError) as error:
        known = ", ".join(PROTOCOLS)
        raise InputError(path, "split", None, f"cannot be read ({error})", f"give {known} or a split's JSON") from error
    content = content if isinstance(content, dict) else {}
    train, test, patients = _names(path, content, "train"), _names(path, content, "test"), content.get("patients", {})
    if not isinstance(patients, dict) or not all(isinstance(patient, str) for patient in patients.values()):
        raise InputError(path, "patients", repr(patients)[:60], "is no map of cases to patients", "correct it")
    _check(path, train, test, patients)
    return train, test


def _names(path: Path, content: Mapping[str, object], key: str) -> list[str]:
    side = content.get(key)
    if not isinstance(side, list) or not all(isinstance(name, str) for name in side):
        raise InputError(path, "split", None, f'has no list "{key}" of names', "write it with write_split")
    return side


def _check(path: Path, train: Sequence[str], test: Sequence[str], patients: Mapping[str, str]) -> None:
    for side in (train, test):
        twice = sorted({name for name in side if side.count(name) > 1})
        if twice:
            raise InputError(path, "cases", ", ".join(twice[:3]), "stand there twice", "name each once")
    both = sorted(set(train) & set(test))
    if both:
        raise InputError(path, "cases", ", ".join(both[:3]), "are trained on and tested on", "keep each on one side")
    of = {patients.get(name, name): name for name in train}
    shared = sorted(f"{patients.get(name, name)} ({of[patients.get(name, name)]}, {name})" for name in test
                    if patients.get(name, name) in of)  # fmt: skip
    if shared:
        raise InputError(
            path, "patients", ", ".join(shared[:3]), "are on both sides", "keep a patient's scans together"
        )
