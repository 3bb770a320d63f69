"""Any mask, written by any writer in any orientation, reads back equal by our reader and by theirs, or is refused."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import highdicom as hd
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.sr.coding import Code

import dicom_writer as w
from rmaunet.core.errors import InputError
from rmaunet.core.vocabulary import Named, assign
from rmaunet.core.volume import Volume, make_volume, same_grid
from rmaunet.io import GridSource, Scan, read_mask, read_scan, write_mask
from rmaunet.io.dicom_seg.write_seg import fill_grid
from rmaunet.io.masks.mask_reader import describe_mask

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
SIZES = st.tuples(*[st.integers(1, 6)] * 3)
SPACINGS = st.tuples(*[st.sampled_from((0.5, 0.7421875, 1.25, 2.4937, 5.0))] * 3)
ORDERS = st.sampled_from(list(itertools.permutations(range(3))))
FLIPS = st.tuples(*[st.booleans()] * 3)
ANGLES = st.sampled_from((0.0, 0.0, 0.2, -0.5))
STRUCTURE = Code("123037004", "SCT", "Anatomical Structure")
TISSUE, LIVER, MASS = (
    Code("85756007", "SCT", "Tissue"),
    Code("10200004", "SCT", "Liver"),
    Code("4147007", "SCT", "Mass"),
)


def grid(spacing: tuple[float, ...], angle: float) -> np.ndarray:
    """Indices (d, h, w) to LPS, turned about the long axis of the body."""
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]]) * spacing
    affine[:3, 3] = (-12.5, 30.25, -100)
    return affine


def labels(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array([0, 0, 1, 1, 2], np.uint8), shape)


def turned(volume: Volume, order: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same voxels with other axes."""
    array, affine = volume.array, np.array(volume.affine)
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, axis)
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
    return make_volume(array.transpose(order), affine[:, [*order, 3]])


