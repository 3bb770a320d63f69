"""One number for a CT's voxels, to find exact duplicates."""

from __future__ import annotations

import hashlib

import numpy as np

from rmaunet.core.volume import Volume, axial

__all__ = ["content_hash"]


def content_hash(ct: Volume) -> str:
    """SHA-256 of a CT's voxels in axial order with their shape; the same whatever the file's name, format or header.

    Args:
        ct: Any orientation.

    Returns:
        64 hexadecimal digits. For changed copies see :mod:`rmaunet.leaks.fingerprint`.
    """
    array = np.ascontiguousarray(axial(ct).array)
    digest = hashlib.sha256(repr((array.shape, array.dtype.str)).encode())
    digest.update(array.data)
    return digest.hexdigest()
