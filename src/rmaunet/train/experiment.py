"""An experiment: everything that decides what weights come out, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rmaunet.networks.build import NetworkSettings
from rmaunet.predict.postprocess.clean_labels import Postprocessing
from rmaunet.preprocess import Preprocessing
from rmaunet.train.augment.transforms import Augmentation
from rmaunet.train.sampling import Sampling

__all__ = ["Experiment", "Stage", "Training"]


MAX_BATCH = 4096


@dataclass(frozen=True)
class Stage:
    """A part of the training at one patch size; not in the paper.

    Attributes:
        share: Its share of all steps.
        size: Side of the patch in pixels, a multiple of 16.
        batch: Slices a step.
        view: What a patch smaller than the preprocessing's shows: "whole", the same field of view more coarsely; or "part" of
            it with the pixels it will have in use, placed so that it shows what the slice was drawn for.
    """

    share: float
    size: int
    batch: int
    view: Literal["whole", "part"] = "whole"

    def __post_init__(self) -> None:
        """Refuse what is out of range (ValueError)."""
        if not 0 < self.share <= 1:
            raise ValueError(f"share = {self.share}: must lie between 0 and 1")
        if not 16 <= self.size <= 4096 or self.size % 16:
            raise ValueError(f"size = {self.size}: must be a multiple of 16 up to 4096")
        if not 1 <= self.batch <= MAX_BATCH:
            raise ValueError(f"batch = {self.batch}: must lie between 1 and {MAX_BATCH}")


@dataclass(frozen=True)
class Training:
    """How long, with which optimiser.

    Attributes:
        epochs: Passes over the slices; the paper's 250. Used where ``steps`` is 0.
        steps: Optimiser steps, overriding ``epochs``.
        batch: Slices a step; the paper's 8.
        optimiser: "adam" (the paper) or "adamw".
        learning_rate: The paper's 1e-4, or the highest of the schedule.
        schedule: "constant" (the paper states none), "one_cycle" (linear up over 10 %, cosine to 0) or "trapezoid" (up over
            2 %, constant, linear to 0 over the last ``decay_share``; the number of steps may be changed before the decay).
        decay_share: Of "trapezoid".
        weight_decay: Of the optimiser.
        gradient_clip: Largest gradient norm, 0 for none.
        ema_decay: Of the running average of the weights that is validated and released; 0 for none.
        precision: "float32", or "bfloat16" for the convolutions (the loss stays in float32).
        stages: Progressive patch sizes; empty for one stage of the preprocessing's size.
    """

    epochs: int = 250
    steps: int = 0
    batch: int = 8
    optimiser: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-4
    schedule: Literal["constant", "one_cycle", "trapezoid"] = "constant"
    decay_share: float = 0.25
    weight_decay: float = 0.0
    gradient_clip: float = 0.0
    ema_decay: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    stages: tuple[Stage, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is out of range (ValueError)."""
        for name, low, high in (("epochs", 1, 10**6), ("steps", 0, 10**9), ("batch", 1, MAX_BATCH)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} = {getattr(self, name):.6g}: must lie between {low} and {high}")
        if not 0 < self.learning_rate < 1:
            raise ValueError(f"learning_rate = {self.learning_rate}: must lie between 0 and 1")
        if not 0 <= self.weight_decay < 1:
            raise ValueError(f"weight_decay = {self.weight_decay}: must be at least 0 and below 1")
        if self.gradient_clip < 0:
            raise ValueError(f"gradient_clip = {self.gradient_clip}: must be at least 0")
        if not 0 < self.decay_share <= 1:
            raise ValueError(f"decay_share = {self.decay_share}: must lie between 0 and 1")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay = {self.ema_decay}: must be at least 0 and below 1")
        if self.stages and abs(sum(stage.share for stage in self.stages) - 1) > 1e-6:
            raise ValueError(f"stages: their shares sum to {sum(stage.share for stage in self.stages)}, not to 1")


@dataclass(frozen=True)
class Experiment:
    """One row of a table, or one model to release.

    Attributes:
        name: Command line name, run folder and table row.
        network: Which network.
        preprocessing: How slices are made; the store must have been made with the same window.
        loss: A key of ``LOSSES``.
        augmentation: What may happen to a training slice.
        sampling: Which slices are trained on.
        training: How long, with which optimiser.
        postprocessing: What is done to the mask.
        seed: Of everything random.
    """

    name: str = "rmaunet"
    network: NetworkSettings = field(default_factory=NetworkSettings)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    loss: str = "focal_dice"
    augmentation: Augmentation = field(default_factory=Augmentation)
    sampling: Sampling = field(default_factory=Sampling)
    training: Training = field(default_factory=Training)
    postprocessing: Postprocessing = field(default_factory=Postprocessing)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range (ValueError)."""
        if not 0 < len(self.name) <= 100 or not self.name.isprintable() or set(self.name) & set("/\\"):
            raise ValueError(f"name = {self.name[:40]!r}: must be one short line without slashes")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed = {self.seed}: must be at least 0 and below 2^63")
