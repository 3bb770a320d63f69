"""What each step of a run is: patch size, batch, place in the run, learning rate. Pure functions of the experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rmaunet.train.experiment import Stage, Training

__all__ = ["Plan", "make_plan"]


@dataclass(frozen=True)
class Plan:
    """The steps of a run.

    Attributes:
        training: The settings.
        steps: Optimiser steps in all.
        stages: (first step, first position, stage) of each stage.
    """

    training: Training
    steps: int
    stages: tuple[tuple[int, int, Stage], ...]

    def stage(self, step: int) -> Stage:
        """The stage that ``step`` (from 0) belongs to."""
        return self._entry(step)[2]

    def position(self, step: int) -> int:
        """Slices seen before ``step``."""
        first, position, stage = self._entry(step)
        return position + (step - first) * stage.batch

    def _entry(self, step: int) -> tuple[int, int, Stage]:
        return [entry for entry in self.stages if entry[0] <= step][-1]

    def learning_rate(self, step: int) -> float:
        """Learning rate of ``step`` (from 0)."""
        peak, share = self.training.learning_rate, (step + 1) / self.steps
        if self.training.schedule == "one_cycle":
            rising = 0.1
            if share < rising:
                return peak * share / rising
            return peak * 0.5 * (1 + math.cos(math.pi * (share - rising) / (1 - rising)))
        if self.training.schedule == "trapezoid":
            # The warm-up is a fixed number of steps so that the stable part does not depend on the length of the run.
            falling = (1 - step / self.steps) / self.training.decay_share
            return peak * min(1.0, (step + 1) / 100, falling)
        return peak


def make_plan(training: Training, *, slices: int, size: int) -> Plan:
    """Lay out a run.

    Args:
        training: Settings.
        slices: Slices in an epoch.
        size: Patch side where there are no stages.

    Returns:
        The plan.
    """
    stages = training.stages or (Stage(1.0, size, training.batch),)
    steps = training.steps or math.ceil(slices / training.batch) * training.epochs
    entries: list[tuple[int, int, Stage]] = []
    first, position, share = 0, 0, 0.0
    for stage in stages:
        entries.append((first, position, stage))
        share += stage.share
        following = round(steps * share)
        position += (following - first) * stage.batch
        first = following
    return Plan(training, steps, tuple(entries))
