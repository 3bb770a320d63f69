"""Rarer DICOM faults and oddities, in the manner of dicom_cases."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom import Dataset
from pydicom.uid import JPEGLSNearLossless

import dicom_writer as w
from dicom_cases import (
    ARCHIVES,
    FILES,
    GEOMETRY,
    PIXELS,
    case,
    changed,
    dicomdir,
    plain,
    position,
    put,
    raw_text,
    zipped,
)

PADDED = np.where(np.arange(w.COLUMNS) < 1, -1024, w.hu())
EXPECTED = {
    "padding": (PADDED, 0),
    "eight-bits": (w.stored() // 8 * 8 - 1024, 0),
    "jpeg-ls-near": (w.hu(), 2),
    "no-air": (w.stored(), 0),
    "all-low": (np.maximum(w.stored() - 3000, -1024), 0),
}
"""HU that differ from the standard series', and by how much at most."""

COSINES = {
    "sagittal": (0, 1.0, 0, 0, 0, -1.0),
    "coronal": (1.0, 0, 0, 0, 0, -1.0),
    "negated-row": (-1.0, 0, 0, 0, 1.0, 0),
    "negated-column": (1.0, 0, 0, 0, -1.0, 0),
    "oblique": w.TWENTY,
}
"""Row and column directions of series that do not lie axially."""


def twelve_bits(index: int, data: Dataset) -> None:
    """Signed HU in 12 of 16 bits, other bits above them."""
    w.set_pixels(data, (w.hu()[index].astype(np.int32) & 0xFFF | 0x7000).astype(np.uint16), 12)
    data.PixelRepresentation, data.RescaleIntercept = 1, "0"


def high_bit(index: int, data: Dataset) -> None:
    w.set_pixels(data, w.stored()[index].astype(np.uint16) << 4, 12)
    data.HighBit = 15


