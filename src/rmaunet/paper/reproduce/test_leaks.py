"""Test scans that stand in the training set under another name: found by content, not by file name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.datasets.case import Case
from rmaunet.datasets.load_case import load_image
from rmaunet.leaks.fingerprint import Fingerprint, fingerprint, read_fingerprints, write_fingerprints
from rmaunet.leaks.match_scans import find_overlaps
from rmaunet.paper.reproduce.input_hashes import Hashes
from rmaunet.paper.reproduce.plan import Plan, Run

__all__ = ["with_leaks"]

Say = Callable[[str], None]


def with_leaks(plan: Plan, out: Path, say: Say) -> Plan:
    """The plan with every run's leaked cases completed by comparing the scans themselves.

    Args:
        plan: The table; its runs name the cases whose patients are known to be in training.
        out: Folder that keeps fingerprints and hashes.
        say: Told the progress.

    Returns:
        The same plan; a test case that is a training scan is in ``leaked``. Scans that only may be of one patient are a
        notice.

    Raises:
        InputError: If a scan cannot be read.
        OutputError: If fingerprints cannot be kept.
    """
    cases = {case.name: case for of in plan.data.values() for case in of}
    hashes = Hashes(out / "hashes.json")
    prints: dict[str, Fingerprint | None] = {}
    for number, (name, case) in enumerate(cases.items(), start=1):
        prints[name] = _kept(case, hashes, out / "fingerprints", say, f"fingerprint [{number}/{len(cases)}] {name}")
    found: dict[tuple[frozenset[str], frozenset[str]], set[str]] = {}
    runs = []
    for run in plan.runs:
        key = (frozenset(run.train), frozenset(case.name for case in run.test))
        if key not in found:
            say(f"comparing {len(run.test)} test scans with {len(run.train)} training scans")
            found[key] = _same_scans(run, prints)
        runs.append(
            replace(run, leaked=tuple(c.name for c in run.test if c.name in run.leaked or c.name in found[key]))
        )
    return replace(plan, runs=tuple(runs))


def _kept(case: Case, hashes: Hashes, folder: Path, say: Say, words: str) -> Fingerprint | None:
    """A case's fingerprint, made if it is not there; None if the scan shows too little to tell."""
    path = folder / f"{case.name}-{hashes.of(case, 'image')[:16]}.json"
    if path.is_file():
        kept = read_fingerprints(path)
        return kept[0] if kept else None
    say(words)
    try:
        made: list[Fingerprint] = [fingerprint(load_image(case).volume, case.name)]
    except InputError as error:
        if error.field != "slices with tissue":
            raise
        notice(case.name, "shows too little tissue to be compared with other scans")
        made = []
    write_fingerprints(path, made)
    return made[0] if made else None


def _same_scans(run: Run, prints: dict[str, Fingerprint | None]) -> set[str]:
    def known(names: Sequence[str]) -> list[Fingerprint]:
        return [one for name in names if (one := prints[name]) is not None]

    leaked = set()
    for overlap in find_overlaps(known([case.name for case in run.test]), known(run.train)):
        if overlap.verdict == "same scan":
            leaked.add(overlap.one)
        else:
            notice(overlap.one, f"may be of the same patient as the training scan {overlap.other}")
    return leaked
