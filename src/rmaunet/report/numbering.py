"""Every tumor voxel with the number its lesion has in the lesion table, for formats that keep lesions apart."""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.labels import tumor_mask
from rmaunet.volume import Volume, axial, make_volume, to_grid

__all__ = ["lesion_numbers"]


def lesion_numbers(mask: Volume) -> NDArray[np.int32]:
    """Number the lesions of a mask as :func:`~rmaunet.report.lesion_table` does.

    Args:
        mask: Labels {0, 1, 2}, any orientation.

    Returns:
        (D, H, W) on the mask's own grid: the lesion's id from 1 in its voxels, 0 elsewhere.
    """
    labels = axial(mask)
    tumor = np.ascontiguousarray(tumor_mask(labels.array))
    if not tumor.any():
        return np.zeros(mask.spatial_shape, np.int32)
    parts = np.asarray(cc3d.connected_components(tumor, connectivity=26))
    keys = []
    for number, at in enumerate(ndimage.find_objects(parts), start=1):
        inside = np.argwhere(parts[at] == number)
        center = labels.affine @ np.append(inside.mean(axis=0) + [side.start for side in at], 1.0)
        keys.append((-len(inside), float(center[2]), float(center[1]), float(center[0]), number))
    ids = np.zeros(len(keys) + 1, np.int32)
    for place, key in enumerate(sorted(keys), start=1):
        ids[key[-1]] = place
    return np.asarray(to_grid(make_volume(ids[parts], labels.affine), mask).array, np.int32)
