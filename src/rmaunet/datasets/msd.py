"""MSD Task03_Liver, the Medical Segmentation Decathlon's release of the LiTS scans.

==========  ==========================================================================================================
source      Antonelli et al. 2022, doi 10.1038/s41467-022-30695-9
licence     CC BY-SA 4.0
layout      ``dataset.json`` naming ``imagesTr/liver_N.nii.gz`` and ``labelsTr/liver_N.nii.gz``; 70 test images without labels
labels      0 background, 1 liver, 2 cancer
counts      131 training scans, the same as LiTS's
defects     the archive holds AppleDouble files (``._liver_N.nii.gz``), which are skipped; the 20 patients of 3D-IRCADb-01 are
            among the training scans, as in LiTS
==========  ==========================================================================================================
"""

from __future__ import annotations

from pathlib import Path

from rmaunet.core.errors import InputError
from rmaunet.datasets.case import Case
from rmaunet.datasets.folder import SUFFIXES, inside, label_map, read_description

__all__ = ["cases", "recognizes"]


def recognizes(root: Path) -> bool:
    """Whether ``root`` has a dataset.json that lists training cases."""
    return (root / "dataset.json").is_file() and "training" in read_description(root / "dataset.json")


def cases(root: Path) -> list[Case]:
    """The training cases that dataset.json names, in its order.

    Args:
        root: Folder with dataset.json.

    Returns:
        One case an entry.

    Raises:
        InputError: If dataset.json cannot be used, names a case twice or a path outside the folder, or files are missing
            (count and first names).
    """
    path = root / "dataset.json"
    if not path.is_file():
        raise InputError(root, "dataset.json", None, "is missing", "give the folder Task03_Liver")
    description = read_description(path)
    entries = description.get("training")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(path, "training", repr(entries)[:60], "is no list of images and labels", "copy the file again")
    labels = label_map(path, description)
    found: dict[str, Case] = {}
    missing: list[str] = []
    for entry in entries:
        image, label = inside(root, entry.get("image"), path), inside(root, entry.get("label"), path)
        if image.name.startswith("._") or label.name.startswith("._"):
            continue
        suffix = next((s for s in SUFFIXES if image.name.lower().endswith(s)), "")
        name = image.name[: len(image.name) - len(suffix)]
        if name in found:
            raise InputError(path, "training", name, "is named twice", "remove one entry")
        missing += [str(p.relative_to(root)) for p in (image, label) if not p.is_file()]
        found[name] = Case(name, image, label, labels=labels)
    if missing:
        raise InputError(root, "files", len(missing), f"missing, first {', '.join(missing[:3])}", "complete the set")
    if not found:
        raise InputError(path, "training", 0, "names no case", "copy the file again")
    return list(found.values())
