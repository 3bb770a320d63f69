"""--labelmap and --lesions reach the DICOM SEG, and are said to do nothing elsewhere."""

from pathlib import Path

import highdicom as hd
import numpy as np
import pytest

import dicom_writer as w
from rmaunet.cli.main import main
from rmaunet.core.volume import make_volume
from rmaunet.io import read_mask, read_scan, write_mask


@pytest.fixture
def world(tmp_path: Path) -> tuple[Path, Path, np.ndarray]:
    """A series, a NIfTI mask on it with two tumors, and the mask."""
    series = w.series(tmp_path / "ct")
    scan = read_scan(series)
    array = np.zeros(scan.volume.spatial_shape, np.uint8)
    array[1:5, 3:12, 2:9] = 1
    array[2:4, 4:7, 3:6] = 2
    array[3, 9:11, 6:8] = 2
    write_mask(make_volume(array, scan.volume.affine), tmp_path / "m.nii.gz", like=scan)
    return series, tmp_path / "m.nii.gz", array


@pytest.mark.parametrize("flags", [(), ("--labelmap",), ("--lesions",), ("--labelmap", "--lesions")])
def test_convert(flags: tuple[str, ...], world: tuple[Path, Path, np.ndarray], tmp_path: Path) -> None:
    series, mask, array = world
    out = tmp_path / "m.seg.dcm"
    assert main(["convert", "-i", str(mask), "-o", str(out), "--like", str(series), *flags]) == 0
    seg = hd.seg.segread(out)
    assert seg.SegmentationType == ("LABELMAP" if "--labelmap" in flags else "BINARY")
    labels = [item.SegmentLabel for item in seg.SegmentSequence if item.SegmentNumber > 0]
    apart = ["Liver without tumor", "Liver tumor 1", "Liver tumor 2"]
    assert labels == (apart if "--lesions" in flags else ["Liver without tumor", "Liver tumor"])
    if "--lesions" in flags:
        tracked = [item for item in seg.SegmentSequence if item.SegmentNumber > 1]
        assert len({item.TrackingUID for item in tracked}) == 2
    assert np.array_equal(read_mask(out, like=read_scan(series)).array, array)


@pytest.mark.parametrize("flag", ["--labelmap", "--lesions"])
def test_a_flag_without_effect_is_said(
    flag: str, world: tuple[Path, Path, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series, mask, _ = world
    out = tmp_path / "m.seg.nrrd"
    assert main(["convert", "-i", str(mask), "-o", str(out), "--like", str(series), flag]) == 0
    assert "have no effect but on a DICOM SEG" in capsys.readouterr().err
    assert main(["segment", "-i", str(series), "-o", str(tmp_path / "o"), flag, "--no-overlay"]) == 0
    said = capsys.readouterr().err
    assert "have no effect without --format dicom-seg" in said


def test_a_thousand_specks_are_a_thousand_segments(tmp_path: Path) -> None:
    """More lesions than fit into eight bits."""
    series = w.series(tmp_path / "ct", mutate=lambda i, d: w.set_pixels(d, np.zeros((40, 40), np.int16)))
    scan = read_scan(series)
    array = np.zeros(scan.volume.spatial_shape, np.uint8)
    array[::2, ::2, ::2] = 2
    write_mask(make_volume(array, scan.volume.affine), tmp_path / "m.nii.gz", like=scan)
    out = tmp_path / "m.seg.dcm"
    words = ["convert", "-i", str(tmp_path / "m.nii.gz"), "-o", str(out), "--like", str(series), "--lesions"]
    assert main([*words, "--labelmap"]) == 0
    assert len(hd.seg.segread(out).SegmentSequence) >= 1201
    assert np.array_equal(read_mask(out, like=scan).array, array)
