"""Series: grouping, choosing one, telling duplicates from two phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError
from rmaunet.core.notices import notice
from rmaunet.io.dicom.ct_slices import Slice, is_image, left_out, slices_of
from rmaunet.io.dicom.dicom_files import DicomFile, Found, printable, text
from rmaunet.io.dicom.frames import decode_frames, pixel_format
from rmaunet.io.dicom.slice_stack import Stack, arrange, same_place

__all__ = ["Series", "choose", "group", "stack_of"]

ONE_SERIES = "leave one CT series in the folder"
"""What to do in a command that cannot be told which series."""


@dataclass(frozen=True)
class Series:
    """Files of one SeriesInstanceUID.

    Attributes:
        uid: SeriesInstanceUID; "" where the files have none.
        files: Its CT images.
        others: Images with the same UID that are no part of the CT, and why.
    """

    uid: str
    files: tuple[DicomFile, ...]
    others: tuple[tuple[DicomFile, str], ...]

    @property
    def description(self) -> str:
        """SeriesDescription, fit for one line."""
        return printable(text((self.files or [self.others[0][0]])[0].dataset, "SeriesDescription"))

    @property
    def slices(self) -> int:
        """Slices: files, or the frames they say they have."""
        counts = (text(file.dataset, "NumberOfFrames") for file in self.files)
        return sum(int(count) if count.isdigit() else 1 for count in counts)

    def row(self) -> str:
        """The series in a table of choices."""
        return f"{self.uid or '(no UID)'} {self.description!r} {self.slices} slices"


def group(found: Found) -> list[Series]:
    """Sort images into series, the largest first.

    Args:
        found: From :func:`~rmaunet.io.dicom.dicom_files.find_files`.

    Returns:
        Series of CT images, then those without any.
    """
    images: dict[str, tuple[list[DicomFile], list[tuple[DicomFile, str]]]] = {}
    for file in found.files:
        if not is_image(file):
            continue
        kept, others = images.setdefault(printable(text(file.dataset, "SeriesInstanceUID")), ([], []))
        reason = left_out(file)
        if reason is None:
            kept.append(file)
        else:
            others.append((file, reason))
    series = [Series(uid, tuple(kept), tuple(others)) for uid, (kept, others) in images.items()]
    return sorted(series, key=lambda s: (-len(s.files), s.uid))


def choose(all_series: Sequence[Series], wanted: str | None, subject: str) -> Series:
    """The one CT series, or the one asked for; what is left out is said.

    Args:
        all_series: From :func:`group`.
        wanted: SeriesInstanceUID, or ``UID#N`` for the acquisition N of it; None for the only one.
        subject: What the user calls the folder.

    Returns:
        The series.

    Raises:
        InputError: If there is none, several without ``wanted``, or none of that UID.
    """
    remedy = advise("--series", "choose with --series UID", ONE_SERIES)
    candidates = [series for series in all_series if series.files]
    if not candidates:
        raise _nothing(all_series, subject)
    table = "; ".join(series.row() for series in candidates)
    uid, _, acquisition = (wanted or "").partition("#")
    chosen = [series for series in candidates if series.uid == uid] if wanted is not None else candidates
    if not chosen:
        raise InputError(subject, "series", printable(wanted), f"is not there, but: {table}", remedy)
    if len(chosen) > 1:
        raise InputError(subject, "series", len(chosen), f"which one? {table}", remedy)
    one = chosen[0]
    _say_left_out([series for series in all_series if wanted is None or series is one], subject)
    if acquisition:
        files = tuple(f for f in one.files if text(f.dataset, "AcquisitionNumber") == acquisition)
        if not files:
            problem = f"is not there, but: {_acquisitions(one.files, one.uid)}"
            raise InputError(subject, "series", printable(wanted), problem, "choose one of them")
        one = Series(one.uid, files, one.others)
    for keyword in ("PatientID", "StudyInstanceUID"):
        if len({text(file.dataset, keyword) for file in one.files}) > 1:
            problem = f"slices of several patients or studies under one SeriesInstanceUID ({one.row()})"
            raise InputError(subject, keyword, None, problem, "give a folder for each")
    return one


def _nothing(all_series: Sequence[Series], subject: str) -> InputError:
    reasons = [reason for series in all_series for _, reason in series.others]
    if not reasons:
        return InputError(subject, "DICOM", None, "no DICOM image found", "give a CT series")
    modality = next((reason for reason in reasons if reason.startswith("Modality")), None)
    if modality is not None:
        value, _, problem = modality.removeprefix("Modality = ").partition(": ")
        return InputError(subject, "Modality", value, problem, "give a CT series")
    return InputError(subject, "series", reasons[0], "nothing but such images", "give an axial CT series")


def _say_left_out(series: Sequence[Series], subject: str) -> None:
    counts: dict[str, int] = {}
    for one in series:
        for _, reason in one.others:
            counts[reason] = counts.get(reason, 0) + 1
    for reason, count in counts.items():
        notice(subject, f"{count} image{'s' * (count > 1)} left out: {reason}")


def _acquisitions(files: Sequence[DicomFile], uid: str) -> str:
    counts: dict[str, int] = {}
    for file in files:
        key = text(file.dataset, "AcquisitionNumber")
        counts[key] = counts.get(key, 0) + 1
    return "; ".join(f"{uid}#{printable(key)} {count} slices" for key, count in sorted(counts.items()) if key)


def stack_of(series: Series, subject: str) -> Stack:
    """The slices of a series in order, duplicates dropped.

    Args:
        series: A CT series.
        subject: What the user calls it.

    Returns:
        The stack.

    Raises:
        InputError: If the slices do not form one even stack.
    """
    slices = [item for file in series.files for item in slices_of(file)]
    kept, dropped = [], 0
    for place in same_place(slices):
        for item in place[1:]:
            if not _equal(place[0], item):
                raise _two_phases(series, place[0], item, subject)
            dropped += 1
        kept.append(place[0])
    if dropped:
        notice(subject, f"{dropped} duplicate slice{'s' * (dropped > 1)} with equal pixels left out")
    return arrange(kept, subject)


def _equal(one: Slice, other: Slice) -> bool:
    if (one.slope, one.intercept) != (other.slope, other.intercept):
        return False
    first, second = (next(decode_frames(s.file, pixel_format(s.file), [s.frame])) for s in (one, other))
    return bool(np.array_equal(first, second))


def _two_phases(series: Series, one: Slice, other: Slice, subject: str) -> InputError:
    place = tuple(np.round(one.position, 2).tolist())
    problem = f"{one.shown} and {other.shown} lie at {place} with different pixels: two phases? {series.row()}"
    parts = _acquisitions(series.files, series.uid)
    if parts.count("#") > 1:
        remedy = advise("--series", "choose one with --series UID#ACQUISITION", "give a folder for each acquisition")
        return InputError(subject, "series", None, f"{problem}: {parts}", remedy)
    return InputError(subject, "series", None, problem, "separate them into series, a folder for each")
