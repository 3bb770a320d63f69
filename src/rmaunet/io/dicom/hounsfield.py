"""Stored values to HU: each file decoded once into an array that is allocated once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.io.dicom.ct_slices import Slice
from rmaunet.io.dicom.dicom_files import printable, text
from rmaunet.io.dicom.frames import decode_words, pixel_format, stored_values
from rmaunet.io.dicom.padding import padding_of
from rmaunet.io.storage.voxel_values import AIR_HU, HuFacts

__all__ = ["MAX_BYTES", "hounsfield"]

MAX_BYTES = 4 << 30
_INT16_MAX = 32767


def hounsfield(slices: Sequence[Slice], subject: str) -> NDArray[np.int16] | NDArray[np.float32]:
    """Decode and rescale every slice; padding that the header names becomes -1024 HU.

    Args:
        slices: In the order wanted.
        subject: What the user calls the series.

    Returns:
        (D, H, W) HU: int16 where all slopes and intercepts are whole numbers, else float32; clipped at -1024 from below.

    Raises:
        InputError: If a slice cannot be decoded, or the whole exceeds 4 GiB.
    """
    forms = {id(item.file): pixel_format(item.file) for item in slices}
    form = forms[id(slices[0].file)]
    whole = all(item.slope.is_integer() and item.intercept.is_integer() for item in slices)
    kind = np.dtype(np.int16 if whole else np.float32)
    shape = (len(slices), form.rows, form.columns)
    if np.prod(shape, dtype=float) * kind.itemsize > MAX_BYTES:
        raise InputError(subject, "shape", shape, "needs more than 4 GiB", "give a smaller series")
    _say_odd(slices, subject)
    volume = np.empty(shape, kind)
    clipped, facts, surplus = 0, HuFacts(count=volume.size), dict[str, int]()
    for indices in _by_file(slices):
        file = slices[indices[0]].file
        form, padding = forms[id(file)], padding_of(file, forms[id(file)])
        frames = decode_words(file, form, [slices[i].frame for i in indices], surplus=surplus)
        for index, words in zip(indices, frames, strict=True):
            item, stored = slices[index], stored_values(words, form)
            gap = padding.mask(words, stored, slope=item.slope, intercept=item.intercept) if padding else None
            if gap is not None:
                if gap.all():
                    volume[index] = AIR_HU
                    continue
                stored = np.where(gap, stored[~gap][0], stored)  # padding is not in the slice's range of HU
            _see(stored, item, facts)
            clipped += _rescale(stored, item, volume[index])
            if gap is not None:
                volume[index][gap] = AIR_HU
    for shown, count in list(surplus.items())[:1]:
        files = f" (and of {len(surplus) - 1} files more)" if len(surplus) > 1 else ""
        notice(subject, f"{count} bytes follow the pixels of {shown}{files}; they are ignored")
    if clipped:
        notice(subject, f"{clipped} voxels above {_INT16_MAX} HU were clipped")
    for text_ in facts.notes(offset=False):
        notice(subject, text_)
    return volume


def _see(stored: NDArray[np.integer], item: Slice, facts: HuFacts) -> None:
    """Note the range of a slice's HU, and how much of it lies below air."""
    ends = [int(stored.min()) * item.slope + item.intercept, int(stored.max()) * item.slope + item.intercept]
    facts.lowest, facts.highest = min(facts.lowest, *ends), max(facts.highest, *ends)
    if min(ends) < AIR_HU:
        limit = (AIR_HU - item.intercept) / item.slope
        facts.below_air += int(np.count_nonzero(stored < limit if item.slope > 0 else stored > limit))


def _by_file(slices: Sequence[Slice]) -> list[list[int]]:
    groups: dict[int, list[int]] = {}
    for index, item in enumerate(slices):
        groups.setdefault(id(item.file), []).append(index)
    return [sorted(indices, key=lambda i: slices[i].frame) for indices in groups.values()]


def _rescale(stored: NDArray[np.integer], item: Slice, out: NDArray[np.generic]) -> int:
    """Write HU into ``out``; returns how many voxels had to be clipped."""
    if out.dtype == np.float32:
        np.multiply(stored, item.slope, out=out, casting="unsafe")
        np.maximum(np.add(out, item.intercept, out=out), AIR_HU, out=out)
        return 0
    ends = [int(stored.min()) * item.slope + item.intercept, int(stored.max()) * item.slope + item.intercept]
    if min(ends) >= -32768 and max(ends) <= _INT16_MAX and abs(item.slope) < 2**31 and abs(item.intercept) < 2**31:
        wide = stored.astype(np.int32)
        wide *= int(item.slope)
        wide += int(item.intercept)
        out[...] = np.maximum(wide, AIR_HU, out=wide)
        return 0
    exact = stored * float(item.slope) + item.intercept
    out[...] = np.clip(exact, AIR_HU, _INT16_MAX)
    return int(np.count_nonzero(exact > _INT16_MAX))


def _say_odd(slices: Sequence[Slice], subject: str) -> None:
    files = [item.file for item in slices]
    if any(text(file.dataset, "PhotometricInterpretation") == "MONOCHROME1" for file in files):
        notice(subject, "PhotometricInterpretation = MONOCHROME1 is for display only: HU are left as they are")
    negative = next((item for item in slices if item.slope < 0), None)
    if negative is not None:
        notice(subject, f"RescaleSlope = {negative.slope:g} is negative: values are inverted")
    units = {text(file.dataset, "RescaleType") for file in files} - {"", "HU", "HU_MOD", "US"}
    if units:
        notice(subject, f"RescaleType = {printable(sorted(units)[0], 16)}: not HU?")
    lossy = {f.syntax for f in files} & {f"1.2.840.10008.1.2.4.{end}" for end in (50, 51, 81, 91)}
    if lossy:
        notice(subject, "the images were compressed with loss: HU are not exact")
    unnamed = [file for file in files if not text(file.dataset, "SOPInstanceUID")]
    if unnamed:
        notice(subject, f"SOPInstanceUID is missing in {unnamed[0].shown}: a DICOM SEG cannot refer to it")
    elif len({text(file.dataset, "SOPInstanceUID") for file in files}) < len({id(file) for file in files}):
        notice(subject, "several slices have one SOPInstanceUID: a DICOM SEG cannot refer to them apart")
