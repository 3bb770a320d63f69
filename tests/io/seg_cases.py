"""Every kind of DICOM SEG that a user may hand over with its CT, and what happens. See docs/inputs.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dicom_writer as w
import numpy as np
from file_case import FileCase
from nifti_cases import bad, good, odd
from pydicom import Dataset, dcmread

from rmaunet.io import read_volume
from rmaunet.io.dicom_seg import write_dicom_seg
from rmaunet.volume import make_volume

GROUP = "DICOM SEG"
MASK = np.clip(w.stored() // 700, 0, 2).astype(np.uint8)


def same_mask(mask: Any, _: Path) -> None:
    np.testing.assert_array_equal(mask.array, MASK)


def seg(change: Callable[[Dataset], object] | None = None, **how: Any) -> Callable[[Path], Path]:
    """The series in ``ct`` below a folder, and its segmentation, changed by another program."""

    def make(folder: Path) -> Path:
        scan = read_volume(w.series(folder / "ct"))
        path = folder / "mask.dcm"
        write_dicom_seg(make_volume(MASK, scan.volume.affine), path, source=scan.source, **how)
        if change is not None:
            data = dcmread(path)
            change(data)
            data.save_as(path)
        return path

    return make


def put(**values: Any) -> Callable[[Dataset], None]:
    def change(data: Dataset) -> None:
        for keyword, value in values.items():
            setattr(data, keyword, value)

    return change


def segment(number: int) -> Callable[[Dataset], None]:
    def change(data: Dataset) -> None:
        frame = data.PerFrameFunctionalGroupsSequence[0]
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number

    return change


def moved(by_mm: float) -> Callable[[Dataset], None]:
    def change(data: Dataset) -> None:
        for frame in data.PerFrameFunctionalGroupsSequence:
            place = frame.PlanePositionSequence[0]
            place.ImagePositionPatient = [*place.ImagePositionPatient[:2], place.ImagePositionPatient[2] + by_mm]

    return change


def cut(data: Dataset) -> None:
    data.PixelData = data.PixelData[:-20]


def empty(data: Dataset) -> None:
    data.NumberOfFrames, data.PerFrameFunctionalGroupsSequence, data.PixelData = 0, [], b""


def without_place(data: Dataset) -> None:
    del data.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence


def strange_value(data: Dataset) -> None:
    data.PixelData = data.PixelData.replace(b"\2", b"\7", 1)


CASES = [
    good("seg", GROUP, "BINARY", "read", seg(), same_mask),
    good("seg-map", GROUP, "LABELMAP", "read", seg(labelmap=True), same_mask),
    odd("seg-frame", GROUP, "another FrameOfReferenceUID than the CT's", "used where it lies, and said",
        "FrameOfReferenceUID is not the CT's", seg(put(FrameOfReferenceUID="1.2.3")), same_mask),
    bad("seg-rows", GROUP, "Rows too small", "refused", "ask for 215", seg(put(Rows=13))),
    bad("seg-rows-large", GROUP, "Rows too large", "refused", "cut off", seg(put(Rows=15))),
    bad("seg-map-rows", GROUP, "Rows too small in a LABELMAP", "refused", "ask for", seg(put(Rows=13), labelmap=True)),
    bad("seg-cut", GROUP, "frames cut off", "refused", "cut off", seg(cut)),
    bad("seg-none", GROUP, "no frame", "refused", "describes 0 frames", seg(empty)),
    *[bad(f"seg-segment-{number}", GROUP, f"a frame of segment {number}, which is not described", "refused",
          "none of the SegmentSequence", seg(segment(number))) for number in (9, 0)],
    bad("seg-map-value", GROUP, "a LABELMAP with a value that is not described", "refused",
        "segment number = 7: is none of the SegmentSequence", seg(strange_value, labelmap=True)),
    bad("seg-place", GROUP, "a frame without its position", "refused", "frame 1: ImagePositionPatient", seg(without_place)),
    bad("seg-moved", GROUP, "frames between the CT's slices", "refused", "lies elsewhere", seg(moved(1.25))),
    bad("seg-fraction", GROUP, "FRACTIONAL with one bit a voxel", "refused", "SegmentationType",
        seg(put(SegmentationType="FRACTIONAL"))),
    bad("seg-undescribed", GROUP, "no SegmentSequence", "refused", "neither liver nor tumor", seg(put(SegmentSequence=[]))),
]  # fmt: skip
assert all(isinstance(case, FileCase) for case in CASES)
