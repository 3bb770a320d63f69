"""Batches of a run, made ahead in threads; batch k is a pure function of the experiment and k."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

import cv2
import numpy as np
import torch
from torch import Tensor

from rmaunet.core.labels import liver_mask, tumor_mask
from rmaunet.core.volume.box import mask_box
from rmaunet.datasets.store.slice_store import Store
from rmaunet.train.augment.patch_position import focus
from rmaunet.train.augment.synthetic_lesions import (
    DISTRACTOR,
    LARGE,
    LESION,
    Lesion,
    Look,
    cut_lesion,
    draw_lesion,
    heal_lesions,
    set_distractor,
    set_lesion,
)
from rmaunet.train.augment.transforms import Draw, change_intensity, cut, draw
from rmaunet.train.experiment import Experiment, Stage
from rmaunet.train.sampling import Sampler, SliceRef
from rmaunet.train.schedule import Plan

__all__ = ["Batch", "Batches"]

AHEAD = 4
HEALED_SLICES = 0.5
"""The other half keep all their lesions, so that large ones, which are seldom covered, do not gain the upper hand."""


@dataclass(frozen=True)
class Batch:
    """One step's data.

    Attributes:
        images: (N, C, S, S) float32 in [-1, 1].
        targets: (N, 2, S, S) float32: liver (with tumor), tumor.
        refs: The slices, for error messages.
    """

    images: Tensor
    targets: Tensor
    refs: tuple[SliceRef, ...]

    def pinned(self) -> Batch:
        """The same in memory that a CUDA card reads by itself while the processor goes on."""
        return replace(self, images=self.images.pin_memory(), targets=self.targets.pin_memory())

    def to(self, device: torch.device) -> Batch:
        """The same on a device; from pinned memory without waiting for the copy."""
        return replace(
            self,
            images=self.images.to(device, non_blocking=True),
            targets=self.targets.to(device, non_blocking=True),
        )


class Batches:
    """The batches of a run.

    Args:
        store: Slices.
        cases: Names of the training cases.
        experiment: What to draw and how.
        plan: Stage and position of each step.
        sampler: Which slices.
        pin: Whether batches made ahead are pinned, for CUDA.
        workers: Threads that make them; a graphics card is faster than one.
    """

    def __init__(
        self,
        store: Store,
        experiment: Experiment,
        plan: Plan,
        sampler: Sampler,
        *,
        pin: bool = False,
        workers: int = 1,
    ) -> None:
        self.store, self.experiment, self.plan, self.sampler = store, experiment, plan, sampler
        self.pin, self.workers = pin, workers
        self._liver_middle = lru_cache(maxsize=None)(self._find_liver_middle)

    def make(self, step: int) -> Batch:
        """The batch of ``step``."""
        stage, first = self.plan.stage(step), self.plan.position(step)
        refs = [self.sampler.draw(first + i) for i in range(stage.batch)]
        pairs = [self._patch(ref, first + i, stage) for i, ref in enumerate(refs)]
        labels = np.stack([mask for _, mask in pairs])
        targets = np.stack([liver_mask(labels), tumor_mask(labels)], axis=1).astype(np.float32)
        return Batch(torch.from_numpy(np.stack([image for image, _ in pairs])), torch.from_numpy(targets), tuple(refs))

    def _ready(self, step: int) -> Batch:
        batch = self.make(step)
        return batch.pinned() if self.pin else batch

    def _patch(self, ref: SliceRef, position: int, stage: Stage) -> tuple[np.ndarray, np.ndarray]:
        settings, augmentation = self.experiment.preprocessing, self.experiment.augmentation
        image, labels = self._stack(ref)
        drawn = draw(augmentation, seed=self.experiment.seed, position=position)
        step = self._step(ref.case, stage)
        centre = self._liver_middle(ref.case) if settings.grid == "liver" else None
        if stage.view == "part":
            extent = (stage.size * step[0] / drawn.scale, stage.size * step[1] / drawn.scale)
            seed, k = self.experiment.seed, settings.context_slices
            centre = focus(image[..., k], labels[..., k], extent=extent, seed=seed, position=position)
            drawn = replace(drawn, shift=(0.0, 0.0))  # the focus is at a random place of the patch already
        patch, marked = cut(drawn, image, labels, size=stage.size, step=step, centre=centre)
        with_liver = liver_mask(marked[settings.context_slices]).any()
        if augmentation.healed_lesions:
            rng = np.random.default_rng((self.experiment.seed, 7, position))
            if rng.random() < HEALED_SLICES:
                heal_lesions(patch, marked, augmentation.healed_lesions, rng)
        rng = np.random.default_rng((self.experiment.seed, 5, position))
        if rng.random() < (augmentation.more_lesions if with_liver else 0.0):
            for lesion in self._lesions(ref, stage, LESION, rng):
                set_lesion(patch, marked, lesion, rng, bulging=_happens(augmentation.bulging_lesions, rng))
        rng = np.random.default_rng((self.experiment.seed, 6, position))
        if rng.random() < augmentation.distractors:
            for lesion in self._lesions(ref, stage, DISTRACTOR, rng):
                set_distractor(patch, marked, lesion, rng)
        return change_intensity(drawn, patch, marked), marked[settings.context_slices]

    def _stack(self, ref: SliceRef) -> tuple[np.ndarray, np.ndarray]:
        """The slice and its context, and their labels: (H, W, C) bytes."""
        k, reach = self.experiment.preprocessing.context_slices, self._reach(ref.case)
        return self.store.stack(ref.case, ref.z, [reach * i for i in range(-k, k + 1)])

    def _reach(self, name: str) -> int:
        """Stored slices between two channels."""
        context_mm = self.experiment.preprocessing.context_mm
        return max(1, round(context_mm / self.store.case(name).spacing_mm[0])) if context_mm else 1

    def _step(self, name: str, stage: Stage) -> tuple[float, float]:
        """Stored pixels per pixel of the patch along rows and columns."""
        settings, case = self.experiment.preprocessing, self.store.case(name)
        ratio = 1.0 if stage.view == "part" else settings.size / stage.size  # the same field of view, more coarsely
        if settings.grid in ("spacing", "liver"):
            pixel_mm = settings.spacing_mm * ratio
            return pixel_mm / case.spacing_mm[1], pixel_mm / case.spacing_mm[2]
        side = settings.size / ratio
        return case.shape[1] / side, case.shape[2] / side

    def _lesions(self, ref: SliceRef, stage: Stage, look: Look, rng: np.random.Generator) -> Iterator[Lesion]:
        """One to three lesions for a slice's patch: drawn, or of the training patients; fewer where a donor has none to cut."""
        case = self.store.case(ref.case)
        pixel_mm = self._step(ref.case, stage)[0] * case.spacing_mm[1]
        between_mm = self._reach(ref.case) * case.spacing_mm[0]
        channels = self.experiment.preprocessing.channels
        augmentation = self.experiment.augmentation
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < augmentation.drawn_lesions:
                large = look is LESION and _happens(augmentation.large_lesions, rng)
                chosen = LARGE if large else look
                yield draw_lesion(channels, between_mm=between_mm, pixel_mm=pixel_mm, rng=rng, look=chosen)
            elif (donor := self.sampler.lesion(rng)) and (lesion := self._lesion_of(donor, stage, rng)):
                yield lesion

    def _lesion_of(self, ref: SliceRef, stage: Stage, rng: np.random.Generator) -> Lesion | None:
        """A lesion of a stored slice, turned, mirrored and scaled at random."""
        image, labels = self._stack(ref)
        middle = np.argwhere(tumor_mask(labels[..., labels.shape[-1] // 2])).mean(axis=0)
        drawn = Draw(
            scale=float(np.exp(rng.uniform(np.log(0.4), np.log(1.3)))),
            degrees=float(rng.uniform(0, 360)),
            flip_x=bool(rng.integers(2)),
        )
        centre = (float(middle[0]), float(middle[1]))
        cut_out = cut(drawn, image, labels, size=stage.size // 2, step=self._step(ref.case, stage), centre=centre)
        return cut_lesion(*cut_out, rng)

    def _find_liver_middle(self, case: str) -> tuple[float, float] | None:
        """Middle (row, column) of the box around a case's liver over all slices; None if it has none."""
        box = mask_box(self.store.labels(case))
        return None if box is None else ((box[1].start + box[1].stop - 1) / 2, (box[2].start + box[2].stop - 1) / 2)

    def from_step(self, start: int) -> Iterator[tuple[int, Batch]]:
        """(step, batch) from ``start`` to the end of the plan, made ahead in threads."""
        cv2.setNumThreads(1)  # its pool would fight the network's threads
        steps = iter(range(start, self.plan.steps))
        with ThreadPoolExecutor(self.workers, "batches") as pool:
            ahead = deque((step, pool.submit(self._ready, step)) for step in islice(steps, AHEAD * self.workers))
            try:
                while ahead:
                    step, made = ahead.popleft()
                    yield step, made.result()
                    ahead.extend((later, pool.submit(self._ready, later)) for later in islice(steps, 1))
            finally:
                pool.shutdown(cancel_futures=True)


def seen_cases(refs: Sequence[SliceRef]) -> str:
    """Cases and slices of a batch in words, for error messages."""
    return ", ".join(f"{ref.case} slice {ref.z}" for ref in refs)


def _happens(share: float, rng: np.random.Generator) -> bool:
    """By chance; nothing is drawn for a share of 0, so that experiments without it see what they saw."""
    return share > 0 and rng.random() < share
