"""The paper as data, experiments by name and the candidates for the released weights."""

from __future__ import annotations

from rmaunet.paper.candidates import CANDIDATES
from rmaunet.train.experiment import Experiment
from rmaunet.train.presets import FIRST, PAPER, PAPER_SIZES

__all__ = ["EXPERIMENTS", "Experiment"]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for experiment in (PAPER, *PAPER_SIZES, FIRST, *CANDIDATES.values())
}
"""Every experiment the command line knows, by its name."""
