"""What is said and logged while a network trains: loss, speed, and the Dice of what it has just been shown."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["ORGANS", "Overlap", "Speaker", "overlaps"]

ORGANS = ("liver", "tumor")
"""Names of the output's channels."""


@dataclass
class Overlap:
    """Pixels of masks and how many agree; may be summed over steps.

    Attributes:
        common: Pixels in both masks.
        total: Pixels of one mask plus those of the other.
    """

    common: int = 0
    total: int = 0

    @property
    def dice(self) -> float:
        """``2 common / total``, NaN where both masks are empty."""
        return 2 * self.common / self.total if self.total else math.nan

    def __iadd__(self, other: Overlap) -> Overlap:
        self.common += other.common
        self.total += other.total
        return self


@torch.no_grad()
def overlaps(logits: Tensor, targets: Tensor, *, tumor_inside_liver: bool = False) -> tuple[Overlap, ...]:
    """Compare a batch at probability 0.5 with its reference, one overlap a channel; waits for a graphics card once.

    Args:
        logits: (N, C, H, W).
        targets: (N, C, H, W), 0 or 1.
        tumor_inside_liver: Count tumor where liver is predicted as well only, as the mask will.

    Returns:
        C overlaps, the batch's pixels pooled.
    """
    guess, truth = logits > 0, targets > 0
    if tumor_inside_liver:
        guess[:, 1:] &= guess[:, :1]
    common = (guess & truth).sum(dim=(0, 2, 3))
    total = guess.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3))
    return tuple(Overlap(*counts) for counts in torch.stack([common, total], dim=1).tolist())


class Speaker:
    """Says a line now and then: mean loss, Dice of the batches pooled, and speed since the last line.

    Args:
        say: Told the line.
        steps: Of the whole run.
    """

    def __init__(self, say: Callable[[str], None], steps: int) -> None:
        self._say, self._of = say, steps
        self._forget()

    def _forget(self) -> None:
        self._losses: list[float] = []
        self._seen = tuple(Overlap() for _ in ORGANS)
        self._slices, self._began = 0, time.perf_counter()

    def heard(self, loss: float, seen: tuple[Overlap, ...], slices: int) -> None:
        """A step was made."""
        self._losses.append(loss)
        self._slices += slices
        for mine, new in zip(self._seen, seen, strict=True):
            mine += new

    def speak(self, step: int, rate: float) -> None:
        """Say the line of the steps since the last one."""
        loss, speed = sum(self._losses) / len(self._losses), self._slices / (time.perf_counter() - self._began)
        dice = ", ".join(f"{name} {one.dice:.3f}" for name, one in zip(ORGANS, self._seen, strict=True))
        self._say(f"step {step}/{self._of} loss {loss:.4f} dice {dice} lr {rate:.2e} {speed:.1f} slices/s")
        self._forget()
