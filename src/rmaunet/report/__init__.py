"""From a CT and a mask to numbers, tables and pictures, for any mask and without torch.

Names are imported when first used: measuring does not wait for matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmaunet.report.colors import LIVER_RGB, TUMOR_RGB
    from rmaunet.report.confidence import Confidence, ConfidenceMeter
    from rmaunet.report.flags import Flag, quality_flags
    from rmaunet.report.lesions import Lesion, lesion_table
    from rmaunet.report.measures import Measures, measure
    from rmaunet.report.numbering import lesion_numbers
    from rmaunet.report.overlay import overlay_figure, save_figure
    from rmaunet.report.page import write_report
    from rmaunet.report.tables import cohort_row, summary_lines, write_tables

__all__ = [
    "LIVER_RGB",
    "TUMOR_RGB",
    "Confidence",
    "ConfidenceMeter",
    "Flag",
    "Lesion",
    "Measures",
    "cohort_row",
    "lesion_numbers",
    "lesion_table",
    "measure",
    "overlay_figure",
    "quality_flags",
    "save_figure",
    "summary_lines",
    "write_report",
    "write_tables",
]

_HOME = {
    "Confidence": "confidence",
    "ConfidenceMeter": "confidence",
    "Flag": "flags",
    "LIVER_RGB": "colors",
    "Lesion": "lesions",
    "Measures": "measures",
    "TUMOR_RGB": "colors",
    "cohort_row": "tables",
    "lesion_numbers": "numbering",
    "lesion_table": "lesions",
    "measure": "measures",
    "overlay_figure": "overlay",
    "quality_flags": "flags",
    "save_figure": "overlay",
    "summary_lines": "tables",
    "write_report": "page",
    "write_tables": "tables",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
