"""Two masks become numbers: overlap, surface distances, lesions; per case, over cases, and their statistics. No torch."""

from __future__ import annotations

from rmaunet.metrics.bland_altman import Agreement, bland_altman
from rmaunet.metrics.case_metrics import CaseResult, evaluate_case
from rmaunet.metrics.case_summary import Cohort, Summary, summarize, summarize_cohort
from rmaunet.metrics.conventions import LITS_PENALTY, Convention, Scoring
from rmaunet.metrics.end_slices import end_dice
from rmaunet.metrics.lesion_detection import Lesion, LesionMatch, match_lesions
from rmaunet.metrics.overlap_metrics import Counts, count_overlap, dice, jaccard, rvd, rvd_lits, voe
from rmaunet.metrics.paired_tests import Comparison, compare, compare_all, holm, smallest_wilcoxon_p
from rmaunet.metrics.pairing import Pair, Pairing, match_files
from rmaunet.metrics.repeated_cases import (
    FoldSummary,
    average_patients,
    average_repeats,
    between_repeats,
    summarize_folds,
)
from rmaunet.metrics.result_files import write_results
from rmaunet.metrics.result_tables import cohort_rows, latex_table, markdown_table
from rmaunet.metrics.slice_metrics import SliceResult, evaluate_slices
from rmaunet.metrics.surface_metrics import (
    SurfaceDistances,
    assd,
    hd95_larger,
    hd95_pooled,
    msd,
    rmsd,
    surface_dice,
    surface_distances,
    surface_voxels,
)
from rmaunet.metrics.tumor_size_classes import Stratum, stratify

__all__ = [
    "LITS_PENALTY",
    "Agreement",
    "CaseResult",
    "Cohort",
    "Comparison",
    "Convention",
    "Counts",
    "FoldSummary",
    "Lesion",
    "LesionMatch",
    "Pair",
    "Pairing",
    "Scoring",
    "SliceResult",
    "Stratum",
    "Summary",
    "SurfaceDistances",
    "assd",
    "average_patients",
    "average_repeats",
    "between_repeats",
    "bland_altman",
    "cohort_rows",
    "compare",
    "compare_all",
    "count_overlap",
    "dice",
    "end_dice",
    "evaluate_case",
    "evaluate_slices",
    "hd95_larger",
    "hd95_pooled",
    "holm",
    "jaccard",
    "latex_table",
    "markdown_table",
    "match_files",
    "match_lesions",
    "msd",
    "rmsd",
    "rvd",
    "rvd_lits",
    "smallest_wilcoxon_p",
    "stratify",
    "summarize",
    "summarize_cohort",
    "summarize_folds",
    "surface_dice",
    "surface_distances",
    "surface_voxels",
    "voe",
    "write_results",
]
