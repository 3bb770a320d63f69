"""A repaired copy of a data set: what can be mended is, each change is named, what cannot is refused.

The copy is NIfTI in one orientation (array axes to the head, to the back, to the left; +i left, +j posterior, +k superior).
Nothing is ever written into the data set itself. ``docs/reference/data-sets.md`` lists the repairs with their sources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.files import make_folder, sha256, write_csv, write_json
from rmaunet.core.labels import LIVER
from rmaunet.core.notices import IDENTITY_AFFINE, collect_notices
from rmaunet.core.output_checks import check_outputs
from rmaunet.core.runs import locked
from rmaunet.core.volume import Volume, axial, make_volume
from rmaunet.datasets import lits
from rmaunet.datasets.case import Case
from rmaunet.datasets.check.check_dataset import LIVER_HU, list_cases, orientation_of
from rmaunet.datasets.check.liver_orientation import Evidence, check_orientation
from rmaunet.datasets.content_hash import content_hash
from rmaunet.datasets.load_case import load_case
from rmaunet.io import Scan, read_mask, read_scan, write_mask, write_volume
from rmaunet.io.scan import GridSource
from rmaunet.io.storage.affine_checks import index_reversed, is_identity
from rmaunet.io.storage.raw_values import stored_values

__all__ = ["AUDIT_COLUMNS", "Change", "repair_case", "repair_set"]

AUDIT_COLUMNS = ("case", "field", "before", "after", "why")

_EVEN_HU = 60.0
"""Half of a liver's voxels lie within a narrower range of HU than this; a mask on the wrong place does not."""


@dataclass(frozen=True)
class Change:
    """One row of audit.csv."""

    case: str
    field: str
    before: str
    after: str
    why: str


@dataclass
class _Mended:
    """A case on its way; volumes are axial once :func:`repair_case` is through."""

    case: Case
    ct: Volume
    mask: Volume
    changes: list[Change] = field(default_factory=list)

    def note(self, name: str, before: object, after: object, why: str) -> None:
        self.changes.append(Change(self.case.name, name, str(before), str(after), why))


def repair_set(
    root: Path,
    out: Path,
    layout: str = "auto",
    *,
    labels: Mapping[int, int] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, of, name: None,
) -> tuple[list[Change], list[tuple[str, InputError]]]:
    """Write a repaired copy with ``audit.csv``.

    Args:
        root: The data set's folder.
        out: Folder of the copy, outside ``root``; new, empty, or of an earlier call for the same set.
        layout: See :func:`rmaunet.datasets.check.check_dataset.list_cases`. LiTS stays LiTS; every other layout becomes
            imagesTr/labelsTr with dataset.json.
        labels: What the masks' values mean, instead of what the data set says.
        progress: Told (cases done, cases in all, the case worked on).

    Returns:
        The changes as audit.csv has them, and the cases refused with the reason (not in the copy, but in audit.csv).

    Raises:
        InputError: If the cases cannot be listed.
        UsageError: If ``out`` is inside ``root`` or holds other files.
        OutputError: If the copy cannot be written.
    """
    layout, cases = list_cases(root, layout, labels=labels)
    cases = [case for case in cases if case.label is not None]
    places = {case.name: _places(out, layout, case.name) for case in cases}
    written = {path for pair in places.values() for path in pair}
    _check_out(root, out, written)
    check_outputs([*written, out / "audit.csv", out / "dataset.json"], (root,), folder=out)
    changes: list[Change] = []
    refused: list[tuple[str, InputError]] = []
    seen: dict[str, str] = {}
    with locked(out):
        (out / "audit.csv").unlink(missing_ok=True)  # appears again at the end: a copy without it is unfinished
        for done, case in enumerate(cases):
            progress(done, len(cases), case.name)
            image, label = places[case.name]
            try:
                mended = repair_case(case, layout, seen)
            except InputError as error:
                refused.append((case.name, error))
                why = f"{error.problem}; {error.remedy}"
                changes.append(Change(case.name, error.field, str(error.value), "refused, not in the copy", why))
                for stale in (image, label):
                    stale.unlink(missing_ok=True)
                continue
            _write(mended, image, label)
            changes += mended.changes
        if layout != "lits":
            names = {"background": 0, "liver": 1, "tumor": 2}
            write_json(out / "dataset.json", {"channel_names": {"0": "CT"}, "labels": names, "file_ending": ".nii.gz",
                       "numTraining": len(cases) - len(refused)})  # fmt: skip
        write_csv(out / "audit.csv", [vars(change) for change in changes], AUDIT_COLUMNS)
    progress(len(cases), len(cases), "")
    return changes, refused


