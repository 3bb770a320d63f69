"""Look a data set over before anything is trained or scored on it.

An error is what `rmaunet prepare` would refuse, and the same image twice. A warning is what should be looked at and what
:mod:`rmaunet.datasets.check.repair_dataset` mends where it can. A note is a fact worth knowing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.errors import InputError
from rmaunet.core.formats import IMAGE_SUFFIXES
from rmaunet.core.labels import LIVER, liver_mask, tumor_mask
from rmaunet.core.notices import IDENTITY_AFFINE, collect_notices
from rmaunet.core.volume import Volume, axial, voxel_volume_ml
from rmaunet.core.volume.box import grow_box, union_box
from rmaunet.core.walk import walk
from rmaunet.datasets import DATASETS, lits
from rmaunet.datasets.case import Case
from rmaunet.datasets.check.liver_orientation import check_orientation
from rmaunet.datasets.content_hash import content_hash
from rmaunet.datasets.detect_layout import find_cases
from rmaunet.datasets.load_case import load_case, load_image
from rmaunet.datasets.splits import read_folds
from rmaunet.io.nifti.read_nifti import case_name
from rmaunet.io.storage.affine_checks import index_reversed, is_identity

__all__ = [
    "CaseReport",
    "Problem",
    "SetReport",
    "check_case",
    "check_set",
    "content_hash",
    "list_cases",
    "orientation_of",
]

LIVER_HU = (0.0, 250.0)
"""Median HU that a liver can have."""

_WHOLE_RANGE_HU = (-500.0, 500.0)
"""A CT that reaches neither of these was clipped."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Problem:
    """One finding.

    Attributes:
        severity: "error", "warning" or "note".
        code: Stable name, e.g. "identity_affine".
        text: One line.
    """

    severity: Severity
    code: str
    text: str


@dataclass
class CaseReport:
    """What was found out about a case.

    Attributes:
        name: The case.
        facts: Shape, spacing, orientation, HU range, volumes; empty if the case cannot be read.
        problems: The findings.
        content: SHA-256 of the image's voxels; empty if it cannot be read.
    """

    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    content: str = ""

    def add(self, severity: Severity, code: str, text: str) -> None:
        """Note a finding."""
        self.problems.append(Problem(severity, code, text))


@dataclass
class SetReport:
    """What was found out about a data set.

    Attributes:
        root: Its folder.
        layout: Its layout.
        cases: One report a case.
        problems: Findings about the set as a whole.
    """

    root: Path
    layout: str
    cases: list[CaseReport]
    problems: list[Problem] = field(default_factory=list)

    def everything(self) -> Iterator[tuple[str, Problem]]:
        """All findings with the case's name, "" for the set."""
        yield from (("", problem) for problem in self.problems)
        for case in self.cases:
            yield from ((case.name, problem) for problem in case.problems)

    def count(self, severity: Severity) -> int:
        """Findings of a severity."""
        return sum(problem.severity == severity for _, problem in self.everything())

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        cases = [
            {"name": c.name, **c.facts, "content": c.content, "problems": [asdict(p) for p in c.problems]}
            for c in self.cases
        ]
        counts = {f"{name}s": self.count(name) for name in ("error", "warning", "note")}
        problems = [asdict(problem) for problem in self.problems]
        return {"root": str(self.root), "layout": self.layout, **counts, "problems": problems, "cases": cases}


def list_cases(root: Path, layout: str = "auto", *, labels: Mapping[int, int] | None = None) -> tuple[str, list[Case]]:
    """The cases of a folder, in the layout named or in the one it has.

    Args:
        root: The data set's folder.
        layout: "auto" or a key of :data:`rmaunet.datasets.DATASETS`.
        labels: What the masks' values mean, instead of what the data set says.

    Returns:
        The layout and the cases.

    Raises:
        InputError: If there is nothing to read, or files are missing.
    """
    name, cases = find_cases(root) if layout == "auto" else (layout, DATASETS[layout](root))
    return name, cases if labels is None else [replace(case, labels=labels) for case in cases]


