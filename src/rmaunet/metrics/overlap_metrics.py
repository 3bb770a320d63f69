"""Overlap of two masks: dice, jaccard, voe and the two signed volume differences, all from three counts.

========================= ========= ========= ========= ============ ==============
masks                     dice      jaccard   voe       rvd          rvd_lits
========================= ========= ========= ========= ============ ==============
both empty, ``paper``     1         1         0         NaN          NaN
both empty, ``nnunet``    NaN       NaN       NaN       NaN          NaN
both empty, ``lits``      1         1         0         NaN          NaN
only the reference empty  0         0         1         NaN          -1 (9001)
only the prediction empty 0         0         1         -1           NaN (9001)
========================= ========= ========= ========= ============ ==============

In parentheses the value under ``lits``. A NaN where one mask is empty means a denominator of 0: the reference volume
in ``rvd``, the predicted volume in ``rvd_lits``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmaunet.metrics.conventions import LITS_PENALTY, Convention

__all__ = ["Counts", "count_overlap", "dice", "jaccard", "rvd", "rvd_lits", "voe"]


@dataclass(frozen=True)
class Counts:
    """Voxels of a reference mask, of a prediction, and of both at once. Counts of several cases add up.

    Attributes:
        reference: Voxels of the reference, >= 0.
        prediction: Voxels of the prediction, >= 0.
        intersection: Voxels of both, at most the smaller of the two.

    Example:
        >>> Counts(4, 2, 1) + Counts(1, 1, 1)
        Counts(reference=5, prediction=3, intersection=2)
    """

    reference: int
    prediction: int
    intersection: int

    @property
    def union(self) -> int:
        """Voxels of at least one of the two."""
        return self.reference + self.prediction - self.intersection

    @property
    def both_empty(self) -> bool:
        """Whether neither mask has a voxel."""
        return self.reference == 0 and self.prediction == 0

    @property
    def one_empty(self) -> bool:
        """Whether exactly one of the masks has no voxel."""
        return (self.reference == 0) != (self.prediction == 0)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.reference + other.reference,
            self.prediction + other.prediction,
            self.intersection + other.intersection,
        )


def count_overlap(reference: NDArray[np.generic], prediction: NDArray[np.generic]) -> Counts:
    """Count the voxels that the metrics of this module need.

    Args:
        reference: Mask of any shape; boolean, or 0 for outside and anything else for inside.
        prediction: Mask of the same shape.

    Returns:
        The three counts.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> count_overlap(np.array([1, 1, 1, 0]), np.array([0, 1, 1, 1]))
        Counts(reference=3, prediction=3, intersection=2)
    """
    if reference.shape != prediction.shape:
        raise ValueError(f"shapes {reference.shape} and {prediction.shape} differ; give masks on one grid")
    first = np.asarray(reference, dtype=bool)
    second = np.asarray(prediction, dtype=bool)
    return Counts(int(np.count_nonzero(first)), int(np.count_nonzero(second)), int(np.count_nonzero(first & second)))


def dice(counts: Counts, *, convention: Convention = "paper") -> float:
    """Dice coefficient (DSC, F1), ``2 |A and B| / (|A| + |B|)``.

    Args:
        counts: From :func:`count_overlap`.
        convention: Both empty: 1, or NaN under ``nnunet``. One empty: 0 under each.

    Returns:
        In [0, 1], without unit.

    Reference:
        Jiang et al. 2023, section 4.4, equation 11.

    Example:
        >>> dice(Counts(reference=3, prediction=3, intersection=2))
        0.6666666666666666
    """
    if counts.both_empty:
        return math.nan if convention == "nnunet" else 1.0
    return 2.0 * counts.intersection / (counts.reference + counts.prediction)


def jaccard(counts: Counts, *, convention: Convention = "paper") -> float:
    """Jaccard index (IoU), ``|A and B| / |A or B|``, equal to ``dice / (2 - dice)``.

    Args:
        counts: From :func:`count_overlap`.
        convention: Both empty: 1, or NaN under ``nnunet``. One empty: 0 under each.

    Returns:
        In [0, 1], without unit.

    Example:
        >>> jaccard(Counts(reference=3, prediction=3, intersection=2))
        0.5
    """
    if counts.both_empty:
        return math.nan if convention == "nnunet" else 1.0
    return counts.intersection / counts.union


def voe(counts: Counts, *, convention: Convention = "paper") -> float:
    """Volumetric overlap error, ``1 - |A and B| / |A or B|``.

    Args:
        counts: From :func:`count_overlap`.
        convention: Both empty: 0, or NaN under ``nnunet``. One empty: 1 under each.

    Returns:
        In [0, 1], a fraction (not percent).

    Reference:
        Jiang et al. 2023, section 4.4, equation 12.

    Example:
        >>> voe(Counts(reference=3, prediction=3, intersection=2))
        0.5
    """
    return 1.0 - jaccard(counts, convention=convention)


def rvd(counts: Counts) -> float:
    """Relative volume difference as in the paper, ``(|prediction| - |reference|) / |reference|``.

    Positive means over-segmentation. The LiTS challenge's figure of that name is :func:`rvd_lits`.

    Args:
        counts: From :func:`count_overlap`.

    Returns:
        A fraction, >= -1; NaN when the reference is empty, whatever the prediction.

    Reference:
        Jiang et al. 2023, section 4.4, equation 13, where A is the reference and B the prediction: (|B| - |A|) / |A|.

    Example:
        >>> rvd(Counts(reference=4, prediction=5, intersection=4))
        0.25
    """
    if counts.reference == 0:
        return math.nan
    return (counts.prediction - counts.reference) / counts.reference


def rvd_lits(counts: Counts, *, convention: Convention = "paper") -> float:
    """Relative volume difference as the LiTS challenge computes it, ``(|reference| - |prediction|) / |prediction|``.

    Both sign and denominator differ from :func:`rvd`: positive means under-segmentation.

    Args:
        counts: From :func:`count_overlap`.
        convention: Prediction empty: NaN. Under ``lits`` 9001 when exactly one of the two masks is empty.

    Returns:
        A fraction, >= -1.

    Reference:
        Bilic et al. 2023, "The Liver Tumor Segmentation Benchmark (LiTS)"; the challenge's evaluation calls
        MedPy's ``ravd(reference, prediction)``.

    Example:
        >>> rvd_lits(Counts(reference=4, prediction=5, intersection=4))
        -0.2
    """
    if convention == "lits" and counts.one_empty:
        return LITS_PENALTY
    if counts.prediction == 0:
        return math.nan
    return (counts.reference - counts.prediction) / counts.prediction
