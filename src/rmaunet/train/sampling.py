"""Which slices a training step sees: a pure function of (seed, position), so that a resumed run sees the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.datasets.store.slice_store import StoredCase

__all__ = ["Sampler", "Sampling", "SliceRef"]


@dataclass(frozen=True)
class Sampling:
    """Settings of :class:`Sampler`.

    Attributes:
        slices: "liver" takes liver-bearing slices only (what the paper's slice counts imply), "near" those and the slices
            within ``near_mm`` of them, "all" every slice.
        balance: "none" shuffles all slices each epoch (the paper); "case" draws a case first, so that a long scan weighs no
            more than a short one, then a kind of slice, then a slice of that kind; "patient" the same with a patient drawn
            before one of their cases, so that a patient with four scans weighs no more than one with a single scan.
        tumor_share: With a balance: share of draws that take a tumor-bearing slice where the case has one.
        liver_share: With a balance: share of draws that take a liver-bearing slice; the rest is any slice without liver.
        tumor_by: With a balance, how a tumor-bearing slice is drawn: "slice", each equally often, so that large lesions fill
            the draws; or "lesion", a lesion first and then a slice through it, so that a lesion of one slice is seen as often
            as one of forty.
        near_mm: Of "near"; what a network that looks around a liver found before will be shown.
        negative_share: With a balance: share of draws from synthetic patients without a liver
            (:mod:`rmaunet.train.augment.liver_free_cases`).
    """

    slices: Literal["liver", "near", "all"] = "liver"
    balance: Literal["none", "case", "patient"] = "none"
    tumor_share: float = 0.4
    liver_share: float = 0.35
    tumor_by: Literal["slice", "lesion"] = "slice"
    near_mm: float = 20.0
    negative_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse shares that are no shares (ValueError)."""
        if not (self.tumor_share >= 0 and self.liver_share >= 0 and self.tumor_share + self.liver_share <= 1):
            raise ValueError(
                f"tumor_share = {self.tumor_share}, liver_share = {self.liver_share}: each at least 0, at most 1 together"
            )
        if not 0 <= self.negative_share <= (0 if self.balance == "none" else 1):
            raise ValueError(
                f"negative_share = {self.negative_share}: must lie between 0 and 1, and be 0 where balance is 'none'"
            )
        if not 0 <= self.near_mm <= 1000:
            raise ValueError(f"near_mm = {self.near_mm}: must lie between 0 and 1000")


@dataclass(frozen=True)
class SliceRef:
    """A slice of a case."""

    case: str
    z: int


class Sampler:
    """Draws slices from cases.

    Args:
        cases: The training cases.
        settings: How.
        seed: Of the run.
        negatives: Cases without a liver for ``negative_share``; without any, nothing is drawn for it.

    Raises:
        InputError: If there is no slice to draw.
    """

    def __init__(
        self, cases: Sequence[StoredCase], settings: Sampling, *, seed: int, negatives: Sequence[StoredCase] = ()
    ) -> None:
        self.settings = settings
        self.seed = seed
        self._negatives = [SliceRef(case.name, z) for case in negatives for z in range(case.shape[0])]
        self._all = [SliceRef(case.name, z) for case in cases for z in _slices(case, settings)]
        if not self._all:
            raise InputError("training cases", "slices", 0, "no slice to train on", "check the split and the masks")
        by_patient = settings.balance == "patient"
        kinds = [(case.patient if by_patient else case.name, _kinds(case, settings)) for case in cases]
        if by_patient:
            kinds.sort(key=lambda pair: pair[0])
        self._groups = _grouped((owner, kind) for owner, kind in kinds if kind.tumor or kind.liver or kind.rest)
        self._with_tumor = _grouped((owner, kind) for owner, kind in kinds if kind.tumor)
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        """Slices in an epoch."""
        return len(self._all)

    def _shuffled(self, epoch: int) -> list[int]:
        return [int(i) for i in np.random.default_rng((self.seed, 1, epoch)).permutation(len(self._all))]

    def draw(self, position: int) -> SliceRef:
        """The slice at ``position`` (0, 1, 2, ... over the whole run)."""
        if self.settings.balance == "none":
            epoch, index = divmod(position, len(self._all))
            return self._all[self._order(epoch)[index]]
        rng = np.random.default_rng((self.seed, 2, position))
        if self._negatives and rng.random() < self.settings.negative_share:
            return self._negatives[int(rng.integers(len(self._negatives)))]
        case = _drawn(self._groups, rng)
        share = rng.random()
        wanted = (
            [case.tumor, case.liver, case.rest]
            if share < self.settings.tumor_share
            else [case.liver, case.tumor, case.rest]
            if share < self.settings.tumor_share + self.settings.liver_share
            else [case.rest, case.liver, case.tumor]
        )
        chosen = next(kind for kind in wanted if kind)
        if chosen is case.tumor and self.settings.tumor_by == "lesion":
            chosen = case.lesions[int(rng.integers(len(case.lesions)))]
        return chosen[int(rng.integers(len(chosen)))]

    def lesion(self, rng: np.random.Generator) -> SliceRef | None:
        """A slice through a lesion: a case with tumors is drawn first, then a lesion, then a slice; None without tumors."""
        if not self._with_tumor:
            return None
        case = _drawn(self._with_tumor, rng)
        slices = case.lesions[int(rng.integers(len(case.lesions)))] if case.lesions else case.tumor
        return slices[int(rng.integers(len(slices)))]


@dataclass(frozen=True)
class _Kinds:
    """Slices of a case by what they show; ``lesions`` are the tumor-bearing ones, a list for each lesion."""

    tumor: list[SliceRef]
    liver: list[SliceRef]
    rest: list[SliceRef]
    lesions: list[list[SliceRef]]


def _grouped(kinds: Iterable[tuple[str, _Kinds]]) -> list[list[_Kinds]]:
    """Cases that share one chance of being drawn, those of a patient or each alone."""
    groups: dict[str, list[_Kinds]] = {}
    for owner, kind in kinds:
        groups.setdefault(owner, []).append(kind)
    return list(groups.values())


def _drawn(groups: list[list[_Kinds]], rng: np.random.Generator) -> _Kinds:
    group = groups[int(rng.integers(len(groups)))]
    return group[int(rng.integers(len(group)))]


def _slices(case: StoredCase, settings: Sampling) -> list[int]:
    """The slices of a case that may be drawn."""
    if settings.slices == "all":
        return list(range(case.shape[0]))
    with_liver = np.flatnonzero(np.asarray(case.liver) > 0)
    if settings.slices == "liver" or not len(with_liver):
        return [int(z) for z in with_liver]
    reach = int(settings.near_mm / case.spacing_mm[0])
    near = np.abs(np.arange(case.shape[0])[:, None] - with_liver).min(axis=1) <= reach
    return [int(z) for z in np.flatnonzero(near)]


def _kinds(case: StoredCase, settings: Sampling) -> _Kinds:
    if settings.tumor_by == "lesion" and any(case.tumor) and not case.lesions:
        raise InputError(case.name, "lesions", None, "are not in this store", "run `rmaunet prepare` again")
    refs = [SliceRef(case.name, z) for z in range(case.shape[0])]
    tumor = [ref for ref in refs if case.tumor[ref.z]]
    liver = [ref for ref in refs if case.liver[ref.z] and not case.tumor[ref.z]]
    rest = [refs[z] for z in _slices(case, settings) if not case.liver[z]]
    lesions = [[refs[z] for z in range(first, last + 1)] for first, last in case.lesions]
    return _Kinds(tumor, liver, rest, lesions)
