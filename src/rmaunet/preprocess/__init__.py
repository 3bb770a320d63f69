"""From HU on any grid to the network's slices, and back."""

from __future__ import annotations

from rmaunet.preprocess.enlarge_maps import Enlarger
from rmaunet.preprocess.hu_window import from_bytes, to_bytes, window
from rmaunet.preprocess.prepared_slices import Prepared, prepare, restore
from rmaunet.preprocess.preprocess_settings import Preprocessing
from rmaunet.preprocess.slice_grid import Grid, plan_grid

__all__ = [
    "Enlarger",
    "Grid",
    "Prepared",
    "Preprocessing",
    "from_bytes",
    "plan_grid",
    "prepare",
    "restore",
    "to_bytes",
    "window",
]
