"""Padding: stored values that the header names as not measured."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRBigEndian

from rmaunet.io.dicom.dicom_files import DicomFile, number, quiet, text
from rmaunet.io.dicom.frames import PixelFormat

__all__ = ["Padding", "padding_of"]

_PLAUSIBLE_HU = (-1000.0, 3000.0)


@dataclass(frozen=True)
class Padding:
    """The stored values of a file that are padding, from ``low`` to ``high`` inclusive.

    Attributes:
        low: Smallest padding value, in the sign of the pixels.
        high: Largest padding value.
        form: How the pixels are stored.
    """

    low: int
    high: int
    form: PixelFormat

    def mask(
        self, words: NDArray[np.unsignedinteger], stored: NDArray[np.integer], *, slope: float, intercept: float
    ) -> NDArray[np.bool_] | None:
        """Find the padding of one slice.

        Values that a CT measures, 0 HU for example, can stand in tissue too. They are padding only where they
        are connected to the edge of the slice.

        Args:
            words: (rows, columns) words of ``BitsAllocated`` bits.
            stored: (rows, columns) values after unused bits were dropped and the sign was extended.
            slope: HU = slope * stored + intercept.
            intercept: HU.

        Returns:
            (rows, columns) mask; None if the slice has no padding.
        """
        kind = np.dtype(f"{'i' if self.form.signed else 'u'}{self.form.bits_allocated // 8}")
        found = (stored >= self.low) & (stored <= self.high)
        if self.form.bits_stored < self.form.bits_allocated:  # padding may use the bits above BitsStored
            whole = words.astype(f"u{kind.itemsize}", copy=False).view(kind)
            found |= (whole >= self.low) & (whole <= self.high)
        if not found.any():
            return None
        ends = sorted((self.low * slope + intercept, self.high * slope + intercept))
        return found if ends[1] <= _PLAUSIBLE_HU[0] or ends[0] >= _PLAUSIBLE_HU[1] else _at_edge(found)


def padding_of(file: DicomFile, form: PixelFormat) -> Padding | None:
    """Read PixelPaddingValue and PixelPaddingRangeLimit.

    Their value representation is often the wrong one of US and SS, so only their bits count.

    Args:
        file: A CT image.
        form: How its pixels are stored.

    Returns:
        The padding; None if the header names none, or an empty value.

    Raises:
        InputError: If one of the tags is not a whole number.

    Reference:
        DICOM PS3.3, C.7.5.1.1.2.
    """
    if not text(file.dataset, "PixelPaddingValue"):
        return None
    value = _value(file, "PixelPaddingValue", form)
    limit = _value(file, "PixelPaddingRangeLimit", form) if text(file.dataset, "PixelPaddingRangeLimit") else value
    return Padding(min(value, limit), max(value, limit), form)


def _value(file: DicomFile, keyword: str, form: PixelFormat) -> int:
    """A padding tag in the sign of the pixels."""
    with quiet():
        element = file.dataset[keyword]
    if isinstance(element.value, bytes):  # US or SS, left open by an implicit syntax or written as UN
        order = ">" if file.syntax == ExplicitVRBigEndian else "<"
        value = int(struct.unpack(f"{order}H", element.value[:2].ljust(2, b"\0"))[0])
    else:
        value = int(number(file.dataset, keyword, file.shown))
    if -(2**15) <= value < 2**16 and form.bits_allocated > 8:
        value %= 2**16
        return value - 2**16 if form.signed and value >= 2**15 else value
    return value


def _at_edge(found: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The components of ``found`` (rows, columns) that touch the edge of the slice."""
    import cc3d

    labels = cc3d.connected_components(found, connectivity=4)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    chosen = np.isin(labels, edge[edge > 0])
    return chosen if chosen.any() else None
