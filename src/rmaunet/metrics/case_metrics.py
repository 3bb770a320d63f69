"""One case: a reference and a prediction become one row of numbers, each metric per case over the whole volume.

"Liver" is the liver with its tumors (labels 1 and 2), "tumor" is label 2.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.labels import LIVER, TUMOR, liver_mask, tumor_mask
from rmaunet.core.volume import Volume, axial, geometry_difference, to_grid, voxel_volume_ml
from rmaunet.core.volume.box import union_box
from rmaunet.metrics import overlap_metrics as overlap
from rmaunet.metrics import surface_metrics as surfaces
from rmaunet.metrics.conventions import LITS_PENALTY, Convention, Scoring
from rmaunet.metrics.end_slices import end_dice
from rmaunet.metrics.lesion_detection import STRATA, Lesion, LesionMatch, match_lesions

__all__ = ["CaseResult", "align", "evaluate_case"]

DEFAULT = Scoring()


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """The numbers of one case; NaN where a metric is undefined, None where it was not asked for.

    Attributes:
        name: The case.
        slices: Axial slices of the scan.
        slices_scored: Slices that took part; fewer under ``paper_slices``.
        spacing_d_mm: Distance of axial slices; ``spacing_h_mm``, ``spacing_w_mm`` in plane.
        liver_dice: See :mod:`rmaunet.metrics.overlap_metrics`; so for ``voe``, ``rvd``, ``rvd_lits`` and ``jaccard``.
        liver_assd_mm: See :mod:`rmaunet.metrics.surface_metrics`; so for ``rmsd``, ``msd``, ``hd95_pooled``, ``hd95_larger``.
        liver_surface_dice: At ``surface_tolerance_mm``.
        liver_dice_lowest_tenth: Over the lowest tenth of the liver's slices, see
            :mod:`rmaunet.metrics.end_slices`; NaN without liver; ``liver_dice_highest_tenth`` over the highest.
        liver_reference_ml: Volume in the reference; ``liver_prediction_ml`` in the prediction.
        liver_reference_voxels: The counts behind the overlap metrics, for pooling ("global dice").
        liver_empty_reference: Whether the reference has none; ``liver_empty_prediction`` likewise.
        lesions_reference: Lesions of the reference; ``lesions_prediction`` of the prediction.
        lesions_detected: Matched groups with IoU > 0.5; ``lesions_touched`` with IoU > 0.
        lesions_dice: Mean over reference lesions of their group's dice, missed ones 0.
        lesions_under_10mm: Reference lesions of that equivalent diameter, ``..._detected`` those in a detected group.
        tumor_burden_reference: Tumor volume / liver volume, NaN without liver.
        lesions: The lesions themselves; not part of :meth:`row`.
    """

    name: str
    convention: Convention
    slices: int
    slices_scored: int
    spacing_d_mm: float
    spacing_h_mm: float
    spacing_w_mm: float
    liver_dice: float
    liver_voe: float
    liver_rvd: float
    liver_rvd_lits: float
    liver_jaccard: float
    liver_dice_lowest_tenth: float
    liver_dice_highest_tenth: float
    tumor_dice: float
    tumor_voe: float
    tumor_rvd: float
    tumor_rvd_lits: float
    tumor_jaccard: float
    liver_assd_mm: float | None = None
    liver_rmsd_mm: float | None = None
    liver_msd_mm: float | None = None
    liver_hd95_pooled_mm: float | None = None
    liver_hd95_larger_mm: float | None = None
    liver_surface_dice: float | None = None
    tumor_assd_mm: float | None = None
    tumor_rmsd_mm: float | None = None
    tumor_msd_mm: float | None = None
    tumor_hd95_pooled_mm: float | None = None
    tumor_hd95_larger_mm: float | None = None
    tumor_surface_dice: float | None = None
    surface_tolerance_mm: float | None = None
    lesions_reference: int
    lesions_prediction: int
    lesions_detected: int
    lesions_touched: int
    lesions_dice: float
    lesions_under_10mm: int
    lesions_under_10mm_detected: int
    lesions_10_to_20mm: int
    lesions_10_to_20mm_detected: int
    lesions_over_20mm: int
    lesions_over_20mm_detected: int
    tumor_burden_reference: float
    tumor_burden_prediction: float
    liver_reference_ml: float
    liver_prediction_ml: float
    tumor_reference_ml: float
    tumor_prediction_ml: float
    liver_reference_voxels: int
    liver_prediction_voxels: int
    liver_intersection_voxels: int
    tumor_reference_voxels: int
    tumor_prediction_voxels: int
    tumor_intersection_voxels: int
    liver_empty_reference: bool
    liver_empty_prediction: bool
    tumor_empty_reference: bool
    tumor_empty_prediction: bool
    lesions: tuple[Lesion, ...] = field(default=(), repr=False)

    def row(self) -> dict[str, Any]:
        """One table row: every number under its name, without those that were not asked for."""
        return {name: value for name, value in asdict(self).items() if value is not None and name != "lesions"}


def align(reference: Volume, prediction: Volume, *, name: str) -> tuple[Volume, Volume]:
    """Bring two label volumes onto one axial grid without resampling.

    Args:
        reference: Labels 0, 1, 2.
        prediction: Labels 0, 1, 2 on the same voxel positions; its axes may be permuted or flipped.
        name: The case, for the error.

    Returns:
        Both in axial orientation, slice 0 nearest the feet.

    Raises:
        InputError: If the grids differ, or an array is not three-dimensional labels.
    """
    for side, volume in (("reference", reference), ("prediction", prediction)):
        if volume.array.ndim != 3 or volume.array.dtype.kind not in "bui":
            raise InputError(
                name, f"{side} array", f"{volume.array.ndim}-D {volume.array.dtype}",
                "is not a volume of whole-number labels", "give a (D, H, W) mask with 0, 1 and 2",
            )  # fmt: skip
    if geometry_difference(reference, prediction) is not None:
        try:
            prediction = to_grid(prediction, reference)
        except ValueError:
            raise InputError(
                name, "prediction grid", geometry_difference(reference, prediction),
                "is not the reference's grid", "resample the prediction onto the reference, or give the matching file",
            ) from None  # fmt: skip
    return axial(reference), axial(prediction)


def evaluate_case(
    reference: Volume,
    prediction: Volume,
    *,
    name: str,
    surface: bool = True,
    paper_slices: bool = False,
    scoring: Scoring = DEFAULT,
) -> CaseResult:
    """Score one predicted mask against its reference.

    Args:
        reference: Labels 0 background, 1 liver, 2 tumor, (D, H, W) in any orientation.
        prediction: The same labels on the same voxel positions, in any orientation.
        name: What the case is called in tables and errors.
        surface: Whether to measure surface distances, most of the time needed.
        paper_slices: Score only axial slices on which the reference has liver (the paper's slice protocol, as its
            slice counts suggest); predictions elsewhere are then ignored, which flatters.
        scoring: Values for empty masks, tolerance of the surface dice, neighbourhood that makes a lesion.

    Returns:
        The row.

    Raises:
        InputError: If the grids differ or a value is no label; the line names the case.

    Example:
        >>> from rmaunet.core.volume import make_volume
        >>> labels = np.zeros((4, 6, 6), np.uint8)
        >>> labels[1:3, 1:5, 1:5], labels[2, 2, 2] = 1, 2
        >>> result = evaluate_case(make_volume(labels), make_volume(labels), name="phantom")
        >>> result.liver_dice, result.tumor_dice, result.liver_assd_mm, result.lesions_detected
        (1.0, 1.0, 0.0, 1)
    """
    first, second = align(reference, prediction, name=name)
    truth, guess = np.asarray(first.array), np.asarray(second.array)
    box = union_box(truth, guess)
    truth, guess = truth[box], guess[box]
    _check_labels(truth, name, "reference")
    _check_labels(guess, name, "prediction")
    keep = np.asarray(truth.any(axis=(1, 2)))
    if paper_slices:
        guess = np.where(keep[:, None, None], guess, 0)
    spacing = tuple(float(s) for s in first.spacing)
    organs = _organ_masks(truth, guess, scoring.convention)
    row: dict[str, Any] = {}
    for organ, (one, other) in organs.items():
        row |= _overlap_columns(organ, one, other, voxel_volume_ml(first), scoring.convention)
        if surface:
            row |= _surface_columns(organ, one, other, spacing, scoring)
    row |= {f"liver_dice_{end}_tenth": value for end, value in end_dice(*organs["liver"]).items()}
    matched = match_lesions(*organs["tumor"], spacing, connectivity=scoring.connectivity)
    row |= _lesion_columns(matched) | _burden_columns(row, scoring.convention)
    return CaseResult(
        name=name,
        convention=scoring.convention,
        slices=int(first.spatial_shape[0]),
        slices_scored=int(np.count_nonzero(keep)) if paper_slices else int(first.spatial_shape[0]),
        spacing_d_mm=spacing[0],
        spacing_h_mm=spacing[1],
        spacing_w_mm=spacing[2],
        surface_tolerance_mm=scoring.tolerance_mm if surface else None,
        lesions=matched.lesions,
        **row,
    )


def _organ_masks(
    truth: NDArray[Any], guess: NDArray[Any], convention: Convention
) -> dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    liver = liver_mask(guess)
    if convention == "lits" and not np.any(guess == LIVER):
        liver = np.zeros_like(liver)
    return {"liver": (liver_mask(truth), liver), "tumor": (tumor_mask(truth), tumor_mask(guess))}


def _check_labels(labels: NDArray[Any], name: str, side: str) -> None:
    if labels.size == 0 or (labels.max() <= TUMOR and labels.min() >= 0):
        return
    values, counts = np.unique(labels, return_counts=True)
    odd = [f"{v} ({n} voxels)" for v, n in zip(values, counts, strict=True) if not 0 <= v <= TUMOR]
    more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
    raise InputError(
        name, f"{side} labels", ", ".join(odd[:5]) + more,
        "are not among 0 background, 1 liver, 2 tumor", "map them to these first",
    )  # fmt: skip


def _overlap_columns(
    organ: str, one: NDArray[np.bool_], other: NDArray[np.bool_], voxel_ml: float, convention: Convention
) -> dict[str, Any]:
    counts = overlap.count_overlap(one, other)
    return {
        f"{organ}_dice": overlap.dice(counts, convention=convention),
        f"{organ}_voe": overlap.voe(counts, convention=convention),
        f"{organ}_rvd": overlap.rvd(counts),
        f"{organ}_rvd_lits": overlap.rvd_lits(counts, convention=convention),
        f"{organ}_jaccard": overlap.jaccard(counts, convention=convention),
        f"{organ}_reference_ml": counts.reference * voxel_ml,
        f"{organ}_prediction_ml": counts.prediction * voxel_ml,
        f"{organ}_reference_voxels": counts.reference,
        f"{organ}_prediction_voxels": counts.prediction,
        f"{organ}_intersection_voxels": counts.intersection,
        f"{organ}_empty_reference": counts.reference == 0,
        f"{organ}_empty_prediction": counts.prediction == 0,
    }


def _surface_columns(
    organ: str,
    one: NDArray[np.bool_],
    other: NDArray[np.bool_],
    spacing_mm: tuple[float, ...],
    scoring: Scoring,
) -> dict[str, float]:
    distances = surfaces.surface_distances(one, other, spacing_mm)
    convention = scoring.convention
    return {
        f"{organ}_assd_mm": surfaces.assd(distances, convention=convention),
        f"{organ}_rmsd_mm": surfaces.rmsd(distances, convention=convention),
        f"{organ}_msd_mm": surfaces.msd(distances, convention=convention),
        f"{organ}_hd95_pooled_mm": surfaces.hd95_pooled(distances, convention=convention),
        f"{organ}_hd95_larger_mm": surfaces.hd95_larger(distances, convention=convention),
        f"{organ}_surface_dice": surfaces.surface_dice(distances, scoring.tolerance_mm, convention=convention),
    }


def _lesion_columns(matched: LesionMatch) -> dict[str, Any]:
    row: dict[str, Any] = {
        "lesions_reference": len(matched.reference),
        "lesions_prediction": len(matched.prediction),
        "lesions_detected": matched.true_positives(0.5),
        "lesions_touched": matched.true_positives(0.0),
        "lesions_dice": matched.mean_dice,
    }
    for name in STRATA:
        lesions = matched.in_stratum(name)
        row[f"lesions_{name}"] = len(lesions)
        row[f"lesions_{name}_detected"] = sum(lesion.detected() for lesion in lesions)
    return row


def _burden_columns(row: dict[str, Any], convention: Convention) -> dict[str, float]:
    def burden(side: str) -> float:
        liver = row[f"liver_{side}_voxels"]
        return row[f"tumor_{side}_voxels"] / liver if liver else math.nan

    predicted = burden("prediction")
    if convention == "lits" and row["liver_empty_prediction"]:
        predicted = LITS_PENALTY
    return {"tumor_burden_reference": burden("reference"), "tumor_burden_prediction": predicted}
