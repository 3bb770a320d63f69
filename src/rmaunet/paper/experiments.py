"""Every experiment that the command line knows, by name."""

from __future__ import annotations

from rmaunet.train.experiment import Experiment
from rmaunet.train.presets import AROUND, AROUND_HEALED, FIRST, PAPER, PAPER_SIZES, WHOLE, WHOLE_HEALED

__all__ = ["EXPERIMENTS"]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (PAPER, *PAPER_SIZES, FIRST, WHOLE, WHOLE_HEALED, AROUND, AROUND_HEALED)
}
