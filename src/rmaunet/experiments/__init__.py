"""The paper as data, experiments by name and the candidates for the released weights."""

from __future__ import annotations

from rmaunet.experiments.candidates import CANDIDATES
from rmaunet.experiments.experiment import Experiment
from rmaunet.experiments.presets import FAST, PAPER, PAPER_SIZES

__all__ = ["EXPERIMENTS", "Experiment"]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment for experiment in (PAPER, *PAPER_SIZES, FAST, *CANDIDATES.values())
}
"""Every experiment the command line knows, by its name."""
