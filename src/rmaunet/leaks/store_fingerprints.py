"""Fingerprints of a store's cases, for the weights trained on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.core.volume import make_volume
from rmaunet.datasets.store.slice_store import Store
from rmaunet.leaks.fingerprint import Fingerprint, fingerprint
from rmaunet.preprocess import from_bytes

__all__ = ["store_fingerprints"]


def store_fingerprints(
    store: Store, names: Sequence[str], *, progress: Callable[[int, int], None] = lambda done, of: None
) -> list[Fingerprint]:
    """Fingerprints of cases as the store keeps them: windowed, at the store's size.

    Args:
        store: The store.
        names: Cases in it.
        progress: Told (cases done, cases in all).

    Returns:
        One a case, in the order of ``names``; a case with too little tissue is left out with a notice.

    Raises:
        InputError: If a case is not in the store.
    """
    low, high = store.preprocessing.window_hu
    prints = []
    for done, name in enumerate(names):
        progress(done, len(names))
        hu = (from_bytes(store.images(name)) + 1) * np.float32((high - low) / 2) + np.float32(low)
        try:
            prints.append(fingerprint(make_volume(hu), name))
        except InputError as error:
            notice(name, f"has no fingerprint ({error.problem}): it will not be recognised as training data")
    progress(len(names), len(names))
    return prints
