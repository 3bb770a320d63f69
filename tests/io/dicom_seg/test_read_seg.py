"""DICOM SEG: geometry, codes and voxels, read back by three readers that are not ours."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from pydicom import Dataset

import dicom_writer as w
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.labels import TUMOR
from rmaunet.core.notices import collect_notices
from rmaunet.core.volume import Volume, same_grid
from rmaunet.io.dicom.read_dicom import read_dicom
from rmaunet.io.dicom_seg.write_seg import fill_grid, read_dicom_seg, write_dicom_seg
from rmaunet.io.scan import GridSource, Scan


def labels() -> NDArray[np.uint8]:
    """Liver in slices 1 to 4, two tumors; nothing symmetric, nothing in the outer slices."""
    mask = np.zeros((w.DEPTH, w.ROWS, w.COLUMNS), np.uint8)
    mask[1:5, 3:12, 2:9] = 1
    mask[1, 3:5, 2:4] = 0
    mask[2:4, 4:6, 3:5] = 2
    mask[3, 9:11, 6:8] = 2
    return mask


def lesion_numbers() -> NDArray[np.int32]:
    lesions = np.zeros((w.DEPTH, w.ROWS, w.COLUMNS), np.int32)
    lesions[2:4, 4:6, 3:5] = 1
    lesions[3, 9:11, 6:8] = 2
    return lesions


def read(folder: Path, **options: object) -> Scan:
    return read_dicom(w.series(folder / "ct", **options))


def on(scan: Scan, array: NDArray[np.uint8]) -> Volume:
    return Volume(array=array, affine=scan.volume.affine, coordinate_system="PATIENT")


@pytest.mark.parametrize("labelmap", [False, True], ids=["binary", "labelmap"])
@pytest.mark.parametrize("name", w.COSINES)
def test_voxels_and_geometry_come_back(name: str, labelmap: bool, tmp_path: Path) -> None:
    scan = read(tmp_path, cosines=w.COSINES[name])
    assert np.abs(scan.volume.affine - w.affine(w.COSINES[name])).max() < 1e-5
    mask = on(scan, labels())
    path = tmp_path / "mask.dcm"
    write_dicom_seg(mask, path, source=scan.source, labelmap=labelmap)
    ours = fill_grid(read_dicom_seg(path), mask, path)
    assert np.array_equal(ours.array, mask.array)
    assert same_grid(ours, scan.volume, tolerance_mm=1e-3)
    theirs = hd.seg.segread(path).get_volume(combine_segments=True, allow_missing_positions=True)
    same = fill_grid(theirs, mask, path)
    assert np.array_equal(same.array, mask.array)


def per_segment_with_pydicom(path: Path) -> dict[int, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]]:
    """(position, pixels) of each frame by segment, through pydicom's own decoder."""
    seg = pydicom.dcmread(path)
    frames = seg.pixel_array
    result: dict[int, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {}
    for pixels, group in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        result.setdefault(number, []).append((position, pixels > 0))
    return result


@pytest.mark.parametrize("name", ["axial", "negated column", "sagittal", "oblique"])
def test_centroid_from_per_frame_geometry_is_the_masks(name: str, tmp_path: Path) -> None:
    scan = read(tmp_path, cosines=w.COSINES[name])
    path = tmp_path / "mask.dcm"
    write_dicom_seg(on(scan, labels()), path, source=scan.source)
    shared = pydicom.dcmread(path).SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    spacing = np.array(shared.PixelMeasuresSequence[0].PixelSpacing, float)
    for number, frames in per_segment_with_pydicom(path).items():
        points = [
            position + np.outer(r, cosines[3:] * spacing[0]) + np.outer(c, cosines[:3] * spacing[1])
            for position, pixels in frames
            for r, c in [np.nonzero(pixels)]
        ]
        where = np.argwhere(labels() == number)
        expected = (np.column_stack([where, np.ones(len(where))]) @ w.affine(w.COSINES[name]).T)[:, :3]
        found = np.vstack(points)
        assert len(found) == len(expected)
        assert np.abs(found.mean(0) - expected.mean(0)).max() < 1e-3


def test_voxels_through_pydicom(tmp_path: Path) -> None:
    scan = read(tmp_path)
    path = tmp_path / "mask.dcm"
    write_dicom_seg(on(scan, labels()), path, source=scan.source)
    rebuilt = np.zeros_like(labels())
    for number, frames in per_segment_with_pydicom(path).items():
        for position, pixels in frames:
            rebuilt[round((position[2] - w.ORIGIN[2]) / w.SPACING[0])][pixels] = number
    assert np.array_equal(rebuilt, labels())


def test_voxels_through_simpleitk(tmp_path: Path) -> None:
    """16 x 16: GDCM reads frames of one bit only where each fills whole bytes, as every real CT's does."""
    square = np.zeros((w.DEPTH, 16, 16), np.uint8)
    square[:, : w.ROWS, : w.COLUMNS] = labels()
    scan = read(tmp_path, mutate=lambda index, data: w.set_pixels(data, np.zeros((16, 16), np.int16)))
    path = tmp_path / "mask.dcm"
    write_dicom_seg(on(scan, square), path, source=scan.source)
    rebuilt = np.zeros_like(square)
    pixels = iter(sitk.GetArrayFromImage(sitk.ReadImage(path)) > 0)
    for number, frames in per_segment_with_pydicom(path).items():
        for position, _ in frames:
            rebuilt[round((position[2] - w.ORIGIN[2]) / w.SPACING[0])][next(pixels)] = number
    assert np.array_equal(rebuilt, square)


def test_segments_say_what_they_are(tmp_path: Path) -> None:
    scan = read(tmp_path)
    write_dicom_seg(on(scan, labels()), tmp_path / "m.dcm", source=scan.source)
    seg = hd.seg.segread(tmp_path / "m.dcm")
    liver, tumor = seg.SegmentSequence
    assert seg.SegmentationType == "BINARY"
    assert liver.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert liver.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "91723000"
    assert tumor.SegmentedPropertyTypeCodeSequence[0].CodeValue == "108369006"
    assert tumor.AnatomicRegionSequence[0].CodeValue == "10200004"
    assert "without tumor" in liver.SegmentLabel
    assert "outside the tumors" in liver.SegmentDescription
    algorithm = tumor.SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "rmaunet"
    assert seg.FrameOfReferenceUID == w.FRAME
    referenced = {item.ReferencedSOPInstanceUID for item in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert referenced <= {f"{w.UID}.1.1.{i + 1}" for i in range(w.DEPTH)}
    assert len(referenced) >= 4


def test_patient_and_study_are_the_sources(tmp_path: Path) -> None:
    def umlaut(index: int, data: Dataset) -> None:
        data.PatientName = "Müller^Jörg"
        data.PatientSex = "F"

    scan = read(tmp_path, mutate=umlaut)
    write_dicom_seg(on(scan, labels()), tmp_path / "m.dcm", source=scan.source)
    seg = pydicom.dcmread(tmp_path / "m.dcm")
    assert str(seg.PatientName) == "Müller^Jörg"
    assert (seg.PatientID, seg.PatientBirthDate, seg.StudyInstanceUID) == ("PID1", "19500607", f"{w.UID}.1")
    assert (seg.AccessionNumber, seg.StudyID, seg.StudyDate, seg.Modality) == ("ACC77", "S1", "20200102", "SEG")
    assert seg.SeriesInstanceUID != f"{w.UID}.1.1"


def test_each_lesion_is_a_tracked_segment(tmp_path: Path) -> None:
    scan = read(tmp_path)
    mask = on(scan, labels())
    write_dicom_seg(mask, tmp_path / "m.dcm", source=scan.source, lesions=lesion_numbers())
    seg = hd.seg.segread(tmp_path / "m.dcm")
    assert [item.SegmentLabel for item in seg.SegmentSequence] == [
        "Liver without tumor",
        "Liver tumor 1",
        "Liver tumor 2",
    ]
    assert len({item.TrackingUID for item in seg.SegmentSequence[1:]}) == 2
    assert seg.SegmentSequence[1].TrackingID == "lesion-1"
    back = fill_grid(seg.get_volume(combine_segments=True, allow_missing_positions=True), mask, tmp_path)
    assert np.array_equal(back.array, np.where(lesion_numbers() > 0, lesion_numbers() + 1, labels()))
    assert np.array_equal(fill_grid(read_dicom_seg(tmp_path / "m.dcm"), mask, tmp_path).array, labels())


@pytest.mark.parametrize("value", [0, 1, 2])
def test_an_empty_segment_or_mask(value: int, tmp_path: Path) -> None:
    scan = read(tmp_path)
    array = np.where(labels() == value, value, 0).astype(np.uint8)
    write_dicom_seg(on(scan, array), tmp_path / "m.dcm", source=scan.source)
    back = fill_grid(read_dicom_seg(tmp_path / "m.dcm"), scan.volume, tmp_path)
    assert np.array_equal(back.array, array)


def test_one_slice_and_an_enhanced_source(tmp_path: Path) -> None:
    scan = read_dicom(w.enhanced(tmp_path / "e.dcm"))
    write_dicom_seg(on(scan, labels()), tmp_path / "m.dcm", source=scan.source)
    assert np.array_equal(fill_grid(read_dicom_seg(tmp_path / "m.dcm"), scan.volume, tmp_path).array, labels())
    one = np.zeros_like(labels())
    one[3] = labels()[3]
    write_dicom_seg(on(scan, one), tmp_path / "m.dcm", source=scan.source)
    assert np.array_equal(fill_grid(read_dicom_seg(tmp_path / "m.dcm"), scan.volume, tmp_path).array, one)


@pytest.mark.parametrize("lesions", [False, True])
def test_dciodvfy_reports_no_error(lesions: bool, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")
    scan = read(tmp_path, cosines=w.COSINES["oblique"])
    numbers = lesion_numbers() if lesions else None
    write_dicom_seg(on(scan, labels()), tmp_path / "m.dcm", source=scan.source, lesions=numbers)
    done = subprocess.run(["dciodvfy", str(tmp_path / "m.dcm")], capture_output=True, text=True, check=False)
    assert "Segmentation" in done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("Error")] == []


def test_what_a_source_lacks_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    def drop(index: int, data: Dataset) -> None:
        if index == 3:
            del data.SOPInstanceUID

    scan = read(tmp_path, mutate=drop)
    path = tmp_path / "out" / "m.dcm"
    with pytest.raises(InputError, match=r"SOPInstanceUID: is missing in the slice of InstanceNumber 4"):
        write_dicom_seg(on(scan, labels()), path, source=scan.source)
    with pytest.raises(UsageError, match="needs a DICOM CT"):
        write_dicom_seg(on(scan, labels()), path, source=GridSource(path))
    with pytest.raises(UsageError, match="number exactly the tumor voxels"):
        write_dicom_seg(on(scan, labels()), path, source=scan.source, lesions=lesion_numbers() * 0)
    assert not path.exists()


def test_a_source_without_patient_tags_is_enough(tmp_path: Path) -> None:
    def drop(index: int, data: Dataset) -> None:
        for keyword in ("PatientName", "PatientID", "PatientSex", "StudyID", "StudyDate", "AccessionNumber"):
            delattr(data, keyword)

    scan = read(tmp_path, mutate=drop)
    write_dicom_seg(on(scan, labels()), tmp_path / "m.dcm", source=scan.source)
    assert np.array_equal(fill_grid(read_dicom_seg(tmp_path / "m.dcm"), scan.volume, tmp_path).array, labels())


def foreign(tmp_path: Path, kind: str, descriptions: list[tuple[str, tuple[str, str, str]]]) -> tuple[Scan, Path]:
    """A SEG as another program would write it: its own codes and labels, segments that overlap, tumor 2 apart."""
    scan = read(tmp_path)
    array = np.stack([labels() >= 1, lesion_numbers() == 1, lesion_numbers() == 2], axis=-1)
    pixels = array.astype(np.float32) * 0.9 if kind == "FRACTIONAL" else array.astype(np.uint8)
    if kind == "FRACTIONAL":
        pixels[0, 0, 0, 0] = 0.4  # below the threshold
    codes = [
        hd.seg.SegmentDescription(
            number,
            label,
            hd.sr.CodedConcept("123037004", "SCT", "Anatomical Structure"),
            hd.sr.CodedConcept(*code),
            hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, (label, code) in enumerate(descriptions, 1)
    ]
    seg = hd.seg.Segmentation(
        list(scan.source.datasets), pixels, kind, codes, hd.UID(), 1, hd.UID(), 1, "Other", "Other", "1", "1"
    )
    seg.save_as(tmp_path / "foreign.dcm")
    return scan, tmp_path / "foreign.dcm"


LIVER = ("Liver", ("10200004", "SCT", "Liver"))
LESION = ("Lesion 1", ("52988006", "SCT", "Lesion"))
BY_NAME = ("hepatic_tumor", ("85756007", "SCT", "Tissue"))


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
@pytest.mark.parametrize(
    "descriptions",
    [
        [LIVER, LESION, BY_NAME],
        [("liver", ("T-62000", "SRT", "Liver")), ("a", ("M-03000", "SRT", "Mass")), LESION],
        [("whole liver", ("85756007", "SCT", "Tissue")), ("HCC", ("85756007", "SCT", "Tissue")), BY_NAME],
    ],
    ids=["sct", "srt", "names"],
)
def test_segments_of_others_are_united(
    kind: str, descriptions: list[tuple[str, tuple[str, str, str]]], tmp_path: Path
) -> None:
    scan, path = foreign(tmp_path, kind, descriptions)
    with collect_notices() as said:
        back = read_dicom_seg(path)
    assert np.array_equal(fill_grid(back, scan.volume, path).array, labels())
    assert said == []


def test_other_segments_are_left_out_and_named(tmp_path: Path) -> None:
    others = [LIVER, ("Kidney tumor", ("108369006", "SCT", "Neoplasm")), ("liver_vessels", ("1", "SCT", "Vessel"))]
    scan, path = foreign(tmp_path, "BINARY", others)
    with collect_notices() as said:
        back = fill_grid(read_dicom_seg(path), scan.volume, path)
    assert np.array_equal(back.array, (labels() >= 1).astype(np.uint8))
    assert len(said) == 1
    assert "2 'Kidney tumor', 3 'liver_vessels'" in said[0]


def test_nothing_recognised_is_refused_with_the_list(tmp_path: Path) -> None:
    spleen = ("Spleen", ("78961009", "SCT", "Spleen"))
    _, path = foreign(tmp_path, "BINARY", [spleen, spleen, ("Liver segment 4", ("1", "99X", "Part"))])
    with pytest.raises(InputError, match=r"neither liver nor tumor among the segments 1 'Spleen', 2 'Spleen', 3 "):
        read_dicom_seg(path)


def test_a_gap_between_frames_is_background(tmp_path: Path) -> None:
    scan = read(tmp_path)
    array = labels()
    array[2:4] = 0
    write_dicom_seg(on(scan, array), tmp_path / "m.dcm", source=scan.source)
    back = read_dicom_seg(tmp_path / "m.dcm")
    assert back.spatial_shape[0] == 4
    assert np.array_equal(back.array, array[1:5])


def test_a_seg_cut_off_or_of_a_ct_is_refused(tmp_path: Path) -> None:
    scan = read(tmp_path)
    path = tmp_path / "m.dcm"
    write_dicom_seg(on(scan, labels()), path, source=scan.source)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="PixelData"):
        read_dicom_seg(path)
    with pytest.raises(InputError, match="is not one segmentation"):
        read_dicom_seg(tmp_path / "ct" / "IM0000.dcm")


def test_a_mask_elsewhere_is_not_filled(tmp_path: Path) -> None:
    scan = read(tmp_path)
    part = on(scan, labels())[1:4]
    assert fill_grid(part, scan.volume, tmp_path).array[1:4].tolist() == labels()[1:4].tolist()
    with pytest.raises(InputError, match="beyond"):
        fill_grid(scan.volume, part, tmp_path)
    moved = scan.volume.affine.copy()
    moved[:3, 3] += 0.1
    with pytest.raises(InputError, match="elsewhere"):
        fill_grid(Volume(array=part.array, affine=moved, coordinate_system="PATIENT"), scan.volume, tmp_path)


def test_tilted_source_gets_a_seg_on_the_upright_grid(tmp_path: Path) -> None:
    def tilt(index: int, data: Dataset) -> None:
        position = (w.affine() @ [index, 0, 0, 1])[:3] + np.array([0, 0.6 * index, 0])
        data.ImagePositionPatient = position.tolist()

    scan = read(tmp_path, mutate=tilt)
    array = np.zeros(scan.volume.spatial_shape, np.uint8)
    array[1:3, 4:8, 3:6] = TUMOR
    write_dicom_seg(on(scan, array), tmp_path / "m.dcm", source=scan.source)
    assert np.array_equal(fill_grid(read_dicom_seg(tmp_path / "m.dcm"), scan.volume, tmp_path).array, array)
