"""``rmaunet info PATH``: what is there, how it lies, and what would be refused and why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from rmaunet.cli.parse import parse
from rmaunet.cli.streams import print_json
from rmaunet.core.formats import IMAGE_SUFFIXES
from rmaunet.core.walk import say_unreached, walk

if TYPE_CHECKING:
    from rmaunet.core.volume import Volume
    from rmaunet.io import Scan
    from rmaunet.io.dicom.read_dicom import SeriesInfo
    from rmaunet.io.masks.mask_summary import MaskInfo

__all__ = ["Info", "describe", "main"]

AS_MASK = "Give it to measure -s, report -s, convert -i, evaluate or figures; segment takes CTs only"
_SAMPLE = 2_000_000


@dataclass(frozen=True)
class Info:
    """Say what a file, folder or archive holds: format, geometry, HU, warnings, and what would be refused and why.

    Masks are recognized: DICOM SEG, 3D Slicer's segmentations, label maps, folders with one file per structure. An RT
    Structure Set is named; it cannot be used yet. Exit code 0 if at least one scan or mask can be used, else 3.

    Examples:
      rmaunet info ct.nii.gz
      rmaunet info study_folder/ --json
    """

    path: Annotated[Path, tyro.conf.Positional]
    """File, folder or zip."""
    volume: int | None = None
    """Which volume of a 4-D file to describe, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel, e.g. -1024 for files that store HU + 1024 (not DICOM)."""
    json: bool = False
    """Print JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Info, argv, "rmaunet info")
    rows = describe(args.path, volume=args.volume, hu_offset=args.hu_offset)
    if args.json:
        print_json({"path": str(args.path), "scans": rows})
    else:
        print("\n\n".join("\n".join(_lines(row)) for row in rows))
    return 0 if any(row["refused"] is None for row in rows) else 3


def describe(path: Path, *, volume: int | None = None, hu_offset: float = 0.0) -> list[dict[str, Any]]:
    """Describe every scan of a path.

    Args:
        path: File, folder or archive.
        volume: Which volume of a 4-D file, from 0.
        hu_offset: Added to every voxel of what is not DICOM.

    Returns:
        One JSON-ready row per file or DICOM series; "refused" is None or the reason.

    Raises:
        InputError: If ``path`` cannot be opened, or there is nothing to describe.
    """
    from rmaunet.core.errors import InputError
    from rmaunet.io.detect_format import UNDERSTOOD, sniff
    from rmaunet.io.masks.mask_summary import structure_mask

    files: list[Path] = []
    if path.is_dir():
        tree = walk(path)
        files = [p for p in tree.files if p.name.lower().endswith(IMAGE_SUFFIXES) and p.is_file()]
        files = [p for p in files if not p.name.lower().removesuffix(".gz").endswith(".img")]  # a pair is its header
        say_unreached(path, tree.dangling, tree.unreadable)
    elif sniff(path) != "dicom":
        return [_file_row(path, volume, hu_offset)]
    rows = [_file_row(file, volume, hu_offset) for file in files]
    with _silent():
        united = structure_mask(path)
    if united is not None:
        rows.insert(0, _mask_row(united))
    try:
        with _silent():
            rows += _dicom_rows(path)
    except InputError:
        if not rows:
            raise
    if not rows:
        raise InputError(path, "folder", None, "holds no scan", f"what is understood: {UNDERSTOOD}")
    return rows


