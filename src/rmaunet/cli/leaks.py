"""Were the scored cases trained on? Weights from the predictions' manifests, scans from beside the references."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rmaunet.cohort.scan_outputs import beside
from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.datasets.check.check_dataset import list_images
from rmaunet.io import read_scan
from rmaunet.leaks.fingerprint import Fingerprint, fingerprint, read_fingerprints
from rmaunet.leaks.match_scans import leaked_cases
from rmaunet.metrics.pairing import Pair, case_name
from rmaunet.predict.weights import ModelCard, fingerprint_file, load_card
from rmaunet.predict.weights_record import recorded_weights

__all__ = ["Leaks", "find_leaks", "leak_notes"]


@dataclass
class Leaks:
    """What is known of the scored cases.

    Attributes:
        weights: Names of the weights compared with.
        seen: Case to "no", "same scan: NAME", "same patient?: NAME", "same name: NAME", "unknown" (no scan to compare) or
            "not checked" (no weights to compare with).
    """

    weights: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)


def find_leaks(pairs: Sequence[Pair], *, weights: str | None, scans: Path | None) -> Leaks:
    """Compare the scored cases with the training cases of the weights that predicted them.

    Args:
        pairs: The cases.
        weights: Name or folder of the weights; by default those that the prediction's ``CASE_run.json`` names: shipped ones,
            or those in the folder that it gives, if they are still the same.
        scans: Data set or folder of the CTs; by default they are looked for beside the references (``volume-N`` in LiTS's
            folder, ``imagesTr`` beside ``labelsTr``).

    Returns:
        What is known of each case.

    Raises:
        ModelError: If ``weights`` cannot be used.
        InputError: If ``scans`` or the weights' fingerprints cannot be used.
    """
    leaks = Leaks()
    used = {pair.name: weights or _weights_of(pair.prediction) for pair in pairs}
    found = _scans(scans) if scans is not None else {}
    for name in dict.fromkeys(used.values()):
        if name is None:
            continue
        card, file = load_card(name), fingerprint_file(name)
        training = read_fingerprints(file) if file is not None else []
        if not training:
            notice(name, "these weights keep no fingerprints: their training cases are known by name only")
        leaks.weights.append(card.name)
        for pair in pairs:
            if used[pair.name] == name:
                path = found.get(pair.name) if scans is not None else _beside(pair)
                leaks.seen[pair.name] = _seen(pair.name, path, training, card)
    leaks.seen = {pair.name: leaks.seen.get(pair.name, "not checked") for pair in pairs}
    return leaks


def _weights_of(prediction: Path) -> str | None:
    """The weights that a prediction's manifest names, where they are to be found."""
    path = beside(prediction, "run.json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return recorded_weights(content, path) if isinstance(content, Mapping) else None


def _scans(root: Path) -> dict[str, Path]:
    return {case_name(case.name): case.image for case in list_images(root)}


def _beside(pair: Pair) -> Path | None:
    return next(_candidates(pair), None)


def _candidates(pair: Pair) -> Iterator[Path]:
    folder = pair.reference.parent
    for place in (folder, folder.parent / "imagesTr") if folder.name == "labelsTr" else (folder,):
        for path in sorted(place.iterdir()) if place.is_dir() else ():
            scan = place.name == "imagesTr" or path.name.lower().startswith("volume-") or "_0000." in path.name
            if scan and path.is_file() and path != pair.reference and case_name(path.name) == pair.name:
                yield path


def _seen(name: str, path: Path | None, training: Sequence[Fingerprint], card: ModelCard) -> str:
    if path is not None and training:
        try:
            print(f"comparing {name} with the training cases of {card.name}", file=sys.stderr)
            leak = leaked_cases([fingerprint(read_scan(path).volume, name)], training).get(name)
            return f"{leak.verdict}: {leak.other}" if leak else "no"
        except InputError as error:
            notice(name, f"was not compared with the training cases ({error})")
    same = next((known for known in card.trained_on if case_name(known) == name), None)
    return f"same name: {same}" if same is not None else "unknown"


def leak_notes(leaks: Leaks) -> list[str]:
    """Sentences for the table.

    Args:
        leaks: From :func:`find_leaks`.

    Returns:
        Which cases were trained on, which could not be compared, and which were not checked.
    """
    which, of = " and ".join(leaks.weights), len(leaks.seen)
    no_hit = ("no", "unknown", "not checked")
    hits: Mapping[str, str] = {name: text for name, text in leaks.seen.items() if text not in no_hit}
    unknown = [name for name, text in leaks.seen.items() if text == "unknown"]
    unchecked = [name for name, text in leaks.seen.items() if text == "not checked"]
    clear = of - len(unknown) - len(unchecked)
    notes = []
    if hits:
        first = "; ".join(f"{name} ({text})" for name, text in list(hits.items())[:20])
        more = f"; and {len(hits) - 20} more" if len(hits) > 20 else ""
        notes.append(f"LEAK: {len(hits)} of {of} cases were among the training cases of weights {which}, so that this "
                     f"table is no test of them: {first}{more}.")  # fmt: skip
    elif clear:
        notes.append(f"By content, none of {clear} cases was among the training cases of weights {which}.")
    if unknown:
        first = ", ".join(unknown[:5])
        notes.append(f"{len(unknown)} of {of} cases were not compared with the training cases of weights {which}, for want "
                     f"of their scans (--scans): {first}.")  # fmt: skip
    if unchecked:
        notes.append(f"Leaks not checked: the weights that predicted {len(unchecked)} of {of} cases are not known or not to be "
                     f"found (--weights): {', '.join(unchecked[:5])}.")  # fmt: skip
    return notes
