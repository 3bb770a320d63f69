"""From a data set on disk to a slice store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError, RmaunetError
from rmaunet.core.files import sha256
from rmaunet.core.volume import Volume, axial
from rmaunet.datasets.case import Case
from rmaunet.datasets.content_hash import content_hash
from rmaunet.datasets.load_case import load_case
from rmaunet.datasets.store.slice_store import StoreWriter
from rmaunet.preprocess import Prepared, Preprocessing, prepare, to_bytes

__all__ = ["prepare_store", "prepare_volumes"]


def prepare_volumes(
    ct: Volume, mask: Volume, settings: Preprocessing
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[float, float, float]]:
    """A case as a store keeps it.

    Args:
        ct: HU, any orientation.
        mask: Labels on the same grid.
        settings: Window and grid; neighbours are not stored, slices find them in the store.

    Returns:
        Images and labels (D, H, W) and their spacing (z, y, x) in mm.
    """
    prepared = prepare(ct, settings)
    upright = axial(mask).array
    middle = settings.context_slices
    images = np.concatenate([to_bytes(prepared.slices(z, z + 1)[:, middle]) for z in range(len(prepared))])
    labels = np.stack([prepared.grid.forward(plane, fill=0, nearest=True) for plane in upright])
    return images, labels.astype(np.uint8), _spacing(prepared)


def _spacing(prepared: Prepared) -> tuple[float, float, float]:
    dz, dy, dx = prepared.ct.spacing
    top, bottom, left, right = prepared.grid.box
    rows, columns = prepared.grid.resized
    return (float(dz), float(dy * (bottom - top) / rows), float(dx * (right - left) / columns))


def prepare_store(
    cases: Sequence[Case],
    root: Path,
    settings: Preprocessing,
    *,
    licence: str = "",
    progress: Callable[[int, int, str], None] = lambda done, of, name: None,
) -> list[tuple[str, RmaunetError]]:
    """Write a store of all cases that can be used.

    Args:
        cases: Labelled cases.
        root: The store's folder.
        settings: Window and grid.
        licence: Name and licence of the data, kept for the cards of networks; "" if not known.
        progress: Told (cases done, cases in all, the case worked on).

    Returns:
        The cases left out, each with the reason.

    Raises:
        InputError: If no case could be used.
        OutputError: If the store cannot be written.
    """
    failures: list[tuple[str, RmaunetError]] = []
    seen: dict[str, str] = {}
    with StoreWriter(root, settings, licence=licence) as writer:
        for done, case in enumerate(cases):
            progress(done, len(cases), case.name)
            try:
                scan, mask = load_case(case)
                first = seen.setdefault(content_hash(scan.volume), case.name)
                if first != case.name:
                    raise InputError(case.name, "image", None, f"holds the same voxels as {first}'s", "remove one")
                images, labels, spacing_mm = prepare_volumes(scan.volume, mask, settings)
            except InputError as error:
                failures.append((case.name, error))
                continue
            source = sha256(case.image) if case.image.is_file() else ""
            writer.add(case.name, images, labels, spacing_mm=spacing_mm, patient=case.patient, source=source)
        progress(len(cases), len(cases), "")
        if not writer.cases:
            raise InputError(
                root, "cases", len(cases), "none could be used", f"first: {failures[0][1]}" if failures else ""
            )
    return failures
