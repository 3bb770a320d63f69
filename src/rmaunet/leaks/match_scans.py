"""The same patient twice: two fingerprints laid over each other at every flip, stretch and offset.

The score of an alignment is the mean correlation of the slices of the sparser scan with the denser one's at their place, where
neighbouring slices are blended; the score of a pair is its best alignment's. ``lab/benchmarks/overlap.py`` measures the
distributions the two limits were chosen from; ``docs/concepts/leak-detection.md`` shows them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rmaunet.leaks.fingerprint import SIZE, Fingerprint

__all__ = ["SAME_PATIENT", "SAME_SCAN", "Alignment", "Overlap", "compare", "find_overlaps", "leaked_cases"]

SAME_SCAN = 0.82
"""From this score on two fingerprints are of one scan."""

SAME_PATIENT = 0.62
"""From this score on they may be two scans of one patient: worth a look, no alarm."""

_STRETCHES = np.exp(np.linspace(0, np.log(5), 33))
"""Slices of the denser scan per slice of the sparser."""

_LEAST = 10
"""Slices that must lie over each other (fewer if a scan has fewer)."""

_REFINED = 4
_REACH = 0.2
"""Only lines this near to the best or the floor are refined."""


@dataclass(frozen=True)
class Alignment:
    """The best way to lay one scan over another.

    Attributes:
        score: Mean correlation, 1 for equal scans; -1 if nothing reached the floor.
        mirrored: Which axes of the second are reversed: "left-right", "front-back", "head-feet".
        slices: How many slices of the sparser scan lie inside the other.
    """

    score: float
    mirrored: tuple[str, ...]
    slices: int


@dataclass(frozen=True)
class Overlap:
    """A pair that should not be on two sides of a split.

    Attributes:
        one: Name in the first set.
        other: Name in the second.
        verdict: "same scan", or "same patient?" where a second scan of the patient is likely.
        alignment: How they match.
    """

    one: str
    other: str
    verdict: Literal["same scan", "same patient?"]
    alignment: Alignment


def find_overlaps(
    ones: Sequence[Fingerprint],
    others: Sequence[Fingerprint] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Overlap]:
    """Compare every scan of one set with every scan of another.

    Args:
        ones: A set.
        others: Another; None compares ``ones`` among themselves.
        progress: Told (pairs done, pairs in all).

    Returns:
        The pairs of one scan, or likely of one patient, best first.
    """
    pairs = (
        [(a, b) for a in ones for b in others]
        if others is not None
        else [(a, b) for i, a in enumerate(ones) for b in ones[i + 1 :]]
    )
    found = []
    for done, (one, other) in enumerate(pairs):
        progress(done, len(pairs))
        alignment = compare(one, other, floor=SAME_PATIENT)
        if alignment.score >= SAME_PATIENT:
            verdict: Literal["same scan", "same patient?"] = (
                "same scan" if alignment.score >= SAME_SCAN else "same patient?"
            )
            found.append(Overlap(one.name, other.name, verdict, alignment))
    progress(len(pairs), len(pairs))
    return sorted(found, key=lambda overlap: -overlap.alignment.score)


def leaked_cases(
    cases: Sequence[Fingerprint],
    training: Sequence[Fingerprint],
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[str, Overlap]:
    """Which test cases were trained on, by content.

    Args:
        cases: Fingerprints of the test cases.
        training: Fingerprints of the training cases, such as those kept with weights.
        progress: Told (pairs done, pairs in all).

    Returns:
        Each leaked case's name and its best match (``one`` is the test case, ``other`` the training case); cases that match
        nothing are not in it.
    """
    found: dict[str, Overlap] = {}
    for overlap in find_overlaps(cases, training, progress=progress):
        found.setdefault(overlap.one, overlap)
    return found


def compare(one: Fingerprint, other: Fingerprint, *, floor: float = -1.0) -> Alignment:
    """The best alignment of two scans.

    Args:
        one: A fingerprint.
        other: Another.
        floor: Scores below it are of no interest; saves time.

    Returns:
        The alignment; its score is -1 where no alignment can reach the floor.
    """
    least = min(_LEAST, one.strips.shape[1], other.strips.shape[1])
    coarse: list[tuple[float, _Line]] = []
    for likeness, mirrored in _tables(one, other):
        # Either scan may be the sparser; its slices are the rows.
        for table in (likeness, np.ascontiguousarray(likeness.T)):
            if _bound(table, least) >= floor:
                coarse += _coarse(table, least, mirrored)
    coarse.sort(key=lambda found: -found[0])
    best = Alignment(-1.0, (), 0)
    for score, line in coarse[:_REFINED]:
        if score < max(best.score, floor) - _REACH:
            break
        exact, slices = _refined(line, least)
        if exact > best.score:
            best = Alignment(exact, line.mirrored, slices)
    return best


@dataclass(frozen=True)
class _Line:
    """Row r of ``table`` lies at column ``r * stretch + offset``; lines of its kind lie ``step`` apart."""

    table: NDArray[np.float32]
    stretch: float
    offset: float
    step: float
    mirrored: tuple[str, ...]


def _tables(one: Fingerprint, other: Fingerprint) -> Iterator[tuple[NDArray[np.float32], tuple[str, ...]]]:
    """The likeness of every slice of one scan to every slice of the other, for each way to mirror it."""
    for strip in one.strips:
        still = _rows(strip)
        for against in other.strips:
            for names, flipped in _flips(against):
                likeness = still @ _rows(flipped).T
                yield likeness, names
                yield likeness[:, ::-1], (*names, "head-feet")


def _bound(likeness: NDArray[np.float32], least: int) -> float:
    """No line through ``least`` rows or more can have a higher mean."""
    return float(np.sort(likeness.max(axis=1))[-least:].mean())


def _rows(strip: NDArray[np.int8]) -> NDArray[np.float32]:
    """(N, 256): each slice's structure as a vector of length 1; a slice without tissue is 0."""
    rows = strip.reshape(len(strip), SIZE * SIZE).astype(np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _flips(strip: NDArray[np.int8]) -> Iterator[tuple[tuple[str, ...], NDArray[np.int8]]]:
    yield (), strip
    yield ("left-right",), strip[:, :, ::-1]
    yield ("front-back",), strip[:, ::-1]
    yield ("left-right", "front-back"), strip[:, ::-1, ::-1]


@functools.lru_cache(maxsize=32)
def _grid(rows: int, columns: int, least: int) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float64]]:
    """Every coarse line through a table: flat places (one past the end where a row is outside), shares, and what it is."""
    index = np.arange(rows)
    places, shares, facts = [], [], []
    for stretch in _STRETCHES:
        step = max(1.0, stretch / 2)
        offsets = np.arange(least - 1 - (rows - 1) * stretch, columns - least + 1e-6, step)
        offsets = offsets if len(offsets) else np.zeros(1)
        column = np.rint(index * stretch + offsets[:, None]).astype(np.int32)
        inside = (column >= 0) & (column < columns)
        count = inside.sum(axis=1)
        enough = (count >= least) & ((count >= rows / 2) | (count * stretch >= columns / 2))
        places.append(np.where(inside, index * columns + column, rows * columns)[enough])
        shares.append(1 / count[enough])
        facts.append(np.stack([np.full(len(offsets), stretch), offsets, np.full(len(offsets), step)], axis=1)[enough])
    return np.concatenate(places).astype(np.int32), np.concatenate(shares).astype(np.float32), np.concatenate(facts)


