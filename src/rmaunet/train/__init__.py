"""From an experiment and a store to weights."""

from __future__ import annotations

from rmaunet.train.loop import TrainingError, train

__all__ = ["TrainingError", "train"]
