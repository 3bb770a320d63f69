"""Byte flips: a series reads, or is refused with our error; nothing else happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dicom_writer as w
from rmaunet.core.errors import InputError
from rmaunet.core.volume import Volume
from rmaunet.io.dicom.read_dicom import read_dicom
from rmaunet.io.dicom_seg.write_seg import read_dicom_seg, write_dicom_seg


@pytest.mark.parametrize("syntax", [None, "rle", "jpeg-ls", "jpeg-2000", "jpeg-lossless"])
def test_flips_in_a_series(syntax: str | None, tmp_path: Path) -> None:
    folder = w.series(tmp_path / "ct", syntax=syntax)
    path = folder / "IM0002.dcm"
    whole = path.read_bytes()
    rng = np.random.default_rng(7)
    read, said = 0, list[str]()
    for _ in range(60):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        try:
            volume = read_dicom(folder).volume
        except InputError as error:
            said.append(str(error))
            continue
        read += 1
        others = [0, 1, 3, 4, 5]
        assert volume.array.shape[1:] == (w.ROWS, w.COLUMNS)
        if volume.array.shape[0] == w.DEPTH:
            assert np.array_equal(volume.array[others], w.hu()[others])
    assert read > 5
    assert not any("DOE" in line or "PID" in line for line in said)


def test_flips_in_a_seg(tmp_path: Path) -> None:
    scan = read_dicom(w.series(tmp_path / "ct"))
    array = (w.stored() > 1000).astype(np.uint8) * 2
    path = tmp_path / "m.dcm"
    write_dicom_seg(
        Volume(array=array, affine=scan.volume.affine, coordinate_system="PATIENT"), path, source=scan.source
    )
    whole = path.read_bytes()
    rng = np.random.default_rng(8)
    for _ in range(100):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(data)
        try:
            mask = read_dicom_seg(path)
        except InputError:
            continue
        assert set(np.unique(mask.array)) <= {0, 1, 2}
