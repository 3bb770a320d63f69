"""Every kind of DICOM SEG that a user may hand over with its CT, and what happens. See lab/logs/inputs.md."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from pydicom import Dataset, dcmread
from pydicom.sr.coding import Code

import dicom_writer as w
from file_case import FileCase
from nifti_cases import bad, good, odd
from rmaunet.core.volume import make_volume
from rmaunet.io import read_scan
from rmaunet.io.dicom_seg.write_seg import write_dicom_seg

GROUP = "DICOM SEG"
MASK = np.clip(w.stored() // 700, 0, 2).astype(np.uint8)


def same_mask(mask: Any, _: Path) -> None:
    np.testing.assert_array_equal(mask.array, MASK)


def seg(change: Callable[[Dataset], object] | None = None, **how: Any) -> Callable[[Path], Path]:
    """The series in ``ct`` below a folder, and its segmentation, changed by another program."""

    def make(folder: Path) -> Path:
        scan = read_scan(w.series(folder / "ct"))
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


LIVER = Code("10200004", "SCT", "Liver")
TUMOR = Code("4147007", "SCT", "Mass")
TISSUE = Code("85756007", "SCT", "Tissue")
STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")


def foreign(
    array: np.ndarray = MASK,
    names: tuple[str, ...] = ("Liver", "Tumor"),
    codes: tuple[Code, ...] = (LIVER, TUMOR),
    *,
    between: float | None = None,
    thickness: float | None = 5.0,
    shift_mm: float = 0.0,
    name: str = "mask.dcm",
    write_ct: bool = True,
) -> Callable[[Path], Path]:
    """A SEG that highdicom writes on the slices of the series in ``ct``, which are ``shift_mm`` apart sideways."""

    def tilt(index: int, data: Dataset) -> None:
        place = [*w.affine()[:3, 3]]
        data.ImagePositionPatient = [place[0], place[1] + shift_mm * index, place[2] + w.SPACING[0] * index]

    def make(folder: Path) -> Path:
        if write_ct:
            w.series(folder / "ct", tilt if shift_mm else None)
        described = [
            hd.seg.SegmentDescription(number, label, STRUCTURE, code, "MANUAL")
            for number, (label, code) in enumerate(zip(names, codes, strict=True), start=1)
        ]
        made = hd.seg.Segmentation(
            [dcmread(path) for path in sorted((folder / "ct").iterdir())], array, "BINARY", described,
            hd.UID(), 9, hd.UID(), 1, "Other", "Other", "1", "1",
        )  # fmt: skip
        for group in (*made.SharedFunctionalGroupsSequence, *made.PerFrameFunctionalGroupsSequence):
            for measures in group.get("PixelMeasuresSequence") or []:
                for keyword, value in (("SpacingBetweenSlices", between), ("SliceThickness", thickness)):
                    if value is None and keyword in measures:
                        delattr(measures, keyword)
                    elif value is not None:
                        setattr(measures, keyword, value)
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        made.save_as(path)
        return path

    return make


def some(*slices: int) -> np.ndarray:
    array = np.zeros_like(MASK)
    array[list(slices)] = MASK[list(slices)]
    return array


def is_mask(expected: np.ndarray) -> Callable[[Any, Path], None]:
    def check(mask: Any, _: Path) -> None:
        np.testing.assert_array_equal(mask.array, expected)

    return check


def upright(mask: Any, folder: Path) -> None:
    """As many voxels as on the tilted slices, on the grid of the CT, within what nearest neighbors round."""
    scan = read_scan(folder.parent / "ct")
    assert mask.spatial_shape == scan.volume.spatial_shape
    np.testing.assert_array_equal(mask.affine, scan.volume.affine)
    assert abs(int((mask.array > 0).sum()) / int((MASK > 0).sum()) - 1) < 0.05


def in_folder(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    """The SEG beside a text file, in a folder of its own; the folder is handed over."""

    def wrapped(folder: Path) -> Path:
        path = make(folder)
        (path.parent / "note.txt").write_text("x")
        return path.parent

    return wrapped


def in_zip(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
    def wrapped(folder: Path) -> Path:
        path = make(folder)
        with zipfile.ZipFile(folder / "mask.zip", "w") as archive:
            archive.write(path, "a/b.dcm")
        return folder / "mask.zip"

    return wrapped


def several(folder: Path) -> Path:
    for name in ("masks/a.dcm", "masks/b.dcm"):
        foreign(name=name)(folder)
    return folder / "masks"


def contours(folder: Path) -> Path:
    w.series(folder / "ct")
    data = w.header(0)
    del data.PixelData, data.Rows, data.Columns
    data.SOPClassUID, data.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    data.StructureSetROISequence = w.item(ROINumber=1, ROIName="Leber")
    return w.save(data, folder / "rt.dcm")


SPARSE = {"one slice": (3,), "two slices": (1, 4), "every second slice": (0, 2, 4)}

CASES = [
    *[
        good(f"seg-sparse-{len(slices)}-{between}-{thickness}", GROUP, f"{what} of the CT; SpacingBetweenSlices {between}, "
             f"SliceThickness {thickness}", "read: each frame on the CT's slice", foreign(some(*slices), between=between,
             thickness=thickness), is_mask(some(*slices)))
        for what, slices in SPARSE.items() for between, thickness in ((None, 5.0), (None, None), (2.5, 5.0), (7.0, 2.0))
    ],
    odd("seg-tilted", GROUP, "on the slices of a tilted gantry", "placed on the tilted slices, then upright as the CT",
        "gantry tilt of 13.5 degrees",
        foreign(shift_mm=0.6), upright),
    good("seg-generic", GROUP, '"Segment 1" and "Segment 2" of type Tissue with `--label 1=liver 2=tumor`', "read",
         foreign(names=("Segment 1", "Segment 2"), codes=(TISSUE, TISSUE)), same_mask, labels={1: 1, 2: 2}),
    bad("seg-generic-asked", GROUP, "the same without", "refused; the segments are named",
        "map them, e.g. --label 1=liver 2=tumor", foreign(names=("Segment 1", "Segment 2"), codes=(TISSUE, TISSUE))),
    bad("seg-number", GROUP, "`--label` with a segment number that is not there", "refused", "--label = 3: no such segment",
        foreign(), labels={3: 1}),
    good("seg-code", GROUP, "codes of liver and mass, names that say nothing", "read",
         foreign(names=("A", "Liver without tumor"), codes=(LIVER, TUMOR)), same_mask),
    odd("seg-cyst", GROUP, '"Liver cyst" of type Tissue', "left out", "left out .* 2 'Liver cyst'",
        foreign(names=("Liver", "Liver cyst"), codes=(LIVER, TISSUE)), is_mask((MASK == 1).astype(np.uint8))),
    bad("seg-parenchyma", GROUP, '"Liver without tumor" of type Tissue', "refused: the user says what it is",
        "no segment is known to be the liver", foreign(names=("Liver without tumor", "Tumor"), codes=(TISSUE, TUMOR))),
    good("seg-folder", GROUP, "a folder with one SEG and other files", "read", in_folder(foreign(name="masks/a")), same_mask),
    odd("seg-study", GROUP, "a folder with the CT and one SEG", "", "1 image left out: Modality = 'SEG': not CT",
        in_folder(foreign(name="ct/seg.dcm")), same_mask),
    good("seg-zip", GROUP, "a zip with one SEG", "read", in_zip(foreign()), same_mask),
    bad("seg-several", GROUP, "a folder with two SEG", "refused", "are several segmentations", several),
    bad("seg-rtstruct", GROUP, "an RT Structure Set", "refused by name with its structures",
        r"RTSTRUCT: contours \(Leber\) are not supported", contours),
    bad("seg-ct", GROUP, "the CT itself as a mask", "refused", "there is no segmentation in it", lambda f: w.series(f / "ct")),
    good("seg", GROUP, "BINARY", "read", seg(), same_mask),
    good("seg-map", GROUP, "LABELMAP", "read", seg(labelmap=True), same_mask),
    odd("seg-frame", GROUP, "another FrameOfReferenceUID than the CT's", "used where it lies",
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
