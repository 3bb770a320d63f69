"""A scan's measures in a few lines for people, and as one row for a cohort sheet."""

from __future__ import annotations

import math
from typing import Any

from rmaunet.report.measures import Measures

__all__ = ["cohort_row", "summary_lines"]


def summary_lines(measures: Measures) -> list[str]:
    """Volumes and tumor burden, one line each.

    Args:
        measures: Of a scan.

    Returns:
        Lines without line ends.
    """
    lines = [f"liver  {measures.liver_ml:8.1f} ml (with tumor)", f"tumor  {measures.tumor_ml:8.1f} ml"]
    if not math.isnan(measures.burden_percent):
        lines.append(f"burden {measures.burden_percent:8.2f} %  = {measures.burden_convention}")
    return lines


def cohort_row(measures: Measures) -> dict[str, Any]:
    """Volumes in ml, tumor burden in percent, mean HU and voxel size: one row of a cohort sheet."""
    dz, dy, dx = measures.spacing_mm
    return {
        "liver_ml": measures.liver_ml,
        "parenchyma_ml": measures.parenchyma_ml,
        "tumor_ml": measures.tumor_ml,
        "burden_percent": measures.burden_percent,
        "parenchyma_hu_mean": measures.parenchyma_hu.mean,
        "tumor_hu_mean": measures.tumor_hu.mean,
        "slices": measures.shape[0],
        "spacing_z_mm": dz,
        "spacing_y_mm": dy,
        "spacing_x_mm": dx,
    }
