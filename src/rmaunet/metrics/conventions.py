"""What a metric is worth where its formula has no value: three named conventions, chosen once per evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LITS_PENALTY", "Connectivity", "Convention", "Scoring"]

Convention = Literal["paper", "nnunet", "lits"]
"""Which value a metric takes when a mask is empty.

* ``paper``, the default: both empty is a perfect answer (dice 1, jaccard 1, voe 0, surface dice 1); a volume
  difference or a distance stays NaN.
* ``nnunet``: both empty is NaN for every metric, as nnU-Net does, so that such a case drops out of the mean.
* ``lits``: as ``paper`` for both empty; where exactly one is empty, the LiTS challenge's penalty 9001 for volume
  difference and distances, and a liver prediction without a single voxel of label 1 counts as no prediction.
"""

Connectivity = Literal[6, 26]
"""Which voxels belong to one lesion: those sharing a face (6), or also an edge or a corner (26)."""

LITS_PENALTY = 9001.0
"""What the LiTS challenge writes for a volume difference or distance when one of the two masks is empty."""


@dataclass(frozen=True)
class Scoring:
    """What a metric means where the literature disagrees; goes into the manifest as it stands.

    Attributes:
        convention: Values for empty masks.
        tolerance_mm: Tolerance of the surface dice in mm, >= 0.
        connectivity: Neighbourhood that makes a lesion; 6 is the LiTS challenge's.
    """

    convention: Convention = "paper"
    tolerance_mm: float = 2.0
    connectivity: Connectivity = 6