def list_images(root: Path, layout: str = "auto") -> list[Case]:
    """The CTs of a folder, where masks are not needed.

    Args:
        root: A data set's folder, complete or without masks.
        layout: See :func:`list_cases`.

    Returns:
        The cases; from a set whose masks are missing, one an image file.

    Raises:
        InputError: If there is no CT, or the set is broken in another way.
    """
    try:
        return list_cases(root, layout)[1]
    except InputError as error:
        if not error.problem.startswith("missing"):
            raise
        images = {case_name(path): path for path in walk(root).files if _is_image(path)}
        if not images:
            raise
        return [Case(name, path, None) for name, path in images.items()]


def _is_image(path: Path) -> bool:
    mask = path.name.startswith(("segmentation-", ".")) or path.parent.name == "labelsTr"
    return path.is_file() and not mask and path.name.lower().endswith((*IMAGE_SUFFIXES, ".dcm"))


def check_set(
    root: Path,
    layout: str = "auto",
    *,
    labels: Mapping[int, int] | None = None,
    progress: Callable[[int, int, str], None] = lambda done, of, name: None,
) -> SetReport:
    """Check every case of a data set.

    Args:
        root: Its folder.
        layout: See :func:`list_cases`.
        labels: See :func:`list_cases`.
        progress: Told (cases done, cases in all, the case worked on).

    Returns:
        The report.

    Raises:
        InputError: If the cases cannot be listed: files missing, broken JSON, paths leaving the folder, a case twice.
    """
    layout, cases = list_cases(root, layout, labels=labels)
    report = SetReport(root, layout, [])
    seen: dict[str, str] = {}
    for done, case in enumerate(cases):
        progress(done, len(cases), case.name)
        one = check_case(case, layout)
        if one.content:
            first = seen.setdefault(one.content, case.name)
            if first != case.name:
                one.add("error", "duplicate", f"{case.name}: image: holds the same voxels as {first}'s; remove one")
        report.cases.append(one)
    progress(len(cases), len(cases), "")
    _check_orientations(report)
    _check_folds(report)
    return report


def _check_orientations(report: SetReport) -> None:
    codes = Counter(case.facts["orientation"] for case in report.cases if case.facts)
    if len(codes) > 1:
        text = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        rare = codes.most_common()[-1][0]
        names = [case.name for case in report.cases if case.facts and case.facts["orientation"] == rare]
        first = f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
        text = f"orientation is mixed: {text} ({rare}: {first}); every reader of rmaunet turns the axes by the header"
        report.problems.append(Problem("warning", "mixed_orientation", text))


def _check_folds(report: SetReport) -> None:
    """nnU-Net's splits_final.json, where there is one."""
    path = report.root / "splits_final.json"
    if not path.is_file():
        return
    try:
        folds = read_folds(path)
    except InputError as error:
        report.problems.append(Problem("error", "folds", str(error)))
        return
    unknown = sorted({name for fold in folds for side in fold for name in side} - {case.name for case in report.cases})
    if unknown:
        text = f"{path}: cases = {', '.join(unknown[:3])}: {len(unknown)} are not in the data set; correct the file"
        report.problems.append(Problem("error", "folds", text))


def check_case(case: Case, layout: str = "folder") -> CaseReport:
    """Check one case.

    Args:
        case: Labelled or not.
        layout: The layout it comes from; "lits" knows what its numbers stand for.

    Returns:
        The report; what cannot be read is an error in it.
    """
    report = CaseReport(case.name)
    with collect_notices() as notices:
        try:
            scan, mask = load_case(case) if case.label is not None else (load_image(case), None)
        except InputError as error:
            report.add("error", error.field.partition("[")[0].strip().replace(" ", "_"), str(error))
            return report
    for line in notices:
        if line.code != IDENTITY_AFFINE:
            report.add("warning", "reader", line)
    ct = scan.volume
    report.facts = _facts(ct)
    report.content = content_hash(ct)
    _check_affine(report, case, layout, ct)
    _check_range(report)
    if mask is not None:
        _check_mask(report, case, layout, ct, mask)
    return report


