"""What a SEG says about its slices is true whatever the CT said, and other readers get every voxel."""

from pathlib import Path

import highdicom as hd
import numpy as np
import pytest
from pydicom import Dataset, dcmread

import dicom_writer as w
import seg_cases
from rmaunet.core.errors import OutputError
from rmaunet.core.volume import make_volume
from rmaunet.io import read_mask
from rmaunet.io.dicom.read_dicom import read_dicom
from rmaunet.io.dicom_seg import write_seg as dicom_seg
from rmaunet.io.dicom_seg.write_seg import fill_grid, write_dicom_seg

MASK = np.zeros((w.DEPTH, w.ROWS, w.COLUMNS), np.uint8)
MASK[1:5, 3:12, 2:9] = 1
MASK[3, 4:6, 3:5] = 2


@pytest.mark.parametrize("labelmap", [False, True], ids=["binary", "labelmap"])
@pytest.mark.parametrize("told", [None, "2.5", "2.397", "2.45", "2.625", "2", "1.25", "5", "7.5", "-2.5", "0"])
def test_wrong_spacing_of_the_ct_is_not_repeated(told: str | None, labelmap: bool, tmp_path: Path) -> None:
    def tell(_: int, data: Dataset) -> None:
        if told is not None:
            data.SpacingBetweenSlices = told

    scan = read_dicom(w.series(tmp_path / "ct", tell))
    mask = make_volume(MASK, scan.volume.affine)
    path = tmp_path / "m.dcm"
    write_dicom_seg(mask, path, source=scan.source, labelmap=labelmap)
    measures = dcmread(path).SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert float(measures.SpacingBetweenSlices) == 2.5
    theirs = hd.seg.segread(path).get_volume(combine_segments=True, allow_missing_positions=True)
    assert theirs.spacing[0] == pytest.approx(2.5)
    np.testing.assert_array_equal(fill_grid(theirs, mask, path).array, MASK)


def test_tilted_slices_too(tmp_path: Path) -> None:
    def tilt(index: int, data: Dataset) -> None:
        place = (w.affine() @ [index, 0, 0, 1])[:3] + np.array([0, 0.6 * index, 0])
        data.ImagePositionPatient, data.SpacingBetweenSlices = place.tolist(), "2.571"

    scan = read_dicom(w.series(tmp_path / "ct", tilt))
    array = np.zeros(scan.volume.spatial_shape, np.uint8)
    array[1:4, 4:8, 3:6] = 1
    write_dicom_seg(make_volume(array, scan.volume.affine), tmp_path / "m.dcm", source=scan.source)
    theirs = hd.seg.segread(tmp_path / "m.dcm").get_volume(combine_segments=True, allow_missing_positions=True)
    np.testing.assert_array_equal(fill_grid(theirs, scan.volume, tmp_path).array, array)


@pytest.mark.parametrize("slices", [[3], [1, 4], [0, 1, 2, 3, 4, 5]])
def test_frames_jitter_with_the_slices_of_the_ct(slices: list[int], tmp_path: Path) -> None:
    """A CT is read on an even grid although its slices lie up to 1 % of their distance and 0.25 pixels beside it."""
    beside = np.array([[0, 0, 0], [0.1, 0, 0.02], [0, -0.1, -0.02], [0.1, 0.1, 0.01], [-0.1, 0, 0.02], [0, 0, 0]])

    def jitter(index: int, data: Dataset) -> None:
        data.ImagePositionPatient = ((w.affine() @ [index, 0, 0, 1])[:3] + beside[index]).round(6).tolist()

    scan = read_dicom(w.series(tmp_path / "ct", jitter))
    truth = np.zeros_like(MASK)
    truth[slices] = 1
    truth[slices, 3:6, 2:5] = 2
    path = seg_cases.foreign(truth, write_ct=False)(tmp_path)
    np.testing.assert_array_equal(read_mask(path, like=scan).array, truth)


def test_the_self_check_reads_with_highdicom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old defect, put back: our reader takes positions and sees nothing, highdicom refuses."""
    scan = read_dicom(w.series(tmp_path / "ct", lambda _, data: setattr(data, "SpacingBetweenSlices", "6")))
    monkeypatch.setattr(dicom_seg, "_true_spacing", lambda *_: None)
    with pytest.raises(OutputError, match="does not read back as written"):
        write_dicom_seg(make_volume(MASK, scan.volume.affine), tmp_path / "m.dcm", source=scan.source)
    assert not (tmp_path / "m.dcm").exists()