def by_nibabel(mask: Volume, path: Path) -> None:
    affine = np.diag([-1.0, -1, 1, 1]) @ mask.affine[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(mask.array.transpose(2, 1, 0), affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nib.save(image, path)


def by_simpleitk(mask: Volume, path: Path) -> None:
    image = sitk.GetImageFromArray(np.ascontiguousarray(mask.array))
    unit = mask.affine[:3, [2, 1, 0]] / np.linalg.norm(mask.affine[:3, [2, 1, 0]], axis=0)
    image.SetSpacing([float(n) for n in mask.spacing[::-1]])
    image.SetOrigin(mask.affine[:3, 3].tolist())
    image.SetDirection(unit.ravel().tolist())
    sitk.WriteImage(image, str(path))


def by_us(mask: Volume, path: Path) -> None:
    write_mask(mask, path, like=Scan(mask, "m", GridSource(path)))


WRITERS = [(by_nibabel, "nii.gz"), (by_nibabel, "nii"), (by_simpleitk, "nrrd"), (by_simpleitk, "mha"),
           (by_simpleitk, "nii.gz"), (by_us, "nii.gz"), (by_us, "seg.nrrd")]  # fmt: skip


@FEW
@given(st.integers(0, 99), SIZES, SPACINGS, ANGLES, ORDERS, FLIPS, st.sampled_from(WRITERS))
def test_a_mask_in_any_orientation_reads_as_it_was(seed, shape, spacing, angle, order, flips, writer) -> None:
    ct = make_volume(labels(seed, shape), grid(spacing, angle))
    stored = turned(ct, order, flips)
    write, suffix = writer
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"m.{suffix}"
        write(stored, path)
        mask = read_mask(path, like=Scan(ct, "ct", GridSource(path)))
        np.testing.assert_array_equal(mask.array, ct.array)
        np.testing.assert_array_equal(mask.affine, ct.affine)
        if suffix != "mha":
            theirs = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
            np.testing.assert_array_equal(theirs, read_mask(path).array)


@FEW
@given(
    st.integers(0, 99),
    st.sampled_from(list(w.COSINES)),
    st.sets(st.integers(0, w.DEPTH - 1), min_size=1),
    st.sampled_from((None, 2.5, 5.0)),
    st.sampled_from((None, 2.5, 5.0)),
)
def test_a_foreign_seg_of_any_slices_lies_where_it_was_drawn(seed, name, slices, between, thickness) -> None:
    truth = np.zeros((w.DEPTH, w.ROWS, w.COLUMNS), np.uint8)
    truth[sorted(slices)] = labels(seed, truth.shape)[sorted(slices)]
    truth[sorted(slices), 0, 0] = 1  # a frame each
    with tempfile.TemporaryDirectory() as folder:
        scan, path = _foreign(Path(folder), name, truth, ("Liver", "Tumor"), (LIVER, MASS), between, thickness)
        np.testing.assert_array_equal(read_mask(path, like=scan).array, truth)
        try:
            alone = read_mask(path)
        except InputError as error:
            assert error.field == "SpacingBetweenSlices"  # noqa: PT017
            assert between is None
        else:
            assert np.count_nonzero(alone.array) == np.count_nonzero(truth)


def _foreign(folder, name, truth, names, codes, between=2.5, thickness=5.0) -> tuple[Scan, Path]:
    scan = read_scan(w.series(folder / "ct", cosines=w.COSINES[name]))
    described = [
        hd.seg.SegmentDescription(number, label, STRUCTURE, code, "MANUAL")
        for number, (label, code) in enumerate(zip(names, codes, strict=True), start=1)
    ]
    volume = Volume(array=truth, affine=scan.volume.affine, coordinate_system="PATIENT")
    sources = [dcmread(path) for path in sorted((folder / "ct").iterdir())]
    for source in sources:
        source.ImageOrientationPatient = [*(scan.volume.affine[:3, 2] / 0.5), *(scan.volume.affine[:3, 1] / 0.75)]
        source.ImageOrientationPatient = [f"{value:.8g}" for value in source.ImageOrientationPatient]
    made = hd.seg.Segmentation(
        sources, volume, "BINARY", described, hd.UID(), 9, hd.UID(), 1, "O", "O", "1", "1", omit_empty_frames=True
    )
    for group in made.SharedFunctionalGroupsSequence:
        for measures in group.get("PixelMeasuresSequence") or []:
            for keyword, value in (("SpacingBetweenSlices", between), ("SliceThickness", thickness)):
                if value is None and keyword in measures:
                    delattr(measures, keyword)
                elif value is not None:
                    setattr(measures, keyword, value)
    made.save_as(folder / "m.dcm")
    return scan, folder / "m.dcm"


@FEW
@given(
    st.integers(0, 99),
    st.sampled_from(list(w.COSINES)),
    st.sampled_from((None, "1.25", "2.5", "3", "5", "7.5")),
    st.sets(st.integers(0, w.DEPTH - 1)),
    st.booleans(),
)
def test_our_seg_reads_equal_by_highdicom_and_by_us(seed, name, told, slices, labelmap) -> None:
    def tell(_: int, data: Dataset) -> None:
        if told is not None:
            data.SpacingBetweenSlices = told

    truth = np.zeros((w.DEPTH, w.ROWS, w.COLUMNS), np.uint8)
    truth[sorted(slices)] = labels(seed, truth.shape)[sorted(slices)]
    with tempfile.TemporaryDirectory() as folder:
        scan = read_scan(w.series(Path(folder) / "ct", tell, cosines=w.COSINES[name]))
        path = Path(folder) / "m.dcm"
        write_mask(make_volume(truth, scan.volume.affine), path, like=scan, labelmap=labelmap)
        ours = read_mask(path, like=scan)
        theirs = hd.seg.segread(path).get_volume(combine_segments=True, allow_missing_positions=True)
        np.testing.assert_array_equal(ours.array, truth)
        np.testing.assert_array_equal(fill_grid(theirs, scan.volume, path).array, truth)
        assert same_grid(fill_grid(read_mask(path), scan.volume, path), scan.volume)


NAMES = st.sampled_from(
    ["Liver", "Leber", "tumor", "HCC", "liver_tumor", "peritumoral", "Liver without tumor", "spleen", "kidney tumor",
     "Segment_1", "lesion 2", "Liver cyst", "muscle mass", "healthy liver", "metastases"]
)  # fmt: skip


@FEW
@given(NAMES, NAMES, st.sampled_from([(TISSUE, TISSUE), (LIVER, MASS), (TISSUE, MASS)]))
def test_a_seg_means_what_the_vocabulary_says(one, other, codes) -> None:
    """The segments on disk are judged as the vocabulary judges them, and all of them are named."""
    from rmaunet.core.vocabulary import Code as Coded

    named = [
        Named(str(n), name, Coded(code.scheme_designator, code.value, code.meaning))
        for n, (name, code) in enumerate(zip((one, other), codes, strict=True), start=1)
    ]
    meant = assign(named)
    truth = labels(3, (w.DEPTH, w.ROWS, w.COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        scan, path = _foreign(Path(folder), "axial", truth, (one, other), codes)
        if meant.problem is not None:
            with pytest.raises(InputError, match=r"map them, e\.g\. --label") as caught:
                describe_mask(path, like=scan)
            assert caught.value.problem == meant.problem
            return
        reading = describe_mask(path, like=scan)
    expected = np.zeros_like(truth)
    for value, label in enumerate(meant.labels, start=1):
        expected[truth == value] = label or 0
    np.testing.assert_array_equal(reading.volume.array, expected)
    assert [use.segment for use in reading.uses] == [one_.shown for one_ in named]