def _coarse(table: NDArray[np.float32], least: int, mirrored: tuple[str, ...]) -> list[tuple[float, _Line]]:
    """The best lines with places rounded to whole slices."""
    places, shares, facts = _grid(*table.shape, least)
    if not len(shares):
        return []
    means = np.append(table.reshape(-1), np.float32(0))[places].sum(axis=1) * shares
    found = []
    for top in np.argsort(-means)[:_REFINED]:
        stretch, offset, step = facts[top].tolist()
        found.append((float(means[top]), _Line(table, stretch, offset, step, mirrored)))
    return found


def _refined(line: _Line, least: int) -> tuple[float, int]:
    """The best line near one, with neighbouring slices blended: its mean and how many rows it has."""
    best = (-1.0, 0)
    middle = (len(line.table) - 1) / 2 * line.stretch
    for factor in np.linspace(0.96, 1.04, 17):
        offsets = line.offset + middle * (1 - factor) + line.step * np.linspace(-1, 1, 9)
        best = max(best, _lines(line.table, line.stretch * factor, offsets, least))
    return best


def _lines(table: NDArray[np.float32], stretch: float, offsets: NDArray[np.float64], least: int) -> tuple[float, int]:
    rows, columns = table.shape
    index = np.arange(rows)
    at = index * stretch + offsets[:, None]
    inside = (at >= -0.25) & (at <= columns - 0.75)
    held = np.clip(at, 0, columns - 1)
    lower = held.astype(int)
    share = held - lower
    value = table[index, lower] * (1 - share) + table[index, np.minimum(lower + 1, columns - 1)] * share
    count = inside.sum(axis=1)
    enough = (count >= least) & ((count >= rows / 2) | (count * stretch >= columns / 2))
    mean = np.where(enough, (value * inside).sum(axis=1) / np.maximum(count, 1), -1)
    top = int(mean.argmax())
    return float(mean[top]), int(count[top])