def wide(kind: str, divisor: int = 1) -> w.Mutate:
    def mutate(index: int, data: Dataset) -> None:
        w.set_pixels(data, (w.stored()[index] // divisor).astype(kind))
        data.RescaleSlope = str(divisor)

    return mutate


def near(index: int, data: Dataset) -> None:
    data.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)


def floating(index: int, data: Dataset) -> None:
    del data.PixelData
    data.FloatPixelData, data.BitsAllocated = w.stored()[index].astype("f4").tobytes(), 32


def inverted(index: int, data: Dataset) -> None:
    w.set_pixels(data, (1000 - w.hu()[index]).astype(np.int16))
    data.RescaleSlope, data.RescaleIntercept = "-1", "1000"


def table(index: int, data: Dataset) -> None:
    data.ModalityLUTSequence = w.item(LUTDescriptor=[1, 0, 16], ModalityLUTType="HU", LUTData=[0])


def imager(index: int, data: Dataset) -> None:
    data.ImagerPixelSpacing = data.PixelSpacing
    del data.PixelSpacing


def japanese(index: int, data: Dataset) -> None:
    data.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    data.SeriesDescription = "腹部"


def private(index: int, data: Dataset) -> None:
    data.private_block(0x29, "X", create=True).add_new(1, "OB", bytes(5000))


def beside(*kinds: tuple[str, str]) -> Callable[[Path], Path]:
    """The series and other objects of its study: (Modality, end of the SOP class)."""

    def write(root: Path) -> Path:
        folder = w.series(root / "ct")
        for index, (modality, end) in enumerate(kinds):
            data = w.header(index)
            data.SOPClassUID, data.Modality = f"1.2.840.10008.5.1.4.1.1.{end}", modality
            data.SeriesInstanceUID, data.SOPInstanceUID = f"{w.UID}.77.{index}", f"{w.UID}.78.{index}"
            if modality not in ("SEG", "PT"):
                del data.PixelData, data.Rows, data.Columns
            w.save(data, folder / f"other{index}")
        return folder

    return write


def mixed(root: Path) -> Path:
    folder = w.series(root / "ct")
    for index, syntax in ((1, "rle"), (3, "jpeg-2000"), (5, "implicit")):
        data = w.header(index)
        w.compress(data, syntax)
        w.save(data, folder / f"IM{index:04d}.dcm")
    return folder


def no_meta(root: Path) -> Path:
    folder = w.series(root / "ct")
    for path in folder.iterdir():
        data = path.read_bytes()
        path.write_bytes(bytes(128) + b"DICM" + data[144 + int.from_bytes(data[140:144], "little") :])
    return folder


def unknown_charset(root: Path) -> Path:
    folder = w.series(root / "ct")
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 999"))
    return folder


def strange_files(root: Path) -> Path:
    folder = w.series(root / "ct")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    return folder


def links(root: Path) -> Path:
    (root / "ct").mkdir()
    for path in w.series(root / "real").iterdir():
        (root / "ct" / path.name).symlink_to(path)
    return root / "ct"


def with_file(name: str, make: Callable[[Path], object]) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        folder = w.series(root / "ct")
        make(folder / name)
        return folder

    return write


def enhanced(change: Callable[[Dataset], None]) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        data = pydicom.dcmread(w.enhanced(root / "e.dcm"))
        change(data)
        data.save_as(root / "e.dcm")
        return root / "e.dcm"

    return write


def frames_scaled(data: Dataset) -> None:
    """Each frame with an intercept of its own."""
    del data.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence
    pixels = data.pixel_array + np.arange(w.DEPTH, dtype=np.int16)[:, None, None]
    for index, frame in enumerate(data.PerFrameFunctionalGroupsSequence):
        frame.PixelValueTransformationSequence = w.item(
            RescaleSlope="1", RescaleIntercept=str(-1024 - index), RescaleType="HU"
        )
    data.PixelData = pixels.tobytes()


def twice(root: Path) -> Path:
    w.enhanced(root / "ct" / "a.dcm")
    shutil.copy(root / "ct" / "a.dcm", root / "ct" / "b.dcm")
    return root / "ct"


def encrypted(root: Path) -> Path:
    path = zipped(root)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    return path


def zip_in_zip(root: Path) -> Path:
    with zipfile.ZipFile(root / "outer.zip", "w") as archive:
        archive.write(zipped(root), "inner.zip")
    return root / "outer.zip"


def folders(archive: zipfile.ZipFile) -> None:
    archive.writestr("study/deeper/", "")
    archive.writestr("study/deeper/readme.txt", "x")
    archive.writestr("__MACOSX/._IM0000.dcm", "x")


def member_twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("STUDY", "x")
    archive.writestr("STUDY/IM0000.dcm", "x")


def no_slices(root: Path) -> Path:
    path = dicomdir(root)
    shutil.rmtree(path.parent / "DICOM")
    return path


def twin_uids(index: int, data: Dataset) -> None:
    data.SOPInstanceUID = f"{w.UID}.5"


CASES = [
    *(case(name, GEOMETRY, words, "handled", "", plain(cosines=COSINES[name]))
      for name, words in (("sagittal", "sagittal slices"), ("coronal", "coronal slices"),
                          ("negated-row", "rows that run from left to right"),
                          ("negated-column", "columns that run from back to front"),
                          ("oblique", "slices oblique by 20 degrees"))),
    case("twelve-bits", PIXELS, "signed values in 12 of 16 bits, other bits above", "handled", "", changed(twelve_bits)),
    case("high-bit", PIXELS, "HighBit 15 with BitsStored 12", "handled", "", changed(high_bit)),
    case("no-high-bit", PIXELS, "no HighBit", "handled", "", changed(put(HighBit=None))),
    case("bits-32", PIXELS, "32 bits a voxel", "handled", "", changed(wide("i4"))),
    case("eight-bits", PIXELS, "8 bits a voxel, slope 8", "handled", "", changed(wide("u1", 8))),
    *(case(f"{k}-{v}", PIXELS, f"{k} {v}", "refused", k, changed(put(**{k: v})))
      for k, v in (("HighBit", 20), ("BitsStored", 0), ("BitsStored", None), ("BitsAllocated", 12), ("Rows", 0),
                   ("Rows", None), ("Columns", 65535), ("PhotometricInterpretation", "PALETTE COLOR"),
                   ("PhotometricInterpretation", None), ("NumberOfFrames", 0), ("RescaleSlope", ["1", "2"]))),
    case("NumberOfFrames-2", PIXELS, "NumberOfFrames 2 in a slice", "refused", "describes 0 frames",
         changed(put(NumberOfFrames=2))),
    case("few-rows", PIXELS, "Rows too small in every slice", "refused", "PixelData", changed(put(Rows=w.ROWS - 1))),
    case("slope-nan", PIXELS, "RescaleSlope NaN", "refused", "finite", changed(raw_text("RescaleSlope", b"nan"),
         syntax="implicit")),
    case("jpeg-ls-near", PIXELS, "near-lossless JPEG-LS", "warned", "compressed with loss", changed(near)),
    case("float-pixels", PIXELS, "FloatPixelData", "refused", "not whole numbers", changed(floating)),
    case("negative-slope", PIXELS, "a negative RescaleSlope", "warned", "is negative", changed(inverted)),
    case("no-air", PIXELS, "no value below 0 HU", "warned", "not HU", changed(put(RescaleIntercept="0"))),
    case("all-low", PIXELS, "most values below -1024", "warned", "intercept may be wrong",
         changed(put(RescaleIntercept="-3000"))),
    case("rescale-type", PIXELS, "RescaleType OD", "warned", "not HU?", changed(put(RescaleType="OD"))),
    case("lut", PIXELS, "a ModalityLUTSequence", "refused", "ModalityLUTSequence", changed(table)),
    case("no-pixels", PIXELS, "no PixelData in one slice", "refused", "PixelData", changed(put(3, PixelData=None))),
    case("mixed", PIXELS, "slices of several transfer syntaxes", "handled", "", mixed),
    case("no-meta", FILES, "files without meta information", "handled", "", no_meta),
    case("pet", FILES, "PET instead of CT", "refused", "Modality = 'PT': not CT",
         changed(put(Modality="PT", SOPClassUID="1.2.840.10008.5.1.4.1.1.128"))),
    case("pet-beside", FILES, "PET beside the CT", "warned", "'PT': not CT", beside(("PT", "128"))),
    case("seg-beside", FILES, "a DICOM SEG beside the CT", "warned", "'SEG': not CT", beside(("SEG", "66.4"))),
    case("reports-beside", FILES, "RT structures, reports, PDF and presentation states beside the CT", "handled", "",
         beside(("RTSTRUCT", "481.3"), ("SR", "88.33"), ("DOC", "104.1"), ("PR", "11.1"))),
    case("japanese", FILES, "text in ISO 2022", "handled", "", changed(japanese)),
    case("bogus-charset", FILES, "an unknown character set", "handled", "", unknown_charset),
    case("private", FILES, "private tags", "handled", "", changed(private)),
    case("one-frame", FILES, "NumberOfFrames 1 in every slice", "handled", "", changed(put(NumberOfFrames=1))),
    case("links", FILES, "links to slices", "handled", "", links),
    case("strange-files", FILES, "a pipe and looping links beside the slices", "warned", "leading nowhere", strange_files),
    case("empty-slice", FILES, "an empty file named like the slices", "warned", "no DICOM",
         with_file("IM0009.dcm", lambda path: path.write_bytes(b""))),
    case("lost-link", FILES, "a dangling link named like the slices", "warned", "leading nowhere",
         with_file("IM0009.dcm", lambda path: path.symlink_to("nowhere"))),
    case("twin-uids", FILES, "one SOPInstanceUID for all slices", "warned", "one SOPInstanceUID", changed(twin_uids)),
    case("other-uid", FILES, "a slice without SeriesInstanceUID", "refused", "--series",
         changed(put(3, SeriesInstanceUID=None))),
    case("other-study", FILES, "two studies under one SeriesInstanceUID", "refused", "StudyInstanceUID",
         changed(put(3, StudyInstanceUID="1.2.3"))),
    case("other-modality", FILES, "one slice of another modality", "refused", "1 missing",
         changed(put(3, Modality="MR"))),
    case("enhanced-scaled", FILES, "an Enhanced CT, each frame with its own intercept", "handled", "",
         enhanced(frames_scaled)),
    case("enhanced-no-slope", FILES, "an Enhanced CT without rescaling", "refused", "frame 1: RescaleSlope", enhanced(
         lambda d: delattr(d.SharedFunctionalGroupsSequence[0], "PixelValueTransformationSequence"))),
    case("enhanced-no-position", FILES, "an Enhanced CT frame without position", "refused", "frame 3: ImagePosition",
         enhanced(lambda d: delattr(d.PerFrameFunctionalGroupsSequence[2], "PlanePositionSequence"))),
    case("enhanced-count", FILES, "an Enhanced CT that miscounts its frames", "refused", "describes 6 frames",
         enhanced(lambda d: setattr(d, "NumberOfFrames", 5))),
    case("enhanced-twice", FILES, "an Enhanced CT and its copy", "warned", "6 duplicate slices", twice),
    case("other-frame", GEOMETRY, "one slice of another frame of reference", "refused",
         "IM0003.dcm: FrameOfReferenceUID", changed(put(3, FrameOfReferenceUID="1.2.3"))),
    case("gap-2", GEOMETRY, "two slices missing", "refused", "2 missing between z = 102.50 and z = 110.00",
         plain(skip=(2, 3))),
    case("far", GEOMETRY, "one slice far from the others", "refused", "missing between", changed(position(5, z=50))),
    case("jitter-2", GEOMETRY, "positions that jitter by 2 % of the spacing", "refused", "unevenly spaced",
         changed(lambda i, d: position(i, z=0.05 * (-1) ** i)(i, d))),
    case("one-place", GEOMETRY, "every slice at one position", "refused", "different pixels",
         changed(put(ImagePositionPatient=[0, 0, 0]))),
    case("position-empty", GEOMETRY, "an empty ImagePositionPatient", "refused", "is empty",
         changed(put(3, ImagePositionPatient=""))),
    case("position-two", GEOMETRY, "a position of two numbers", "refused", "3 finite numbers",
         changed(put(3, ImagePositionPatient=[1, 2]))),
    case("position-nan", GEOMETRY, "NaN in a position", "refused", "3 finite numbers",
         changed(raw_text("ImagePositionPatient", b"1\\nan\\3"), syntax="implicit")),
    case("flat-cosines", GEOMETRY, "row and column in one direction", "refused", "no pair of directions",
         changed(put(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]))),
    case("spacing-negative", GEOMETRY, "a negative PixelSpacing", "refused", "above 0",
         changed(put(PixelSpacing=[-0.5, 0.5]))),
    *[case(f"spacing-{value}", GEOMETRY, f"a PixelSpacing of {value} mm", "refused", "from 0.001 to 1000 mm",
           changed(put(PixelSpacing=[value, value]))) for value in ("1e-9", "1e6")],
    case("far-apart", GEOMETRY, "slices 3 m apart", "refused", "no scanner",
         changed(lambda index, data: setattr(data, "ImagePositionPatient", [0, 0, 3000 * index]))),
    case("spacing-comma", GEOMETRY, "a comma in PixelSpacing", "refused", "is not a number",
         changed(raw_text("PixelSpacing", b"0,75\\0,5"), syntax="implicit")),
    case("imager-spacing", GEOMETRY, "ImagerPixelSpacing only", "refused", "PixelSpacing: is missing", changed(imager)),
    case("thickness", GEOMETRY, "SliceThickness that differs from the slices' distance", "handled", "",
         changed(put(3, SliceThickness="7"))),
    case("zip-folders", ARCHIVES, "a zip with folders, text and a Mac's shadow files", "warned", "no DICOM",
         lambda r: zipped(r, folders)),
    case("zip-encrypted", ARCHIVES, "an encrypted zip", "refused", "encrypted", encrypted),
    case("zip-zip", ARCHIVES, "a zip in a zip", "refused", "no DICOM image", zip_in_zip),
    case("zip-twice", ARCHIVES, "a name twice in a zip", "refused", "stands twice", lambda r: zipped(r, member_twice)),
    case("zip-backslash", ARCHIVES, "a zip member that leaves by backslashes", "refused", "leaves the folder",
         lambda r: zipped(r, lambda z: z.writestr("..\\..\\evil.dcm", "x"))),
    case("dicomdir-alone", ARCHIVES, "a DICOMDIR without its files", "refused", "no DICOM image", no_slices),
]  # fmt: skip
