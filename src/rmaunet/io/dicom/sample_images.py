"""A tiny image in every transfer syntax, to see whether its decoder works here; and a DICOM source of a volume."""

from __future__ import annotations

import base64
import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import UID, CTImageStorage, generate_uid

from rmaunet.core.volume import Volume
from rmaunet.io.dicom.codecs import decode_jpeg, decode_rle
from rmaunet.io.scan import DicomSource

__all__ = ["decoder_faults", "dicom_source"]

# 8 x 8 pixels of 16 bits, (61 i) mod 4096; for JPEG of 8 bits, 100 everywhere.
_LOSSLESS = (
    "|JeV-01FTR2mlBH0TBTI!~hlm0RaI30000000000000001_==V+5iXv0RRC20MA~%diCqu(Dm!ruU@^q4_>``_3PWv_3PKKUcJ2!UcGwt>)X)v>({S"
    "dy}b`!y?XWQ+tBsv*RNi^|Je"
)
_LS = (
    "|JeWc01FTR2mlBH0TBTI_y7$7|Nj6I07C&306_oR00;pA00000qs)1aG2V5LG2iG%sPQ{amn(#N`WEYDs?lb$M~|Ii;NINY*qy#+wx*Vbc4X=Dva&I"
    ";Ft9FPBKq>`;@Z;T@vN+@EGw%m!2j6"
)
_2000 = (
    "|4;u>04V?f0000800008000000000000008000080000000000009pH0sm3}3;+NC0RRF71ONg5TmT9{fQX2Yh=`E?WB@7v0Yh?SVRU6=AYyqSM?^"
    "zSFHdk~Zc0!^M<8}(a&u{KZXhx)GcGXykN^q*00000KL7#$li&D|PzQlmT0$|L0>w|j55N)w`2+wB0{}k@J_01b1L_5UKQLe-7=U<x1Ab{JyLbQD"
)
_BASELINE = (
    "|JeWF01!$>Nk#wx0RR9200961|JwjV009930RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40RaI40sp`"
    "N3kU!R00;pA5di<h02BZL00000000000000000008|HJ?k5CH%H0000000000000000095m00;pA002J#55ND}"
)
_JPEG = {
    "50": ("JPEG baseline", _BASELINE), "51": ("JPEG extended", _BASELINE), "57": ("JPEG lossless", _LOSSLESS),
    "70": ("JPEG lossless, first order", _LOSSLESS), "80": ("JPEG-LS", _LS), "81": ("JPEG-LS near-lossless", _LS),
    "90": ("JPEG 2000 lossless", _2000), "91": ("JPEG 2000", _2000),
}  # fmt: skip


def decoder_faults() -> dict[str, str | None]:
    """Decode a sample of every compressed transfer syntax (the uncompressed ones need no decoder).

    Returns:
        Name of the syntax to None where the sample came out exactly, else to what went wrong.
    """
    image = (np.arange(64).reshape(8, 8) * 61 % 4096).astype(np.uint16)
    flat = np.full((8, 8), 100, np.uint16)
    result = {"RLE": _fault(image, None, b"")}
    for end, (name, coded) in _JPEG.items():
        expected = flat if coded is _BASELINE else image
        result[name] = _fault(expected, UID(f"1.2.840.10008.1.2.4.{end}"), base64.b85decode(coded))
    return result


def _fault(expected: NDArray[np.uint16], syntax: UID | None, coded: bytes) -> str | None:
    try:
        if syntax is None:
            found = decode_rle(_run_lengths(expected), 8, 8, 2)
        else:
            found = decode_jpeg(coded, 8, 8, 8 if int(expected.max()) < 256 else 16, syntax)
    except Exception as error:  # whatever a broken codec raises is the answer sought
        return f"{type(error).__name__}: {error}"[:200]
    return None if np.array_equal(found, expected) else "other pixels than were stored"


def _run_lengths(image: NDArray[np.uint16]) -> bytes:
    """DICOM RLE of literal runs."""
    planes = [(image >> 8).astype(np.uint8).tobytes(), (image & 255).astype(np.uint8).tobytes()]
    segments = [bytes([len(plane) - 1]) + plane for plane in planes]
    segments = [segment + bytes(len(segment) % 2) for segment in segments]
    offsets = np.zeros(16, "<u4")
    offsets[:3] = (2, 64, 64 + len(segments[0]))
    return offsets.tobytes() + b"".join(segments)


def dicom_source(volume: Volume) -> DicomSource:
    """Headers of a CT series that would hold a volume: what a DICOM SEG of it refers to, without a patient.

    Args:
        volume: Any orthogonal grid.

    Returns:
        One data set a slice, with new UIDs.
    """
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    affine = np.asarray(volume.affine, float)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    cosines = [*(affine[:3, 2] / spacing[2]), *(affine[:3, 1] / spacing[1])]
    today = datetime.datetime.now(tz=datetime.UTC)
    slices = []
    for index in range(volume.spatial_shape[0]):
        data = Dataset()
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = CTImageStorage, generate_uid(), "CT"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
        data.StudyDate, data.StudyTime = today.strftime("%Y%m%d"), today.strftime("%H%M%S")
        data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "", "", "", ""
        data.AccessionNumber, data.StudyID, data.ReferringPhysicianName = "", "", ""
        data.InstanceNumber, data.SeriesNumber, data.PositionReferenceIndicator = index + 1, 1, ""
        data.Rows, data.Columns = volume.spatial_shape[1:]
        data.PixelSpacing = [float(spacing[1]), float(spacing[2])]
        data.SliceThickness = float(spacing[0])
        data.ImageOrientationPatient = [f"{value:.10g}"[:16] for value in cosines]
        data.ImagePositionPatient = [f"{value:.10g}"[:16] for value in (affine @ [index, 0, 0, 1])[:3]]
        slices.append(data)
    return DicomSource(Path("volume"), tuple(slices), series)
