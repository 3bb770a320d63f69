"""A plain folder of images and masks, with or without nnU-Net's dataset.json.

==========  ==========================================================================================================
source      yours
layout      ``imagesTr/CASE_0000.nii.gz`` or ``imagesTr/CASE.nii.gz`` (any suffix rmaunet reads) and ``labelsTr/CASE.*``;
            ``dataset.json`` in nnU-Net's layout (version 1 or 2) is used for its label names if it is there
labels      0 background, 1 liver, 2 tumor; or what dataset.json says, by the names of
            :mod:`rmaunet.core.structure_names`; every other label counts as background, and is named
==========  ==========================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rmaunet.core.errors import InputError
from rmaunet.core.files import read_json
from rmaunet.core.labels import BACKGROUND, LIVER
from rmaunet.core.notices import notice
from rmaunet.core.vocabulary import Named, assign
from rmaunet.datasets.case import Case

__all__ = ["cases", "inside", "label_map", "licence", "read_description", "recognizes"]

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".mrc")
_MAX_JSON_BYTES = 16 << 20


def recognizes(root: Path) -> bool:
    """Whether ``root`` has a folder imagesTr."""
    return (root / "imagesTr").is_dir()


def licence(root: Path) -> str:
    """Name and licence that dataset.json gives (keys ``name``, and ``licence`` or ``license``); "" without a licence."""
    path = root / "dataset.json"
    description = read_description(path) if path.is_file() else {}
    given = str(description.get("licence") or description.get("license") or "").strip()
    name = str(description.get("name") or "").strip()
    return f"{name} ({given})" if name and given else given


def cases(root: Path) -> list[Case]:
    """The cases of a folder with imagesTr and labelsTr, by name.

    Args:
        root: The folder.

    Returns:
        One case an image.

    Raises:
        InputError: If a folder is missing or empty, an image stands there twice, dataset.json cannot be used, or masks are
            missing (count and first names).
    """
    images, masks = _by_stem(root, "imagesTr", channel=True), _by_stem(root, "labelsTr", channel=False)
    path = root / "dataset.json"
    labels = label_map(path, read_description(path)) if path.is_file() else None
    missing = [name for name in images if name not in masks]
    if missing:
        text = f"missing for images, first {', '.join(missing[:3])}"
        raise InputError(root / "labelsTr", "masks", len(missing), text, "complete the set")
    return [Case(name, image, masks[name], labels=labels) for name, image in images.items()]


def _by_stem(root: Path, folder: str, *, channel: bool) -> dict[str, Path]:
    if not (root / folder).is_dir():
        raise InputError(root, folder, None, "there is no such folder", "give the folder with imagesTr and labelsTr")
    found: dict[str, Path] = {}
    for path in sorted((root / folder).iterdir()):
        suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), None)
        if suffix is None or path.name.startswith(".") or not path.is_file():
            continue
        name = path.name[: -len(suffix)]
        if channel and name.endswith(("_0001", "_0002", "_0003")):
            raise InputError(
                path, "channel", name[-4:], "is a second channel", "rmaunet reads one CT a case; remove it"
            )
        name = name.removesuffix("_0000") if channel else name
        if name in found:
            raise InputError(
                root / folder, name, f"{found[name].name}, {path.name}", "stands there twice", "remove one"
            )
        found[name] = path
    if not found:
        raise InputError(root / folder, "files", 0, "no image in it", f"give files ending in {', '.join(SUFFIXES[:4])}")
    return found


def read_description(path: Path) -> dict[str, Any]:
    """Read dataset.json.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        InputError: If it is not a JSON object of at most 16 MiB.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise InputError(path, "size", path.stat().st_size, "is too large", "give the data set's own file")
        content = read_json(path)
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
        raise InputError(path, "content", None, problem, "save it as UTF-8") from error
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(path, "content", None, f"is not valid JSON ({reason})", "copy the file again") from error
    if not isinstance(content, dict):
        raise InputError(path, "content", type(content).__name__, "is not a JSON object", "copy the file again")
    return content


def label_map(path: Path, description: Mapping[str, Any]) -> dict[int, int] | None:
    """What the label values mean, by their names in dataset.json (nnU-Net writes name: value, MSD value: name).

    Args:
        path: The file, for messages.
        description: Its content.

    Returns:
        Values to ours; None if they are ours already or the file names none.

    Raises:
        InputError: If ``labels`` is not a map of names and whole numbers, or no label is called liver.
    """
    labels = description.get("labels")
    if labels is None:
        return None
    pairs: list[tuple[str, int]] = []
    for key, value in labels.items() if isinstance(labels, dict) else [("", None)]:
        name, numbers = (value, key) if isinstance(value, str) and str(key).isdigit() else (key, value)
        for number in numbers if isinstance(numbers, list) else [numbers]:  # a list: nnU-Net's regions
            number = int(number) if isinstance(number, float) and number.is_integer() else number
            if isinstance(number, bool) or not str(number).isdigit():
                raise InputError(
                    path, "labels", repr(labels)[:80], "are not names and whole numbers", "correct the file"
                )
            pairs.append((str(name), int(str(number))))
    found = assign([Named(str(number), name) for name, number in pairs], option=False)
    ours: dict[int, int] = {}
    for (_, number), label in zip(pairs, found.labels, strict=True):
        ours[number] = max(label or BACKGROUND, ours.get(number, BACKGROUND))
    if found.problem is not None or LIVER not in ours.values():
        names = ", ".join(name for name, _ in pairs)[:80]
        raise InputError(path, "labels", names, "none is called liver", "name the liver's label liver in the file")
    for text in found.notes:
        notice(path, text.replace("segments left out", "labels left out"))
    return None if ours == {v: v for v in ours} and set(ours) <= {0, 1, 2} else ours


def inside(root: Path, relative: object, subject: Path) -> Path:
    """A path that a file names, if it stays in the data set's folder.

    Args:
        root: The data set's folder.
        relative: What the file says, e.g. "./imagesTr/liver_0.nii.gz".
        subject: The file, for messages.

    Returns:
        The path below ``root``.

    Raises:
        InputError: If it is no text, absolute, or leaves the folder by ``..`` or a link.
    """
    if not isinstance(relative, str) or not relative or "\0" in relative:
        raise InputError(subject, "path", repr(relative)[:80], "is no file name", "correct the file")
    path = Path(relative)
    if path.is_absolute() or ".." in path.parts or not (root / path).resolve().is_relative_to(root.resolve()):
        raise InputError(subject, "path", relative[:80], "leaves the data set's folder", "correct the file")
    return root / path
