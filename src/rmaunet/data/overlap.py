"""The same patient twice: two fingerprints laid over each other at every flip, stretch and offset.

The score of an alignment is the mean correlation of its slices' structure (each 16 x 16 slice less its own blur), with
neighbouring slices blended; the score of a pair is its best alignment's. ``benchmarks/overlap.py`` measures the
distributions the two limits were chosen from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.data.fingerprint import SIZE, Fingerprint

__all__ = ["SAME_PATIENT", "SAME_SCAN", "Alignment", "Overlap", "compare", "find_overlaps", "leaked_cases"]

SAME_SCAN = 0.80
"""From this score on two fingerprints are of one scan."""

SAME_PATIENT = 0.62
"""From this score on they may be two scans of one patient: worth a look, no alarm."""

_STRETCHES = np.exp(np.linspace(-np.log(5), np.log(5), 65))
_LEAST = 10
"""Slices that must lie over each other (fewer if a scan has fewer)."""


@dataclass(frozen=True)
class Alignment:
    """The best way to lay one scan over another.

    Attributes:
        score: Mean correlation, 1 for equal scans; -1 if nothing reached the floor.
        mirrored: Which axes of the second are reversed: "left-right", "front-back", "head-feet".
        slices: How many of the first's slices lie inside the second.
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
    best = Alignment(-1.0, (), 0)
    for strip in one.strips:
        still = _structure(strip)
        for against in other.strips:
            least = min(_LEAST, len(strip), len(against))
            for names, flipped in _flips(against):
                likeness = still @ _structure(flipped).T
                bound = float(np.sort(likeness.max(axis=1))[-least:].mean())
                if bound < max(best.score, floor):
                    continue
                for turned, name in ((likeness, ()), (likeness[:, ::-1], ("head-feet",))):
                    score, slices = _best_line(turned, least)
                    if score > best.score:
                        best = Alignment(score, (*names, *name), slices)
    return best


def _structure(strip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 256): each slice less its blur, of mean 0 and length 1; a slice without tissue is 0."""
    sharp = strip.astype(np.float32)
    blurred = [cv2.GaussianBlur(plane, (0, 0), 2.0, borderType=cv2.BORDER_REFLECT) for plane in sharp]
    rows = (sharp - np.stack(blurred)).reshape(len(strip), SIZE * SIZE)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-3, rows / np.maximum(length, 1e-3), 0), np.float32)


def _flips(strip: NDArray[np.uint8]) -> Iterator[tuple[tuple[str, ...], NDArray[np.uint8]]]:
    yield (), strip
    yield ("left-right",), strip[:, :, ::-1]
    yield ("front-back",), strip[:, ::-1]
    yield ("left-right", "front-back"), strip[:, ::-1, ::-1]


def _best_line(likeness: NDArray[np.float32], least: int) -> tuple[float, int]:
    """The straight line through the likeness of all pairs of slices with the highest mean, and how many slices it has."""
    rows, columns = likeness.shape
    index = np.arange(rows)
    best, slices = -1.0, 0
    for stretch in _STRETCHES:
        offsets = np.arange(least - 1 - (rows - 1) * stretch, columns - least + 1e-6, min(1.0, stretch * 2))
        if not len(offsets):
            offsets = np.zeros(1)
        at = index * stretch + offsets[:, None]
        inside = (at >= -0.25) & (at <= columns - 0.75)
        held = np.clip(at, 0, columns - 1)
        lower = held.astype(int)
        upper = np.minimum(lower + 1, columns - 1)
        share = held - lower
        value = likeness[index, lower] * (1 - share) + likeness[index, upper] * share
        count = inside.sum(axis=1)
        covered = count * stretch
        enough = (count >= least) & (covered >= least) & ((count >= rows / 2) | (covered >= columns / 2))
        mean = np.where(enough, (value * inside).sum(axis=1) / np.maximum(count, 1), -1)
        top = int(mean.argmax())
        if mean[top] > best:
            best, slices = float(mean[top]), int(count[top])
    return best, slices