def _places(out: Path, layout: str, name: str) -> tuple[Path, Path]:
    if layout == "lits":
        return out / f"{name}.nii.gz", out / f"{name.replace('volume-', 'segmentation-')}.nii.gz"
    return out / "imagesTr" / f"{name}.nii.gz", out / "labelsTr" / f"{name}.nii.gz"


def _check_out(root: Path, out: Path, ours: set[Path]) -> None:
    if out.resolve().is_relative_to(root.resolve()) or root.resolve().is_relative_to(out.resolve()):
        raise UsageError(out, "--fix", None, "overlaps the data set, which is never changed", "give another folder")
    if not out.is_dir():
        make_folder(out)
    known = ours | {out / "audit.csv", out / "dataset.json", out / "run.lock"}
    other = [path for path in _files(out) if path not in known and not path.name.startswith(".partial-")]
    if other:
        raise UsageError(out, "--fix", f"{len(other)} other files", f"first {other[0].name}", "give an empty folder")
    for path in _files(out):
        if path.name.startswith(".partial-"):
            path.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if not path.is_dir())


def _write(mended: _Mended, image: Path, label: Path) -> None:
    scan = Scan(mended.ct, mended.case.name, GridSource(image))
    try:
        write_volume(mended.ct, image)
        write_mask(mended.mask, label, like=scan)
    except BaseException:
        for path in (image, label):
            path.unlink(missing_ok=True)
        raise
    files = mended.case.image.name, image.name
    mended.note("file", files[0], files[1], f"copy, sha256 {sha256(image)[:16]} (image) {sha256(label)[:16]} (mask)")


def repair_case(case: Case, layout: str, seen: dict[str, str]) -> _Mended:
    """Mend one case in memory.

    Args:
        case: With a mask.
        layout: "lits" knows what its numbers stand for.
        seen: Content to the first case that had it; grows.

    Returns:
        The case in axial orientation with its changes.

    Raises:
        InputError: If it cannot be repaired.
    """
    mended = _read(case)
    first = seen.setdefault(content_hash(mended.ct), case.name)
    if first != case.name:
        raise InputError(case.name, "image", f"same voxels as {first}", "the case is there twice", "remove one")
    _say_stored(mended)
    lost = is_identity(index_reversed(np.asarray(mended.ct.affine, float)))
    if (code := orientation_of(mended.ct)) != "HPL":
        mended.note("orientation", code, "HPL", "one orientation for the whole copy; axes turned, no voxel changed")
    mended.ct, mended.mask = axial(mended.ct), axial(mended.mask)
    if lost:
        _restore_spacing(mended, layout)
    _turn(mended, lost=lost)
    _say_labels(mended)
    return mended


def _read(case: Case) -> _Mended:
    with collect_notices() as notices:
        try:
            scan, mask = load_case(case)
            mended = _Mended(case, scan.volume, mask)
        except InputError as error:
            if error.field != "affine" or case.mask != "file":
                raise
            mended = _regrided(case, error)
    for line in notices:
        if line.code != IDENTITY_AFFINE:
            mended.note("reading", "", "", line.replace(str(case.image), case.image.name))
    return mended


