"""Two masks become numbers: overlap, surface distances, lesions; per case, over cases, and their statistics. No torch."""

from __future__ import annotations

from rmaunet.evaluate.agreement import Agreement, bland_altman
from rmaunet.evaluate.case import CaseResult, evaluate_case
from rmaunet.evaluate.cohort import Cohort, Summary, summarize, summarize_cohort
from rmaunet.evaluate.conventions import LITS_PENALTY, Convention, Scoring
from rmaunet.evaluate.ends import end_dice
from rmaunet.evaluate.lesions import Lesion, LesionMatch, match_lesions
from rmaunet.evaluate.overlap import Counts, count_overlap, dice, jaccard, rvd, rvd_lits, voe
from rmaunet.evaluate.pairs import Pair, Pairing, match_files
from rmaunet.evaluate.plausibility import (
    expected_fold_sd,
    fold_sd_probability,
    smallest_paired_p,
    unpaired_p,
    voe_from_dice,
)
from rmaunet.evaluate.repeats import FoldSummary, average_patients, average_repeats, between_repeats, summarize_folds
from rmaunet.evaluate.results import write_results
from rmaunet.evaluate.slices import SliceResult, evaluate_slices
from rmaunet.evaluate.statistics import Comparison, compare, compare_all, holm, smallest_wilcoxon_p
from rmaunet.evaluate.strata import Stratum, stratify
from rmaunet.evaluate.surface import (
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
from rmaunet.evaluate.tables import cohort_rows, latex_table, markdown_table

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
    "expected_fold_sd",
    "fold_sd_probability",
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
    "smallest_paired_p",
    "smallest_wilcoxon_p",
    "stratify",
    "summarize",
    "summarize_cohort",
    "summarize_folds",
    "surface_dice",
    "surface_distances",
    "surface_voxels",
    "unpaired_p",
    "voe",
    "voe_from_dice",
    "write_results",
]
