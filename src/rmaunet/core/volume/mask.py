"""A mask: a volume of labels with a summary and a picture for notebooks."""

from __future__ import annotations

import numpy as np
from highdicom import Volume

from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.volume.geometry import voxel_volume_ml
from rmaunet.core.volume.preview import preview_html

__all__ = ["Mask"]


class Mask(Volume):
    """uint8 labels (0 background, 1 liver, 2 tumor) with an affine to LPS mm; a :class:`highdicom.Volume`."""

    @classmethod
    def of(cls, volume: Volume) -> Mask:
        """The same voxels as a mask; memory is shared."""
        return cls(
            array=volume.array,
            affine=volume.affine,
            coordinate_system="PATIENT",
            frame_of_reference_uid=volume.frame_of_reference_uid,
        )

    def __repr__(self) -> str:
        unit = voxel_volume_ml(self)
        liver, tumor = (unit * np.count_nonzero(self.array == label) for label in (LIVER, TUMOR))
        shape, spacing = " x ".join(map(str, self.spatial_shape)), " x ".join(f"{step:.3g}" for step in self.spacing)
        return f"<Mask {shape} voxels of {spacing} mm: liver {liver + tumor:.0f} ml, tumor {tumor:.1f} ml>"

    def _repr_html_(self) -> str:
        return preview_html(repr(self), mask=self)
