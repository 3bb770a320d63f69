"""Which lesion each tumor voxel belongs to: the one place that parts tumor into lesions and numbers them."""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rmaunet.core.labels import tumor_mask
from rmaunet.core.volume import Volume, axial, make_volume, to_grid
from rmaunet.core.volume.box import union_box

__all__ = ["Box", "lesion_numbers", "numbered_lesions", "parts_of"]

Box = tuple[slice, ...]


def lesion_numbers(mask: Volume) -> NDArray[np.int32]:
    """Number the lesions of a mask as :func:`~rmaunet.report.lesion_table` does.

    Args:
        mask: Labels {0, 1, 2}, any orientation.

    Returns:
        (D, H, W) on the mask's own grid: the lesion's id from 1 in its voxels, 0 elsewhere.
    """
    labels = axial(mask)
    box, ids = numbered_lesions(labels)
    whole = np.zeros(labels.spatial_shape, np.int32)
    whole[box] = ids
    return np.asarray(to_grid(make_volume(whole, labels.affine), mask).array, np.int32)


def numbered_lesions(labels: Volume) -> tuple[Box, NDArray[np.int32]]:
    """Number the lesions by falling volume, equal ones from feet to head.

    Args:
        labels: {0, 1, 2} in the axial orientation.

    Returns:
        The box of all tumor, and in it each voxel's lesion from 1, 0 elsewhere; both empty without tumor.
    """
    around = union_box(labels.array, labels.array)  # nothing of a long scan's size is made
    tumor = tumor_mask(labels.array[around])
    if not tumor.any():
        return (slice(0, 0),) * 3, np.zeros((0, 0, 0), np.int32)
    inner = union_box(tumor, tumor)
    parts, sizes = parts_of(tumor[inner])
    box = tuple(slice(a.start + b.start, a.start + b.stop) for a, b in zip(around, inner, strict=True))
    keys = []
    for number, at in enumerate(ndimage.find_objects(parts), start=1):
        first = [outer.start + side.start for outer, side in zip(box, at, strict=True)]
        center = labels.affine @ np.append(np.argwhere(parts[at] == number).mean(axis=0) + first, 1.0)
        keys.append((-int(sizes[number]), float(center[2]), float(center[1]), float(center[0]), number))
    ids = np.zeros(len(sizes), np.int32)
    for place, key in enumerate(sorted(keys), start=1):
        ids[key[-1]] = place
    return box, np.asarray(ids[parts])


def parts_of(tumor: NDArray[np.bool_]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Part tumor into lesions: what touches at a corner is one (26-neighbourhood).

    Args:
        tumor: (D, H, W).

    Returns:
        Each voxel's part from 1, 0 outside; and the parts' sizes in voxels, of which the first is the outside's.
    """
    if not tumor.size:  # which cc3d refuses
        return np.zeros(tumor.shape, np.int32), np.zeros(1, np.int64)
    parts = np.asarray(cc3d.connected_components(np.ascontiguousarray(tumor), connectivity=26))
    return parts, np.bincount(parts.ravel(), minlength=1)
