"""Synthetic patients without a liver: what a network must leave empty and abdominal CTs hardly show.

A set of liver CTs has no head and little chest and pelvis; a network trained on it finds a liver of 200 ml in a head.
"""

from __future__ import annotations

import numpy as np

from rmaunet.core.volume import axial
from rmaunet.datasets.phantoms.phantom import Kind, phantom
from rmaunet.datasets.store.slice_store import Store, StoredCase
from rmaunet.preprocess import to_bytes, window

__all__ = ["add_negatives"]

KINDS: tuple[Kind, ...] = ("head", "pelvis", "chest")
EACH = 4
FIRST_SEED = 1000
"""Tests and benchmarks use small seeds: what is measured there was not trained on."""

_SHAPE = (48, 128, 128)
_NOISE_HU = (5.0, 10.0, 20.0, 40.0)


def add_negatives(store: Store) -> list[StoredCase]:
    """Add four heads, four pelves and four chests of different noise to an open store, in memory.

    Args:
        store: Whose window is applied.

    Returns:
        The added cases, without liver on any slice.
    """
    added = []
    for kind in KINDS:
        for number in range(EACH):
            made = phantom(kind, seed=FIRST_SEED + number, shape=_SHAPE, noise_hu=_NOISE_HU[number])
            ct = axial(made.ct)
            images = to_bytes(window(np.asarray(ct.array), store.preprocessing.window_hu))
            added.append(store.add(f"phantom-{kind}-{number}", images, spacing_mm=ct.spacing))
    return added
