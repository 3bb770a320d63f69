"""Two masks become numbers: overlap, surface distances, lesions; per case, over cases, and their statistics. No torch."""

from __future__ import annotations

from rmaunet.evaluate.case import CaseResult, evaluate_case
from rmaunet.evaluate.cohort import Cohort, Summary, summarize, summarize_cohort
from rmaunet.evaluate.conventions import LITS_PENALTY, Convention, Scoring
from rmaunet.evaluate.lesions import Lesion, LesionMatch, match_lesions
from rmaunet.evaluate.overlap import Counts, count_overlap, dice, jaccard, rvd, rvd_lits, voe
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
    "CaseResult",
    "Cohort",
    "Convention",
    "Counts",
    "Lesion",
    "LesionMatch",
    "Scoring",
    "Summary",
    "SurfaceDistances",
    "assd",
    "cohort_rows",
    "count_overlap",
    "dice",
    "evaluate_case",
    "hd95_larger",
    "hd95_pooled",
    "jaccard",
    "latex_table",
    "markdown_table",
    "match_lesions",
    "msd",
    "rmsd",
    "rvd",
    "rvd_lits",
    "summarize",
    "summarize_cohort",
    "surface_dice",
    "surface_distances",
    "surface_voxels",
    "voe",
]
