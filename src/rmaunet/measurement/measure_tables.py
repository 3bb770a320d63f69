"""The numbers as files: measures.json, measures.csv, lesions.csv, and one row for a cohort's sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmaunet.core.files import write_csv, write_json
from rmaunet.measurement.confidence import Confidence, LesionConfidence
from rmaunet.measurement.flags import Flag
from rmaunet.measurement.lesions import Lesion
from rmaunet.measurement.liver_volumes import Measures

__all__ = [
    "COHORT_COLUMNS", "LESION_COLUMNS", "LESION_CONFIDENCE_COLUMNS", "cohort_row", "lesion_row", "measures_content",
    "summary_lines", "write_tables",
]  # fmt: skip

LESION_COLUMNS = (
    "id", "volume_ml", "longest_axial_mm", "perpendicular_mm", "diameter_3d_mm", "axial_index",
    "centroid_x_mm", "centroid_y_mm", "centroid_z_mm", "centroid_d", "centroid_h", "centroid_w",
    "surface_distance_mm", "mean_hu", "sd_hu", "contrast_hu",
    "touches_scan_border", "touches_mask_edge", "in_liver", "target_rank", "voxels",
)  # fmt: skip

LESION_CONFIDENCE_COLUMNS = (
    "mean_probability", "volume_low_ml", "volume_high_ml", "threshold_stability", "found_share",
)  # fmt: skip
"""What a lesion's row has besides, where confidence was asked for."""

COHORT_COLUMNS = (
    "liver_ml", "parenchyma_ml", "tumor_ml", "burden_percent",
    "lesions", "largest_lesion_ml", "longest_axial_mm", "sum_of_targets_mm", "targets",
    "parenchyma_mean_hu", "parenchyma_sd_hu", "tumor_mean_hu", "tumor_sd_hu",
    "slice_mm", "row_mm", "column_mm", "flags",
)  # fmt: skip


def lesion_row(lesion: Lesion, sure: LesionConfidence | None = None) -> dict[str, Any]:
    """A lesion as one flat row: :data:`LESION_COLUMNS`, and :data:`LESION_CONFIDENCE_COLUMNS` where given."""
    flat: dict[str, Any] = dict(lesion.to_dict())
    flat |= {f"centroid_{axis}_mm": value for axis, value in zip("xyz", lesion.centroid_mm, strict=True)}
    flat |= {f"centroid_{axis}": value for axis, value in zip("dhw", lesion.centroid_voxel, strict=True)}
    return {name: flat[name] for name in LESION_COLUMNS} | (sure.to_row() if sure is not None else {})


def cohort_row(
    measures: Measures,
    lesions: Sequence[Lesion] = (),
    flags: Sequence[Flag] = (),
    confidence: Confidence | None = None,
) -> dict[str, Any]:
    """One scan as one row of a cohort's sheet, :data:`COHORT_COLUMNS`; the caller puts the name in front.

    Args:
        measures: The scan's.
        lesions: Its lesion table.
        flags: Its flags; their codes stand in one cell, parted by blanks.
        confidence: Where given, its ranges follow as further columns.

    Returns:
        Column to value; NaN where a number is undefined. ``sum_of_targets_mm`` adds the longest axial diameters of
        the first two target candidates (RECIST 1.1 allows two in one organ; ``targets`` counts them).
    """
    ranked = sorted((one for one in lesions if one.target_rank is not None), key=lambda one: one.target_rank or 0)[:2]
    slice_mm, row_mm, column_mm = measures.spacing_mm
    row = {
        "liver_ml": measures.liver_ml,
        "parenchyma_ml": measures.parenchyma_ml,
        "tumor_ml": measures.tumor_ml,
        "burden_percent": measures.burden_percent,
        "lesions": len(lesions),
        "largest_lesion_ml": max((one.volume_ml for one in lesions), default=math.nan),
        "longest_axial_mm": max((one.longest_axial_mm for one in lesions), default=math.nan),
        "sum_of_targets_mm": sum(one.longest_axial_mm for one in ranked) if ranked else math.nan,
        "targets": len(ranked),
        "parenchyma_mean_hu": measures.parenchyma_hu.mean,
        "parenchyma_sd_hu": measures.parenchyma_hu.sd,
        "tumor_mean_hu": measures.tumor_hu.mean,
        "tumor_sd_hu": measures.tumor_hu.sd,
        "slice_mm": slice_mm,
        "row_mm": row_mm,
        "column_mm": column_mm,
        "flags": " ".join(flag.code for flag in flags),
    }
    return row | (confidence.to_row() if confidence is not None else {})


