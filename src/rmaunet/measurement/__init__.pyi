from .confidence import Confidence, ConfidenceMeter
from .flags import Flag, quality_flags
from .lesion_numbering import lesion_numbers
from .lesions import Lesion, lesion_table
from .liver_volumes import Measures, measure
from .measure_tables import cohort_row, summary_lines, write_tables
from .measurement import Measurement, measure_mask

__all__ = [
    "Confidence",
    "ConfidenceMeter",
    "Flag",
    "Lesion",
    "Measurement",
    "Measures",
    "cohort_row",
    "lesion_numbers",
    "lesion_table",
    "measure",
    "measure_mask",
    "quality_flags",
    "summary_lines",
    "write_tables",
]
