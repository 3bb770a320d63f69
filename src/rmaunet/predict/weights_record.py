"""The weights that a manifest names: written by one function, read by another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rmaunet.core.errors import ModelError
from rmaunet.predict.weights import ModelCard, load_card, shipped_weights

__all__ = ["manifest_record", "recorded_identity", "recorded_weights"]


def manifest_record(card: ModelCard, folder: Path | None, *, manifest: Path) -> dict[str, Any]:
    """What a run's manifest says of the weights; :func:`recorded_weights` reads it.

    Args:
        card: Card of the weights.
        folder: Folder they were loaded from; None if they came from no folder.
        manifest: Path of the manifest. The folder is written relative to it, so that no home directory is named.

    Returns:
        Name, identity and licence; the folder, unless the weights are shipped ones.
    """
    record: dict[str, Any] = {"name": card.name, "identity": card.identity, "licence": card.licence}
    shipped = any(_has_identity(name, card.identity) for name in shipped_weights())
    if folder is not None and not shipped:
        record["folder"] = Path(os.path.relpath(folder.resolve(), manifest.parent.resolve())).as_posix()
    return record


def recorded_identity(manifest: Mapping[str, Any]) -> str | None:
    """Identity of the weights that a manifest names; None if it names none."""
    record = manifest.get("weights")
    identity = record.get("identity") if isinstance(record, Mapping) else None
    return identity if isinstance(identity, str) and identity else None


def recorded_weights(manifest: Mapping[str, Any], path: Path) -> str | None:
    """Find the weights that a manifest names, among those shipped and in the folder that it gives.

    Args:
        manifest: Content of ``path``.
        path: The manifest's file.

    Returns:
        Name or folder for :func:`load_card`, whose identity is the one recorded; None if they are not to be found.
    """
    identity = recorded_identity(manifest)
    if identity is None:
        return None
    folder = manifest["weights"].get("folder")
    places = [*shipped_weights(), *([str(path.parent / folder)] if isinstance(folder, str) else [])]
    return next((place for place in places if _has_identity(place, identity)), None)


def _has_identity(place: str, identity: str) -> bool:
    try:
        return load_card(place).identity == identity
    except ModelError:
        return False