def orientation_of(ct: Volume) -> str:
    """Where the array's axes (k, j, i) of the file grow to, e.g. "HPL": head, posterior, left."""
    return "".join(letter.value for letter in ct.get_closest_patient_orientation())


def _facts(ct: Volume) -> dict[str, Any]:
    upright = axial(ct)
    return {
        "shape": list(upright.spatial_shape),
        "spacing_mm": [round(float(value), 6) for value in upright.spacing],
        "orientation": orientation_of(ct),
        "hu_range": [float(ct.array.min()), float(ct.array.max())],
    }


def _check_affine(report: CaseReport, case: Case, layout: str, ct: Volume) -> None:
    if not is_identity(index_reversed(np.asarray(ct.affine, float))):
        return
    lost = f"{case.name}: affine: is the identity: spacing and orientation are lost"
    n = lits.number(case.name) if layout == "lits" else None
    depth, rows, columns = report.facts["shape"]
    known = lits.known_spacing(n, (depth, rows, columns)) if n is not None else None
    if known is not None and n is not None:
        size = " x ".join(f"{value:g}" for value in known)
        text = f"{lost}; 3D-IRCADb-01 patient {n - 27} has {size} mm (slices, rows, columns); --fix restores it"
    else:
        text = f"{lost} and not known from elsewhere; millimetres and millilitres of this case are wrong"
    report.add("warning", "identity_affine", text)


def _check_range(report: CaseReport) -> None:
    low, high = report.facts["hu_range"]
    if low > _WHOLE_RANGE_HU[0] and high < _WHOLE_RANGE_HU[1]:
        text = f"{report.name}: HU: lie between {low:g} and {high:g}: clipped; windows beyond that are out of reach"
        report.add("note", "clipped", text)


def _check_mask(report: CaseReport, case: Case, layout: str, ct: Volume, mask: Volume) -> None:
    labels, ml = mask.array, voxel_volume_ml(ct)
    liver, tumor = liver_mask(labels), tumor_mask(labels)
    counts = int(liver.sum()), int(tumor.sum())
    report.facts |= {"liver_ml": round(counts[0] * ml, 3), "tumor_ml": round(counts[1] * ml, 3)}
    if not counts[0]:
        report.add("warning", "empty_mask", f"{case.name}: labels: the mask is empty: neither liver nor tumor")
        return
    median = float(np.median(ct.array[labels == LIVER if (labels == LIVER).any() else liver]))
    report.facts["liver_hu"] = round(median, 1)
    if not LIVER_HU[0] <= median <= LIVER_HU[1]:
        text = (
            f"{case.name}: HU in liver = {median:g}: a liver's median lies between 0 and 250; not HU, or another's mask"
        )
        report.add("warning", "liver_hu", text)
    n = lits.number(case.name) if layout == "lits" else None
    if n is not None and n in range(131) and (n in lits.TUMOR_FREE) != (counts[1] == 0):
        known = "none" if n in lits.TUMOR_FREE else "tumors"
        report.add(
            "warning", "tumor_free", f"{case.name}: tumor voxels = {counts[1]}: this volume is known to have {known}"
        )
    if apart := _apart(labels):
        text = f"{case.name}: tumor: {apart} of its parts touch no liver; they count as liver, as everywhere in rmaunet"
        report.add("warning", "tumor_outside_liver", text)
    for evidence in check_orientation(ct, mask):
        if evidence.verdict == "reversed":
            text = f"{case.name}: {evidence.axis} = {evidence.score:.2f}: liver and bones lie the other way round than the "
            report.add("warning", "reversed", f"{text}header says; --fix mirrors image and mask")


def _apart(labels: NDArray[np.uint8]) -> int:
    """Tumor parts (26 neighbours) that touch no parenchyma."""
    tight = union_box(labels, labels)
    box = labels[grow_box(tight, (1, 1, 1))]
    parts, count = ndimage.label(tumor_mask(box), np.ones((3, 3, 3)))
    if not count:
        return 0
    near = ndimage.binary_dilation(box == LIVER, np.ones((3, 3, 3)))
    touching: Sequence[int] = np.unique(parts[near & (parts > 0)]).tolist()
    return int(count) - len(touching)
