"""DICOM CT: a folder, a file, an Enhanced CT, a zip or a DICOMDIR becomes a scan."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from rmaunet.core.errors import InputError
from rmaunet.core.formats import scan_name
from rmaunet.core.notices import collect_notices, notice
from rmaunet.core.volume import Volume
from rmaunet.core.volume.placement import Grid
from rmaunet.core.walk import say_unreached
from rmaunet.io.dicom.dicom_files import DICOMDIR, Found, find_files, full_header, printable, quiet, text
from rmaunet.io.dicom.hounsfield import hounsfield
from rmaunet.io.dicom.rtstruct import is_rtstruct, rtstruct_error
from rmaunet.io.dicom.series import Series, choose, group, stack_of
from rmaunet.io.dicom.slice_stack import Stack
from rmaunet.io.masks.recognize_masks import is_mask_series
from rmaunet.io.scan import DicomSource, Scan
from rmaunet.io.storage.affine_checks import obliquity, orthogonal_grid, resampled
from rmaunet.io.storage.voxel_values import AIR_HU
from rmaunet.io.storage.zip_archive import extracted

__all__ = ["FoundScans", "SeriesInfo", "find_scans", "list_series", "look_through", "read_dicom"]


@dataclass(frozen=True)
class SeriesInfo:
    """A series of a folder, and whether it could be segmented.

    Attributes:
        uid: SeriesInstanceUID.
        description: SeriesDescription, on one line.
        modality: Modality.
        slices: Slices found.
        shape: Slices, rows, columns; None where refused.
        spacing_mm: Of slices, rows, columns; None where refused.
        affine: Indices (slice, row, column) to LPS mm; None where refused.
        contrast: ContrastBolusAgent is given.
        phase_hint: What the description says of the phase; "" if nothing.
        kept: Whether it can be read as a CT.
        reason: Why not; "" if it can.
    """

    uid: str
    description: str
    modality: str
    slices: int
    shape: tuple[int, int, int] | None
    spacing_mm: tuple[float, float, float] | None
    affine: NDArray[np.float64] | None
    contrast: bool
    phase_hint: str
    kept: bool
    reason: str


@quiet()
def read_dicom(path: Path, *, series: str | None = None) -> Scan:
    """Read one CT series in HU.

    Slices are sorted by position along their normal; a tilted gantry's stack is resampled to right angles.

    Args:
        path: A folder of any depth, a DICOM file, a zip of either, or a DICOMDIR (its folder is searched).
        series: SeriesInstanceUID where several are there; ``UID#N`` for its AcquisitionNumber N.

    Returns:
        int16 HU where slopes and intercepts are whole numbers, else float32; its name is the folder's or file's.

    Raises:
        InputError: If there is not exactly one sound CT series; see ``docs/reference/inputs.md``.
    """
    path = Path(path)
    with _opened(path) as (found, _):
        if found.damaged:
            raise found.damaged[0]
        all_series = group(found)
        contours = next((file for file in found.files if is_rtstruct(file)), None)
        if contours is not None and not any(one.files for one in all_series):
            raise rtstruct_error(contours)
        chosen = choose(all_series, series, str(path))
        _say_unreadable(found, chosen, path)
        say_unreached(path, found.dangling, found.unreadable)
        stack = stack_of(chosen, str(path))
        array = hounsfield(stack.slices, str(path))
        volume, tilted = _volume(array, stack, path)
        return Scan(volume, scan_name(path), DicomSource(path, _headers(stack), chosen.uid), tilted)


def _volume(array: NDArray[np.generic], stack: Stack, path: Path) -> tuple[Volume, Grid | None]:
    """The CT on an orthogonal grid, and the sheared grid that its slices have if the gantry was tilted."""
    affine, tilted = stack.affine, None
    if stack.shear_mm != (0.0, 0.0):
        sheared = affine.copy()
        for axis, shift in zip((1, 2), stack.shear_mm, strict=True):
            sheared[:3, 0] += affine[:3, axis] / np.linalg.norm(affine[:3, axis]) * shift
        tilted = Grid(sheared, array.shape)
        reverse = np.eye(4)[[2, 1, 0, 3]]  # `affine` has the slowest index first, io.affine the fastest
        upright, shape = orthogonal_grid(sheared @ reverse, array.shape[::-1])
        tilt = np.degrees(np.arcsin(min(1.0, obliquity(sheared @ reverse))))
        notice(path, f"gantry tilt of {tilt:.1f} degrees; resampled to right angles")
        array = resampled(array, sheared @ reverse, upright, shape, outside=AIR_HU, nearest=False)
        affine = upright @ reverse
    frame = text(stack.slices[0].file.dataset, "FrameOfReferenceUID") or None
    return Volume(array=array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid=frame), tilted


def _headers(stack: Stack) -> tuple[Dataset, ...]:
    files = {id(item.file): item.file for item in stack.slices}
    first, *rest = files.values()
    return (full_header(first), *(file.dataset for file in rest))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[Found, Path]]:
    """The DICOM files at ``path``, which stay readable inside the block, and the folder they lie in."""
    import zipfile

    if (path.is_file() and zipfile.is_zipfile(path)) or (path.suffix.lower() == ".zip" and path.is_file()):
        with extracted(path) as folder:
            yield find_files(folder, str(path)), folder
        return
    if path.is_file() and (path.name.upper() == "DICOMDIR" or _is_dicomdir(path)):
        yield find_files(path.parent), path.parent
        return
    yield find_files(path), path


def _is_dicomdir(path: Path) -> bool:
    with path.open("rb") as file:
        return DICOMDIR.encode() + b"\x00" in file.read(512)


def _say_unreadable(found: Found, chosen: Series, path: Path) -> None:
    """Name files that look like slices by their suffix and are no DICOM: a lost slice at an end leaves no gap."""
    suffixes = {file.path.suffix.lower() for file in chosen.files} - {""}
    lost = [other.name for other in found.other if other.suffix.lower() in suffixes]
    if lost:
        notice(path, f"{len(lost)} file(s) named like the slices are no DICOM and left out")


@quiet()
def list_series(path: Path) -> list[SeriesInfo]:
    """What a folder, file or archive holds, without raising for what is unsound.

    Args:
        path: As for :func:`read_dicom`.

    Returns:
        One row per series, CT first; damaged files make a row of their own.

    Raises:
        InputError: If ``path`` itself cannot be opened.
    """
    path = Path(path)
    with _opened(path) as (found, _):
        rows = [_info(series, path) for series in group(found)]
        for error in found.damaged:
            rows.append(SeriesInfo("", "", "", 0, None, None, None, False, "", False, str(error)))
        return rows


def _info(series: Series, path: Path) -> SeriesInfo:
    sample = (series.files or [series.others[0][0]])[0]
    data = sample.dataset
    hint = _phase(text(data, "SeriesDescription") + " " + text(data, "ProtocolName"))
    row = SeriesInfo(
        uid=series.uid,
        description=series.description,
        modality=printable(text(data, "Modality"), 16),
        slices=series.slices or len(series.others),
        shape=None,
        spacing_mm=None,
        affine=None,
        contrast=bool(text(data, "ContrastBolusAgent")),
        phase_hint=hint,
        kept=False,
        reason="",
    )
    if not series.files:
        return replace(row, reason=series.others[0][1])
    try:
        with collect_notices():
            stack = stack_of(choose([series], None, str(path)), str(path))
            rows, columns = (int(text(stack.slices[0].file.dataset, k)) for k in ("Rows", "Columns"))
    except InputError as error:
        return replace(row, reason=str(error))
    spacing = np.linalg.norm(stack.affine[:3, :3], axis=0)
    return replace(
        row,
        kept=True,
        shape=(len(stack.slices), rows, columns),
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        affine=stack.affine,
    )


_PHASES: dict[str, tuple[str, ...]] = {
    "non-contrast": ("native", "nativ", "non-contrast", "noncontrast", "without contrast", "unenhanced", "plain"),
    "arterial": ("arterial", "art.", "early"),
    "portal venous": ("portal", "venous", "ven.", "pvp"),
    "delayed": ("delay", "late", "equilibrium"),
}


def _phase(words: str) -> str:
    lower = words.lower()
    return next((phase for phase, keys in _PHASES.items() if any(key in lower for key in keys)), "")


@dataclass(frozen=True)
class FoundScans:
    """The DICOM content of a tree.

    Attributes:
        scans: (path, SeriesInstanceUID) of each CT series; see :func:`find_scans`.
        masks: Folders of masks that say they are CT.
        found: All files.
    """

    scans: list[tuple[Path, str]]
    masks: list[Path]
    found: Found


def find_scans(folder: Path) -> list[tuple[Path, str]]:
    """The CT series of a tree, for a batch.

    Args:
        folder: A folder of any depth.

    Returns:
        (path, SeriesInstanceUID) pairs that :func:`read_dicom` takes as ``path`` and ``series``, sorted. The path is
        the deepest folder that holds the whole series. A folder whose DICOM files are damaged stands with UID "".

    Raises:
        InputError: If ``folder`` cannot be opened.
    """
    return look_through(folder).scans


@quiet()
def look_through(folder: Path) -> FoundScans:
    """What :func:`find_scans` returns, with the masks that were left out and all files. Raises InputError."""
    found = find_files(Path(folder))
    pairs: set[tuple[Path, str]] = set()
    masks = set(found.masks)
    for series in group(found):
        if series.files and is_mask_series(series.files):
            masks.add(Path(os.path.commonpath([str(file.path.parent) for file in series.files])))
        elif series.files:
            parents = [str(file.path.parent) for file in series.files]
            pairs.add((Path(os.path.commonpath(parents)), series.uid))
    covered: dict[Path, bool] = defaultdict(bool)
    for path, _ in pairs:
        covered[path] = True
    for error in found.damaged:
        parent = Path(error.subject).parent
        if not any(covered[p] for p in (parent, *parent.parents) if p in covered):
            pairs.add((parent, ""))
    return FoundScans(sorted(pairs), sorted(masks), found)