def _regrided(case: Case, error: InputError) -> _Mended:
    """A mask that lost its geometry (identity affine, same matrix) lies on its CT voxel by voxel, if the HU under it agree."""
    if case.label is None:
        raise error
    ct, mask = read_scan(case.image).volume, read_mask(case.label, labels=case.labels)
    lost = is_identity(index_reversed(np.asarray(mask.affine, float)))
    if not lost or tuple(mask.spatial_shape) != tuple(ct.spatial_shape):
        raise error
    low, median, high = (
        np.quantile(ct.array[mask.array == LIVER], (0.25, 0.5, 0.75)) if mask.array.any() else (0, -1, 0)
    )
    if not LIVER_HU[0] <= median <= LIVER_HU[1] or high - low > _EVEN_HU:
        raise InputError(case.name, "affine of the mask", "identity", f"lost, and the HU under it (median {median:g}) are "
                         "no liver's", "give the mask drawn on this CT") from error  # fmt: skip
    mended = _Mended(case, ct, make_volume(mask.array, np.asarray(ct.affine, float)))
    why = f"the mask's was lost; same matrix, and the HU under it (median {median:g}) are a liver's"
    mended.note("affine of the mask", "identity", "the CT's", why)
    return mended


def _say_stored(mended: _Mended) -> None:
    case = mended.case
    image = stored_values(case.image) if case.image.is_file() and case.mask == "file" else None
    label = stored_values(case.label) if case.label is not None and case.mask == "file" else None
    if image is not None and image.below_air:
        why = "padding outside the scanner's field; -1024 is the lowest value of a CT"
        mended.note("HU", f"{image.below_air} voxels down to {image.lowest:g}", "-1024", why)
    if label is not None and label.broken:
        before = f"{label.broken} values off whole numbers by up to {label.off:.2g}"
        mended.note("labels", before, "rounded", "a label map stored as floating point")
    if label is not None and label.dtype != "uint8":
        mended.note("label type", label.dtype, "uint8", "labels are 0, 1, 2")


def _restore_spacing(mended: _Mended, layout: str) -> None:
    n = lits.number(mended.case.name) if layout == "lits" else None
    depth, rows, columns = mended.ct.spatial_shape
    known = lits.known_spacing(n, (depth, rows, columns)) if n is not None else None
    if known is None or n is None:
        raise InputError(mended.case.name, "affine", "identity", f"spacing is lost and not known for {depth} slices of "
                         f"{rows} x {columns}", "take the case from its source")  # fmt: skip
    affine = np.array([[0, 0, known[2], 0], [0, known[1], 0, 0], [known[0], 0, 0, 0], [0, 0, 0, 1.0]])
    mended.ct, mended.mask = make_volume(mended.ct.array, affine), make_volume(mended.mask.array, affine)
    size = " x ".join(f"{value:g}" for value in known)
    why = (
        f"3D-IRCADb-01 patient {n - 27} has it (this volume is that patient); the position in the scanner stays unknown"
    )
    mended.note("spacing_mm", "1 x 1 x 1", size, why)


def _turn(mended: _Mended, *, lost: bool) -> None:
    evidence = check_orientation(mended.ct, mended.mask)
    in_plane = evidence[:2]
    unclear = [one.axis for one in in_plane if one.verdict == "unclear"]
    reversed_ = [one for one in evidence if one.verdict == "reversed"]
    if unclear and (lost or any(one.verdict == "reversed" for one in in_plane)):
        raise InputError(mended.case.name, "orientation", ", ".join(unclear), "cannot be told from liver and bones, and the "
                         "header is not to be trusted", "take the case from its source")  # fmt: skip
    axes = {"head-feet": 0, "front-back": 1, "left-right": 2}
    for one in reversed_:
        flip = tuple(slice(None, None, -1) if axis == axes[one.axis] else slice(None) for axis in range(3))
        affine = np.asarray(mended.ct.affine, float)
        mended.ct = make_volume(np.ascontiguousarray(mended.ct.array[flip]), affine)
        mended.mask = make_volume(np.ascontiguousarray(mended.mask.array[flip]), affine)
        mended.note(one.axis, "as the header says", "mirrored", _why(one))


def _why(one: Evidence) -> str:
    ground = {
        "left-right": "the liver lay on the left",
        "front-back": "the spine lay in front of the liver",
        "head-feet": "the liver's dome lay towards the feet",
    }[one.axis]
    return f"{ground} (score {one.score:.2f}); image and mask mirrored, the grid stays"


def _say_labels(mended: _Mended) -> None:
    if mended.case.labels is not None:
        before = ", ".join(f"{value}" for value in sorted(mended.case.labels))
        mended.note(
            "label values", before, "0, 1, 2", f"dataset.json's names: {dict(mended.case.labels)}, others background"
        )