def _row(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "format": kind, "refused": None, "notices": []}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep notices off the screen; they stand in the rows."""
    import logging

    logger = logging.getLogger("rmaunet")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _mask_row(found: MaskInfo) -> dict[str, Any]:
    usable = found.refused is None
    return _row(found.name, found.kind) | {
        "segments": [use.to_dict() for use in found.segments],
        "use": f"mask: {found.uses}. {AS_MASK}" if usable else None,
        "notices": [line.removeprefix(f"{found.name}: ") for line in found.notices],
        "refused": found.refused,
    }


def _dicom_rows(path: Path) -> list[dict[str, Any]]:
    """CT series, then masks; a mask is no refused CT."""
    from rmaunet.io.masks.mask_summary import dicom_masks

    masks = [_mask_row(found) for found in dicom_masks(path)]
    return [row for row in _series_rows(path) if row["modality"] not in ("SEG", "RTSTRUCT")] + masks


def _file_row(path: Path, volume: int | None, hu_offset: float) -> dict[str, Any]:
    from rmaunet.core.errors import RmaunetError
    from rmaunet.core.notices import collect_notices
    from rmaunet.io import NiftiSource, read_scan
    from rmaunet.io.detect_format import sniff
    from rmaunet.io.masks.mask_summary import slicer_mask
    from rmaunet.io.masks.recognize_masks import is_mask

    row = _row(str(path), "")
    try:
        row["format"] = sniff(path)
        with _silent(), collect_notices() as notices:
            segmentation = slicer_mask(path)
            if segmentation is not None:
                return _mask_row(segmentation)
            scan = read_scan(path, volume=volume, hu_offset=hu_offset)
        if isinstance(scan.source, NiftiSource):
            row["format"] = "NIfTI-2" if scan.source.nifti2 else "NIfTI-1"
        row |= _facts(scan, labels=is_mask(path))
        row["notices"] = [line.removeprefix(f"{path}: ") for line in notices]
        if "labels" in row:
            row["notices"] = [line for line in row["notices"] if "HU?" not in line]
            row["use"] = _label_use(path, [int(value) for value in row["labels"]])
    except RmaunetError as error:
        row["refused"] = str(error)
    return row


def _label_use(path: Path, values: list[int]) -> str:
    """What a label map can be used for."""
    from rmaunet.core.structure_names import Role, name_role
    from rmaunet.io.nifti.read_nifti import case_name

    role = name_role(case_name(path))
    if len(set(values) - {0}) == 1 and role not in (Role.LIVER, Role.PARENCHYMA, Role.UNKNOWN, Role.BACKGROUND):
        tumor = role in (Role.TUMOR, Role.TUMOR_SOMEWHERE)
        inside = next(value for value in values if value)
        how = f"; `rmaunet measure -s {path} --label {inside}=tumor` reads it" if tumor else ""
        return f"one structure by its name, not the liver{how}"
    if set(values) <= {0, 1, 2}:
        return f"mask (1 liver, 2 tumor). {AS_MASK}"
    first = next(value for value in values if value)
    return f"mask with other values, e.g. `rmaunet measure -s {path} --label {first}=liver`. {AS_MASK}"


def _series_rows(path: Path) -> list[dict[str, Any]]:
    from rmaunet.io.dicom.read_dicom import list_series

    return [_series_row(path, series) for series in list_series(path)]


def _series_row(path: Path, series: SeriesInfo) -> dict[str, Any]:
    from rmaunet.core.errors import RmaunetError
    from rmaunet.core.notices import collect_notices
    from rmaunet.io import read_scan

    row = _row(series.uid, "DICOM")
    row |= {
        "series": series.uid,
        "description": series.description,
        "modality": series.modality,
        "slices": series.slices,
        "contrast_agent_told": series.contrast,
        "phase_told": series.phase_hint,
    }
    if not series.kept:
        return row | {"refused": series.reason}
    try:
        with _silent(), collect_notices() as notices:
            scan = read_scan(path, series=series.uid)
        row |= _facts(scan) | {"notices": [line.removeprefix(f"{path}: ") for line in notices]}
    except RmaunetError as error:
        row["refused"] = str(error)
    return row


def _facts(scan: Scan, *, labels: bool = False) -> dict[str, Any]:
    """Geometry and values of a scan that could be read, or counts of its labels."""
    import numpy as np

    volume = scan.volume
    values = volume.array.reshape(-1)
    sample = values[:: max(1, values.size // _SAMPLE)]
    facts = {
        "voxels": [int(n) for n in volume.spatial_shape[::-1]],
        "spacing_mm": [round(float(s), 6) for s in volume.spacing[::-1]],
        "axes_grow_toward": [p.value for p in volume.get_closest_patient_orientation()[::-1]],
        "oblique_degrees": round(_oblique(volume), 2),
        "first_voxel_lps_mm": [round(float(x), 4) for x in volume.affine[:3, 3]],
        "extent_mm": [round(float(n * s), 1) for n, s in zip(volume.spatial_shape, volume.spacing, strict=True)][::-1],
        "dtype": str(volume.dtype),
    }
    if labels:
        every, counts = np.unique(values, return_counts=True)
        return facts | {"labels": {f"{v:g}": int(n) for v, n in zip(every, counts, strict=True)}}
    percentiles = (1, 5, 25, 50, 75, 95, 99)
    return facts | {
        "hu_range": [float(values.min()), float(values.max())],
        "hu_percentiles": dict(zip(map(str, percentiles), np.percentile(sample, percentiles).tolist(), strict=True)),
    }


def _oblique(volume: Volume) -> float:
    """Largest angle between an axis of the grid and the body axis nearest to it."""
    import numpy as np

    unit = np.abs(volume.affine[:3, :3] / np.array(volume.spacing))
    return float(np.rad2deg(np.arccos(np.clip(unit.max(axis=0).min(), -1, 1))))


def _lines(row: dict[str, Any]) -> list[str]:
    lines = [f"{row['name']}  ({row['format'] or 'unreadable'})"]
    for key in ("description", "modality", "slices", "phase_told"):
        if row.get(key):
            lines.append(f"  {key.replace('_', ' '):<18} {row[key]}")
    if "voxels" in row:
        oblique = f", oblique by {row['oblique_degrees']} degrees" if row["oblique_degrees"] > 0.01 else ""
        lines += [
            f"  {'voxels':<18} {' x '.join(map(str, row['voxels']))}  ({row['dtype']})",
            f"  {'spacing':<18} {' x '.join(f'{s:g}' for s in row['spacing_mm'])} mm",
            f"  {'extent':<18} {' x '.join(f'{s:g}' for s in row['extent_mm'])} mm",
            f"  {'axes grow toward':<18} {' '.join(row['axes_grow_toward'])}{oblique}",
        ]
    if "labels" in row:
        lines.append(f"  {'labels':<18} " + ", ".join(f"{v}: {n} voxels" for v, n in row["labels"].items()))
    if "hu_range" in row:
        low, high = row["hu_range"]
        told = "  ".join(f"{p}%: {v:g}" for p, v in row["hu_percentiles"].items())
        lines += [f"  {'HU':<18} {low:g} to {high:g}", f"  {'HU percentiles':<18} {told}"]
    if row.get("use"):
        lines.append(f"  {'use':<18} {row['use']}")
    lines += [f"  warning            {text}" for text in row["notices"]]
    if row["refused"] is not None:
        lines.append(f"  refused            {row['refused']}")
    return lines
