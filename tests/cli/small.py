"""A small CT with a liver and a tumor that the known network finds, as NIfTI and as DICOM."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from rmaunet.io import Scan, write_mask, write_volume
from rmaunet.io.dicom_samples import dicom_source
from rmaunet.io.scan import GridSource
from rmaunet.volume import Volume

sys.path.insert(0, str(Path(__file__).parents[1] / "segment"))
from released import known_network, scene

CT, TRUTH = scene((3.0, 1.5, 1.5))
__all__ = ["CT", "TRUTH", "known_network", "write_ct", "write_dicom", "write_labels"]


def write_ct(path: Path, plus: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(CT.with_array((CT.array + plus).astype(np.int16)), path)
    return path


def write_labels(path: Path, mask: Volume = TRUTH) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mask(mask, path, like=Scan(CT, "ct", GridSource(path)))
    return path


def write_dicom(folder: Path, ct: Volume = CT) -> Path:
    folder.mkdir(parents=True)
    for index, data in enumerate(dicom_source(ct).datasets):
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.RescaleSlope, data.RescaleIntercept = "1", "0"
        data.PixelData = np.ascontiguousarray(ct.array[index]).tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"{index:03d}.dcm", enforce_file_format=True)
    return folder
