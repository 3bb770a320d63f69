"""What became of each segment of a mask, for the output line and the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.notices import notice
from rmaunet.core.vocabulary import Named, assign
from rmaunet.io.masks.label_values import LabelKey, Labels, shown_labels

__all__ = ["Use", "decide", "use_line"]

_WORD = {LIVER: "liver", TUMOR: "tumor"}


@dataclass(frozen=True)
class Use:
    """One segment.

    Attributes:
        segment: Number and name, e.g. "2 'Tumor'".
        label: LIVER, TUMOR, or None if it is left out.
        voxels: Number of its voxels; None where it is left out.
    """

    segment: str
    label: int | None
    voxels: int | None = None

    def to_dict(self) -> dict[str, object]:
        """Plain values for a manifest."""
        return {"segment": self.segment, "used_as": _WORD.get(self.label or 0, "left out"), "voxels": self.voxels}


def use_line(uses: Sequence[Use]) -> str:
    """Every segment used or left out, on one line.

    Example:
        >>> use_line([Use("1 'Liver'", 1, 90), Use("2 'HCC'", 2, 0), Use("3 'Spleen'", None)])
        "liver = 1 'Liver' (90 voxels); tumor = 2 'HCC' (no voxel); left out: 3 'Spleen'"
    """
    parts = []
    for label, word in _WORD.items():
        used = [f"{use.segment} ({use.voxels or 'no'} voxel{'s' * ((use.voxels or 0) > 1)})"
                for use in uses if use.label == label]  # fmt: skip
        parts += [f"{word} = {', '.join(used)}"] if used else []
    others = [use.segment for use in uses if use.label is None]
    return "; ".join([*parts, *([f"left out: {', '.join(others)}"] if others else [])])


class MappingNeededError(InputError):
    """Segments are sound, but only their author knows which are liver and tumor.

    Attributes:
        example: A mapping as ``--label`` takes it.
    """

    def __init__(self, subject: str | Path, field: str, value: object, problem: str, example: str) -> None:
        remedy = advise("--label", f"map them, e.g. --label {example}", "name the segments liver and tumor")
        super().__init__(subject, field, value, problem, remedy)
        self.example = example


def decide(
    path: Path | str, field: str, segments: Sequence[Named], labels: Labels | None, example: str
) -> list[int | None]:
    """What each segment of a mask is: by the vocabulary, or by `--label`.

    Args:
        path: The file, for messages.
        field: What the error is about.
        segments: All segments.
        labels: The user's mapping, None for the vocabulary.
        example: A `--label` for these segments, for the remedy.

    Returns:
        LIVER, TUMOR or None for each segment. Notices say what was left out.

    Raises:
        InputError: If no segment is liver or tumor, the liver is not known, or ``labels`` names a segment that is not there.
    """
    if labels is None:
        found = assign(segments)
        if found.problem is not None:
            raise MappingNeededError(path, field, len(segments), found.problem, example)
        for text in found.notes:
            notice(path, text)
        return found.labels
    result: list[int | None] = [None] * len(segments)
    for key, label in labels.items():
        where = [index for index, segment in enumerate(segments) if _is(segment, key)]
        if not where:
            shown = next(iter(shown_labels({key: label}) or {}))
            problem = f"no such segment among {', '.join(s.shown for s in segments) or '(none)'}"
            raise InputError(path, advise("--label", "--label", "label"), shown, problem, "name one of them")
        if isinstance(key, int) and len({segments[index].key for index in where}) > 1:
            layers = " or ".join(f"{segments[index].key}={_WORD.get(label, 'background')}" for index in where)
            raise InputError(
                path,
                advise("--label", "--label", "label"),
                f"{key}",
                "is a value in several layers",
                f"name one: {layers}",
            )
        for index in where:
            result[index] = label or None
    return result


def _is(segment: Named, key: LabelKey) -> bool:
    """Whether `--label` means this segment: by its key (or the value in it), or by its name."""
    if isinstance(key, tuple):
        return segment.key == f"{key[0]}:{key[1]}" or (key[0] == 0 and segment.key == str(key[1]))
    if isinstance(key, int):
        return segment.key == str(key) or segment.key.endswith(f":{key}")
    return segment.name.strip().casefold() == key.casefold()
