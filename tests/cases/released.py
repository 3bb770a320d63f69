"""The released weights with all their own settings, and in place of the network one whose answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from rmaunet.core.volume import Volume, make_volume
from rmaunet.io.dicom.sample_images import dicom_source
from rmaunet.predict import Predictor, load_weights
from rmaunet.predict.choose_runtime import Choice

LIVER_HU, TUMOR_HU, BODY_HU, AIR_HU = 110, 65, 20, -1000


class KnownNetwork:
    """Liver above 45 HU, and tumor there below 85 HU, from slices windowed to -40..160 HU."""

    name, precision, device = "known", "float32", "cpu"

    def __call__(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        hu = (slab[:, slab.shape[1] // 2] + 1) * 100 - 40
        liver = np.where(hu > 45, 0.95, 0.01)
        tumor = np.where((hu > 45) & (hu < 85), 0.95, 0.01)
        return np.stack([liver, tumor], axis=1).astype(np.float32)


@contextmanager
def known_network() -> Iterator[None]:
    """Inside the block every :class:`Predictor` of weights computes with :class:`KnownNetwork`."""
    with pytest.MonkeyPatch.context() as patch:
        choice = Choice(KnownNetwork(), "a test")
        patch.setattr("rmaunet.predict.predictor.choose_runtime", lambda *_, **__: choice)
        yield


def released(name: str) -> Predictor:
    """A predictor with the card's preprocessing, search, locator and postprocessing, and the known network."""
    with known_network():
        return Predictor(load_weights(name, at_once=False))


def scene(
    spacing_mm: tuple[float, float, float] = (3.0, 1.4, 1.2), turn: NDArray[np.float64] | None = None
) -> tuple[Volume, Volume]:
    """An axial CT in which liver and two tumors are found, and its labels.

    Nothing is symmetric; the liver's outline has a bay, and a vessel that is no liver runs through it (a hole to fill).

    Args:
        spacing_mm: (z, y, x).
        turn: Rotation of the patient, 3 x 3.
    """
    depth, rows, columns = 20, 72, 90
    z, y, x = np.ogrid[:depth, :rows, :columns]
    hu = np.full((depth, rows, columns), AIR_HU, np.int16)
    hu[np.broadcast_to(((y - 36) / 33) ** 2 + ((x - 46) / 42) ** 2 < 1, hu.shape)] = BODY_HU
    labels = np.zeros(hu.shape, np.uint8)
    labels[((z - 10) / 8) ** 2 + ((y - 33) / 20) ** 2 + ((x - 33) / 24) ** 2 < 1] = 1
    labels[3:8, 12:26, 30:34] = 0  # a bay
    labels[((z - 12) / 3.2) ** 2 + ((y - 38) / 6) ** 2 + ((x - 26) / 7) ** 2 < 1] = 2
    labels[((z - 7) / 2.2) ** 2 + ((y - 29) / 4) ** 2 + ((x - 44) / 5) ** 2 < 1] = 2
    hu[labels == 1], hu[labels == 2] = LIVER_HU, TUMOR_HU
    hu[9:11, 22:24, 24:26] = BODY_HU  # a hole, which the released settings fill
    texture = (z * 7 + y * 5 + x * 3) % 5 - 2
    hu[hu > AIR_HU] += np.broadcast_to(texture, hu.shape).astype(np.int16)[hu > AIR_HU]
    affine = np.eye(4)
    axes = np.array([[0, 0, 1.0], [0, 1, 0], [1, 0, 0]]).T * spacing_mm
    affine[:3, :3] = axes if turn is None else turn @ axes
    affine[:3, 3] = (-31.5, 57.25, -204)
    return make_volume(hu, affine), make_volume(labels, affine)


def write_series(folder: Path, ct: Volume) -> Path:
    """Write a CT as a DICOM series, one file a slice."""
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
