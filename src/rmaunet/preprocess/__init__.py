"""From HU on any grid to the network's slices, and back."""

from __future__ import annotations

from rmaunet.preprocess.enlarge import Enlarger
from rmaunet.preprocess.grid import Grid, body_box, plan_grid
from rmaunet.preprocess.prepare import Prepared, prepare, restore
from rmaunet.preprocess.settings import Preprocessing
from rmaunet.preprocess.window import from_bytes, to_bytes, window

__all__ = [
    "Enlarger",
    "Grid",
    "Prepared",
    "Preprocessing",
    "body_box",
    "from_bytes",
    "plan_grid",
    "prepare",
    "restore",
    "to_bytes",
    "window",
]