def measures_content(
    measures: Measures, lesions: Sequence[Lesion], flags: Sequence[Flag], confidence: Confidence | None = None
) -> dict[str, Any]:
    """Everything measured of one scan as measures.json holds it; "confidence" only where it was asked for."""
    content = {
        "use": "research use only; not a RECIST read",
        **measures.to_dict(),
        "lesions": [one.to_dict() for one in lesions],
        "flags": [flag.to_dict() for flag in flags],
    }
    return content | ({"confidence": confidence.to_dict()} if confidence is not None else {})


def summary_lines(
    measures: Measures,
    lesions: Sequence[Lesion] = (),
    flags: Sequence[Flag] = (),
    confidence: Confidence | None = None,
) -> list[str]:
    """What the command line prints of a scan: a few aligned lines.

    Args:
        measures: The scan's.
        lesions: Its lesion table; the five largest are shown.
        flags: Its flags.
        confidence: Where given, its ranges stand in two lines, and a lesion's probability in the lesion's.

    Returns:
        Lines without line ends.
    """
    burden = f"{measures.burden_percent:.2f} %" if math.isfinite(measures.burden_percent) else "undefined"
    lines = [
        f"liver with tumor  {measures.liver_ml:9.1f} ml",
        f"tumor             {measures.tumor_ml:9.1f} ml",
        f"tumor burden      {burden:>12}  ({measures.burden_convention})",
    ]
    if measures.parenchyma_hu.voxels:
        lines.append(f"parenchyma        {measures.parenchyma_hu.mean:9.1f} HU (sd {measures.parenchyma_hu.sd:.1f})")
    sure = {one.id: f"  p {one.mean_probability:.2f}" for one in confidence.lesions} if confidence else {}
    for one in lesions[:5]:
        size = f"{one.longest_axial_mm:.1f} x {one.perpendicular_mm:.1f} mm"
        lines.append(f"lesion {one.id:<3}        {one.volume_ml:9.2f} ml  {size}{sure.get(one.id, '')}")
    if len(lesions) > 5:
        lines.append(f"and {len(lesions) - 5} smaller lesions")
    if confidence is not None:
        for name, (low, high) in (("liver range", confidence.liver_ml), ("tumor range", confidence.tumor_ml)):
            lines.append(f"{name:<17} {low:9.1f} to {high:.1f} ml  (over thresholds and warped passes)")
    return lines + [f"flag: {flag.code}: {flag.text}" for flag in flags]


def write_tables(
    folder: Path, name: str, measures: Measures, lesions: Sequence[Lesion], flags: Sequence[Flag]
) -> list[Path]:
    """Write a scan's numbers as measures.json, measures.csv (a cohort's row with its header) and lesions.csv.

    Args:
        folder: Created if need be.
        name: The scan's name, for the tables.
        measures: The scan's.
        lesions: Its lesion table; without lesions lesions.csv has a header only.
        flags: Its flags.

    Returns:
        The files.

    Raises:
        OutputError: If one cannot be written.
    """
    files = [folder / "measures.json", folder / "measures.csv", folder / "lesions.csv"]
    write_json(files[0], {"name": name, **measures_content(measures, lesions, flags)})
    write_csv(files[1], [{"name": name, **cohort_row(measures, lesions, flags)}], ("name", *COHORT_COLUMNS))
    write_csv(files[2], [{"name": name, **lesion_row(one)} for one in lesions], ("name", *LESION_COLUMNS))
    return files
