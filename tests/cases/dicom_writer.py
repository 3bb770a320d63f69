"""Writes small synthetic CT series."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

DEPTH, ROWS, COLUMNS = 6, 14, 11
SPACING = (2.5, 0.75, 0.5)
ORIGIN = np.array([-40.0, -30.0, 100.0])
AXIAL = (1.0, 0, 0, 0, 1.0, 0)
UID = "1.2.826.0.1.3680043.8.498.1"
FRAME = UID + ".9"
PATIENT = "DOE^JANE"
Mutate = Callable[[int, Dataset], None]


def stored() -> NDArray[np.int16]:
    """Stored values (slope 1, intercept -1024), every slice another."""
    rng = np.random.default_rng(5)
    return rng.integers(24, 2000, (DEPTH, ROWS, COLUMNS)).astype(np.int16)


def hu() -> NDArray[np.int16]:
    """What reading the standard series must give."""
    return (stored() - 1024).astype(np.int16)


def affine(cosines: tuple[float, ...] = AXIAL, origin: NDArray[np.float64] = ORIGIN) -> NDArray[np.float64]:
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
    result = np.eye(4)
    result[:3] = np.column_stack([np.cross(row, column) * SPACING[0], column * SPACING[1], row * SPACING[2], origin])
    return result


def header(index: int, cosines: tuple[float, ...] = AXIAL, series: int = 1, patient: int = 1) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SpecificCharacterSet = "ISO_IR 100"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = f"{UID}.{patient}.{series}.{index + 1}"
    data.StudyDate, data.StudyTime, data.AccessionNumber, data.StudyID = "20200102", "101112", "ACC77", "S1"
    data.Modality, data.Manufacturer, data.ReferringPhysicianName = "CT", "Phantom", ""
    data.SeriesDescription = "Abdomen portal venous"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = PATIENT, f"PID{patient}", "19500607", "F"
    data.SliceThickness = "5"
    data.StudyInstanceUID = f"{UID}.{patient}"
    data.SeriesInstanceUID = f"{UID}.{patient}.{series}"
    data.SeriesNumber, data.AcquisitionNumber, data.InstanceNumber = series, 1, index + 1
    matrix = affine(cosines)
    data.ImagePositionPatient = [f"{v:.10g}" for v in (matrix @ [index, 0, 0, 1])[:3]]
    data.ImageOrientationPatient = [f"{v:.10g}" for v in cosines]
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = FRAME, ""
    data.PixelSpacing = [SPACING[1], SPACING[2]]
    data.RescaleIntercept, data.RescaleSlope = "-1024", "1"
    set_pixels(data, stored()[index])
    return data


def set_pixels(data: Dataset, array: NDArray[np.generic], bits_stored: int | None = None) -> None:
    bits = 8 * array.dtype.itemsize
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = array.shape[-2:]
    data.BitsAllocated, data.BitsStored = bits, bits_stored or bits
    data.HighBit, data.PixelRepresentation = (bits_stored or bits) - 1, int(array.dtype.kind == "i")
    data.PixelData = array.tobytes() + b"\0" * (array.nbytes % 2)
    data["PixelData"].VR = "OW" if bits > 8 else "OB"


def save(data: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data.file_meta.MediaStorageSOPClassUID = data.get("SOPClassUID", CTImageStorage)
    data.file_meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", "1.2.3")
    data.save_as(path, enforce_file_format=True)
    return path


def series(
    folder: Path,
    mutate: Mutate | None = None,
    *,
    skip: tuple[int, ...] = (),
    name: str = "IM{:04d}.dcm",
    syntax: str | None = None,
    cosines: tuple[float, ...] = AXIAL,
    number: int = 1,
    patient: int = 1,
) -> Path:
    """Write the standard series, each slice changed by ``mutate``, and return its folder."""
    for index in range(DEPTH):
        if index in skip:
            continue
        data = header(index, cosines, number, patient)
        if mutate is not None:
            mutate(index, data)
        if syntax is not None:
            compress(data, syntax)
        save(data, folder / name.format(index))
    return folder


def codestream(array: NDArray[np.generic], how: str) -> tuple[bytes, str]:
    """A frame compressed by GDCM ("JPEG" is lossless, or "JPEG2000"), and its transfer syntax."""
    with tempfile.TemporaryDirectory() as folder:
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetUseCompression(True)
        writer.SetCompressor(how)
        writer.SetFileName(folder + "/a.dcm")
        writer.Execute(sitk.GetImageFromArray(array[None]))
        data = dcmread(folder + "/a.dcm")
    return next(generate_frames(data.PixelData, number_of_frames=1)), str(data.file_meta.TransferSyntaxUID)


def compress(data: Dataset, syntax: str) -> None:
    """Put one of the transfer syntaxes in clinical use on a data set."""
    if syntax in ("rle", "jpeg-ls"):
        data.compress(RLELossless if syntax == "rle" else JPEGLSLossless, generate_instance_uid=False)
    elif syntax in ("jpeg-lossless", "jpeg-2000"):
        array = np.frombuffer(data.PixelData, "i2" if data.PixelRepresentation else "u2").reshape(data.Rows, -1)
        coded, uid = codestream(array, "JPEG" if syntax == "jpeg-lossless" else "JPEG2000")
        data.PixelData = encapsulate([coded])
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = uid
    elif syntax == "deflated":
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    elif syntax == "implicit":
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    elif syntax == "big-endian":
        data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        data.PixelData = np.frombuffer(data.PixelData, "u2").byteswap().tobytes()
        data["PixelData"].VR = "OW"
    else:
        raise ValueError(syntax)


def item(**values: object) -> Sequence:
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return Sequence([data])


def enhanced(path: Path, *, uneven: bool = False, syntax: str | None = None, reverse: bool = True) -> Path:
    """The standard series as one Enhanced CT, frames stored head to foot, a slope of its own for each frame."""
    data = header(0)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(data, keyword)
    del data.RescaleSlope, data.RescaleIntercept
    data.SOPClassUID, data.NumberOfFrames = EnhancedCTImageStorage, DEPTH
    order = list(range(DEPTH))[:: -1 if reverse else 1]
    shared = Dataset()
    shared.PixelMeasuresSequence = item(PixelSpacing=[SPACING[1], SPACING[2]], SliceThickness="5")
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=list(AXIAL))
    shared.PixelValueTransformationSequence = item(RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU")
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    frames = []
    for place, index in enumerate(order):
        position = (affine() @ [index, 0, 0, 1])[:3] + (1.0 if uneven and index == 2 else 0) * np.array([0, 0, 1])
        frame = Dataset()
        frame.PlanePositionSequence = item(ImagePositionPatient=position.tolist())
        frame.FrameContentSequence = item(DimensionIndexValues=[place + 1])
        frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = Sequence(frames)
    pixels = stored()[order]
    set_pixels(data, pixels)
    data.NumberOfFrames = DEPTH
    if syntax == "jpeg-2000":
        coded = [codestream(frame, "JPEG2000")[0] for frame in pixels]
        data.PixelData = encapsulate(coded)
        data["PixelData"].VR = "OB"
        data["PixelData"].is_undefined_length = True
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.90"
    elif syntax is not None:
        compress(data, syntax)
    return save(data, path)


TWENTY = (float(np.cos(0.349)), float(np.sin(0.349)), 0.0, 0.0, 0.0, -1.0)
COSINES = {
    "axial": AXIAL,
    "negated row": (-1.0, 0, 0, 0, 1.0, 0),
    "negated column": (1.0, 0, 0, 0, -1.0, 0),
    "both negated": (-1.0, 0, 0, 0, -1.0, 0),
    "sagittal": (0, 1.0, 0, 0, 0, -1.0),
    "coronal": (1.0, 0, 0, 0, 0, -1.0),
    "oblique": TWENTY,
    "double oblique": (0.9063078, 0.4226183, 0.0, -0.2113091, 0.4531539, 0.8660254),
    "cosines of length 1.0004": (1.0004, 0, 0, 0, 1.0004, 0),
}
