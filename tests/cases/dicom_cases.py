"""One input for each class of DICOM fault or oddity, and what must come of it."""

from __future__ import annotations

import io
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydicom import Dataset

import dicom_writer as w
from cases import Case

FILES, GEOMETRY, PIXELS, ARCHIVES = "DICOM: files and series", "DICOM: geometry", "DICOM: values", "DICOM: archives"
SYNTAXES = ("implicit", "big-endian", "deflated", "rle", "jpeg-ls", "jpeg-lossless", "jpeg-2000")
Outcome = Literal["handled", "warned", "refused"]


def put(only: int | None = None, **values: object) -> w.Mutate:
    """Set tags (None deletes) in one slice or all."""

    def mutate(index: int, data: Dataset) -> None:
        if only is None or index == only:
            for keyword, value in values.items():
                if value is None:
                    delattr(data, keyword)
                else:
                    setattr(data, keyword, value)

    return mutate


def changed(mutate: w.Mutate, **options: Any) -> Callable[[Path], Path]:
    return lambda root: w.series(root / "ct", mutate, **options)


def plain(**options: Any) -> Callable[[Path], Path]:
    return lambda root: w.series(root / "ct", **options)


def raw_text(keyword: str, value: bytes) -> w.Mutate:
    """Put bytes into a tag that pydicom would refuse to write."""

    def mutate(index: int, data: Dataset) -> None:
        if index == 2:
            data[keyword].VR = "LO"
            data[keyword]._value = value.decode()

    return mutate


def position(only: int, **shift: float) -> w.Mutate:
    def mutate(index: int, data: Dataset) -> None:
        if index == only:
            x, y, z = (float(v) for v in data.ImagePositionPatient)
            data.ImagePositionPatient = [x + shift.get("x", 0), y + shift.get("y", 0), z + shift.get("z", 0)]

    return mutate


def tilt(index: int, data: Dataset) -> None:
    position(index, y=0.6 * index)(index, data)


def phases(root: Path) -> Path:
    w.series(root / "ct")

    def second(index: int, data: Dataset) -> None:
        data.AcquisitionNumber, data.SOPInstanceUID = 2, data.SOPInstanceUID + ".2"
        w.set_pixels(data, w.stored()[index] + np.int16(1))

    return w.series(root / "ct", second, name="B{:04d}.dcm")


def add(root: Path, change: Callable[[Dataset], None], name: str = "extra.dcm", index: int = 0) -> Path:
    """The standard series and one more file."""
    folder = w.series(root / "ct")
    data = w.header(index)
    data.SOPInstanceUID += ".7"
    change(data)
    w.save(data, folder / name)
    return folder


def scout(data: Dataset) -> None:
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    data.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    w.set_pixels(data, np.zeros((40, 30), np.int16))


def capture(data: Dataset) -> None:
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    del data.ImagePositionPatient, data.ImageOrientationPatient


def junk(root: Path) -> Path:
    folder = w.series(root / "ct")
    (folder / "readme.txt").write_text("hello")
    (folder / "Thumbs.db").write_bytes(b"\0" * 300)
    (folder / "empty").write_bytes(b"")
    return folder


def cut(keep: float) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        folder = w.series(root / "ct")
        path = folder / "IM0003.dcm"
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep)])
        return folder

    return write


def no_preamble(root: Path) -> Path:
    folder = w.series(root / "ct", syntax="implicit")
    for path in folder.iterdir():
        data = path.read_bytes()
        length = int.from_bytes(data[140:144], "little")
        path.write_bytes(data[144 + length :])  # the data set alone
    return folder


def corrupt_rle(root: Path) -> Path:
    folder = w.series(root / "ct", syntax="rle")
    path = folder / "IM0003.dcm"
    data = bytearray(path.read_bytes())
    at = data.index(b"\x02\0\0\0\x40\0\0\0") + 64
    data[at : at + 6] = b"\x81\x00" * 3  # runs of 128 where literals were
    path.write_bytes(data)
    return folder


def cut_jpeg(syntax: str) -> Callable[[Path], Path]:
    def write(root: Path) -> Path:
        def mutate(index: int, data: Dataset) -> None:
            w.compress(data, syntax)
            if index == 3:
                from pydicom.encaps import encapsulate, generate_frames

                coded = next(generate_frames(data.PixelData, number_of_frames=1)).rstrip(b"\0")
                data.PixelData = encapsulate([coded[: len(coded) * 2 // 3]])

        return w.series(root / "ct", mutate)

    return write


def slope(values: Callable[[int], tuple[float, float]], dtype: str = "i2") -> w.Mutate:
    """Store the same HU with another slope and intercept."""

    def mutate(index: int, data: Dataset) -> None:
        a, b = values(index)
        w.set_pixels(data, np.round((w.hu()[index] - b) / a).astype(dtype))
        data.RescaleSlope, data.RescaleIntercept = str(a), str(b)

    return mutate


def overlay_bits(index: int, data: Dataset) -> None:
    words = w.stored()[index].astype(np.uint16)
    words[::2] |= 0x8000
    w.set_pixels(data, words)
    data.BitsStored, data.HighBit = 12, 11


def zipped(root: Path, change: Callable[[zipfile.ZipFile], None] | None = None) -> Path:
    folder = w.series(root / "ct")
    path = root / "ct.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"study/{file.name}")
        if change is not None:
            change(archive)
    shutil.rmtree(folder)
    return path


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def bomb(archive: zipfile.ZipFile) -> None:
    with archive.open("zeros", "w") as file:
        for _ in range(80):
            file.write(b"\0" * (1 << 20))


def crowd(root: Path) -> Path:
    path = root / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(20_000):
            archive.writestr(zipfile.ZipInfo(str(index)), b"")
    return path


def cut_zip(root: Path) -> Path:
    path = zipped(root)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def lying_zip(root: Path) -> Path:
    path = zipped(root)
    data = bytearray(path.read_bytes())
    at = data.index(b"IM0000.dcm") + 200
    data[at : at + 40] = b"\x55" * 40
    path.write_bytes(data)
    return path


def dicomdir(root: Path) -> Path:
    folder = w.series(root / "cd" / "DICOM")
    data = w.header(0)
    data.SOPClassUID = "1.2.840.10008.1.3.10"
    del data.PixelData, data.Rows
    return w.save(data, folder.parent / "DICOMDIR")


def zip_of_enhanced(root: Path) -> Path:
    buffer = io.BytesIO(w.enhanced(root / "ct.dcm").read_bytes())
    path = root / "enhanced.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ct.dcm", buffer.getvalue())
    return path


def deflate_bomb(root: Path) -> Path:
    path = w.save(w.header(0), root / "bomb.dcm")
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    head = data[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    grown = len(head) - start
    head = head.replace(b"UI\x14\x00" + b"1.2.840.10008.1.2.1.99", b"UI\x16\x00" + b"1.2.840.10008.1.2.1.99")
    head = head[:140] + (int.from_bytes(data[140:144], "little") + grown).to_bytes(4, "little") + head[144:]
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(deflater.compress(bytes(1 << 22)) for _ in range(20)) + deflater.flush()
    path.write_bytes(head + packed)
    return path


def two(root: Path, **other: int) -> Path:
    w.series(root / "ct")
    return w.series(root / "ct", name="OTHER{:03d}", **other)


def duplicate(root: Path) -> Path:
    folder = w.series(root / "ct")
    shutil.copy(folder / "IM0002.dcm", folder / "copy of IM0002.dcm")
    return folder


def bad_duplicate(data: Dataset) -> None:
    w.set_pixels(data, w.stored()[0] + np.int16(5))


def deep(root: Path) -> Path:
    folder = w.series(root / "ct", name="x{:d}")
    for index in range(w.DEPTH):
        target = folder / f"a{index % 2}" / f"b{index % 3}" / f"{(index * 7) % 11}"
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / f"x{index}").rename(target)
    return folder


def reversed_numbers(index: int, data: Dataset) -> None:
    data.InstanceNumber = 100 - index


def jitter(index: int, data: Dataset) -> None:
    position(index, z=0.008 * w.SPACING[0] * (-1) ** index)(index, data)


def uneven(index: int, data: Dataset) -> None:
    position(index, z=0.05 * w.SPACING[0] * (-1) ** index)(index, data)


def case(id_: str, group: str, what: str, outcome: Outcome, text: str, write: Callable[[Path], Path]) -> Case:
    return Case(id_, group, what, outcome, text, write)


GAP = "1 missing between z = 105.00 and z = 110.00"
CASES = [
    case("plain", FILES, "a CT series", "handled", "", plain()),
    case("no-suffix", FILES, "files without extension, numbered backwards", "handled", "",
         changed(reversed_numbers, name="{:d}")),
    case("deep", FILES, "files shuffled over folders of any depth", "handled", "", deep),
    case("junk", FILES, "other files beside the series", "handled", "", junk),
    case("no-preamble", FILES, "data sets without DICOM preamble", "handled", "", no_preamble),
    case("two-series", FILES, "two series", "refused", "--series", lambda r: two(r, number=2)),
    case("two-patients", FILES, "two patients", "refused", "--series", lambda r: two(r, patient=2)),
    case("same-uid-two-patients", FILES, "two patients under one SeriesInstanceUID", "refused", "PatientID",
         changed(put(3, PatientID="OTHER"))),
    case("two-phases", FILES, "two phases in one series", "refused", "#2 6 slices", phases),
    case("duplicate", FILES, "a slice twice, pixels equal", "warned", "1 duplicate slice", duplicate),
    case("bad-duplicate", FILES, "a slice twice, pixels different", "refused", "different pixels",
         lambda r: add(r, bad_duplicate)),
    case("scout", FILES, "a scout beside the slices", "warned", "scout", lambda r: add(r, scout)),
    case("capture", FILES, "a secondary capture beside the slices", "warned", "secondary capture",
         lambda r: add(r, capture)),
    case("mr", FILES, "MR instead of CT", "refused", "Modality = 'MR': not CT",
         changed(put(Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4"))),
    case("no-uid", FILES, "a slice without SOPInstanceUID (a mask can be written, a DICOM SEG cannot)", "warned",
         "SOPInstanceUID is missing", changed(put(3, SOPInstanceUID=None))),
    case("empty-folder", FILES, "a folder without DICOM", "refused", "no DICOM image",
         lambda r: (r / "x").mkdir() or r / "x"),
    case("one-slice", FILES, "one slice only", "warned", "one slice only", lambda r: w.save(w.header(0), r / "a.dcm")),
    case("named-like-slices", FILES, "a file named like the slices that is not DICOM", "warned", "no DICOM",
         lambda r: (w.series(r / "ct"), (r / "ct" / "IM9.dcm").write_text("x"))[0]),
    case("enhanced", FILES, "an Enhanced CT, frames head to foot", "handled", "", lambda r: w.enhanced(r / "e.dcm")),
    case("enhanced-rle", FILES, "an Enhanced CT, RLE", "handled", "", lambda r: w.enhanced(r / "e.dcm", syntax="rle")),
    case("enhanced-jpeg-2000", FILES, "an Enhanced CT, JPEG 2000", "handled", "",
         lambda r: w.enhanced(r / "e.dcm", syntax="jpeg-2000")),
    case("enhanced-uneven", FILES, "an Enhanced CT with uneven frames", "refused", "between z = ",
         lambda r: w.enhanced(r / "e.dcm", uneven=True)),
    *(case(f"syntax-{s}", PIXELS, f"transfer syntax: {s}", "handled", "", plain(syntax=s)) for s in SYNTAXES),
    *(case(f"syntax-{s}-negative", PIXELS, f"transfer syntax: {s}, signed values below 0", "handled", "",
           changed(slope(lambda i: (1, 0)), syntax=s)) for s in SYNTAXES),
    case("gap", GEOMETRY, "a slice missing", "refused", GAP, plain(skip=(3,))),
    case("uneven", GEOMETRY, "uneven spacing", "refused", "unevenly spaced", changed(uneven)),
    case("jitter", GEOMETRY, "positions that jitter by less than 1 % of the spacing", "handled", "", changed(jitter)),
    case("sideways", GEOMETRY, "a slice shifted sideways", "refused", "sideways", changed(position(3, x=4))),
    case("tilt", GEOMETRY, "a tilted gantry", "warned", "gantry tilt of 13.5 degrees", changed(tilt)),
    case("turned", GEOMETRY, "one slice turned", "refused", "turned",
         changed(put(4, ImageOrientationPatient=[0, 1, 0, -1, 0, 0]))),
    case("other-spacing", GEOMETRY, "one slice of another pixel spacing", "refused", "PixelSpacing",
         changed(put(4, PixelSpacing=[0.8, 0.5]))),
    case("other-size", GEOMETRY, "one slice of another size", "refused", "Rows",
         changed(lambda i, d: w.set_pixels(d, w.stored()[i, :10]) if i == 4 else None)),
    case("wrong-spacing-tag", GEOMETRY, "SpacingBetweenSlices wrong: positions win", "warned", "positions are used",
         changed(put(SpacingBetweenSlices="7"))),
    case("long-cosines", GEOMETRY, "direction cosines of length 1.0004", "handled", "",
         changed(put(ImageOrientationPatient=[1.0004, 0, 0, 0, 1.0004, 0]))),
    case("no-position", GEOMETRY, "no ImagePositionPatient", "refused", "IM0003.dcm: ImagePositionPatient",
         changed(put(3, ImagePositionPatient=None))),
    case("no-orientation", GEOMETRY, "no ImageOrientationPatient", "refused", "IM0003.dcm: ImageOrientationPatient",
         changed(put(3, ImageOrientationPatient=None))),
    case("no-spacing", GEOMETRY, "no PixelSpacing", "refused", "IM0003.dcm: PixelSpacing",
         changed(put(3, PixelSpacing=None))),
    case("zero-spacing", GEOMETRY, "PixelSpacing 0", "refused", "above 0", changed(put(3, PixelSpacing=[0, 0.5]))),
    case("wrong-rows", PIXELS, "Rows of one slice wrong", "refused", "IM0003.dcm: Rows",
         changed(put(3, Rows=w.ROWS + 1))),
    case("all-wrong-rows", PIXELS, "Rows of 65535 in every slice", "refused", "PixelData", changed(put(Rows=65535))),
    case("cut-slice", PIXELS, "a slice cut off in its pixels", "refused", "IM0003.dcm: PixelData", cut(0.9)),
    case("cut-header", PIXELS, "a slice cut off in its header", "refused", "IM0003.dcm", cut(0.4)),
    case("corrupt-rle", PIXELS, "corrupt RLE", "refused", "IM0003.dcm: PixelData", corrupt_rle),
    *(case(f"cut-{s}", PIXELS, f"{s} cut off", "refused", "IM0003.dcm: PixelData", cut_jpeg(s))
      for s in ("jpeg-ls", "jpeg-lossless", "jpeg-2000")),
    case("no-slope", PIXELS, "no RescaleSlope", "refused", "IM0003.dcm: RescaleSlope",
         changed(put(3, RescaleSlope=None))),
    case("no-intercept", PIXELS, "no RescaleIntercept", "refused", "IM0003.dcm: RescaleIntercept",
         changed(put(3, RescaleIntercept=None))),
    case("slope-0", PIXELS, "RescaleSlope 0", "refused", "RescaleSlope = 0", changed(put(3, RescaleSlope="0"))),
    case("text-slope", PIXELS, "text in a number", "refused", "is not a number", changed(raw_text("RescaleSlope", b"one"),
         syntax="implicit")),
    case("slopes", PIXELS, "another slope and intercept in each slice", "handled", "",
         changed(slope(lambda i: (1, -1000 - i)))),
    case("half-slope", PIXELS, "a slope of 0.5", "handled", "", changed(slope(lambda i: (0.5, -1024)))),
    case("unsigned", PIXELS, "unsigned values", "handled", "", changed(slope(lambda i: (1, -1024), "u2"))),
    case("padding", PIXELS, "padding of -2000", "handled", "",
         changed(lambda i, d: w.set_pixels(d, np.where(np.arange(w.COLUMNS) < 1, -2000, w.stored()[i]).astype("i2")))),
    case("overlay", PIXELS, "an overlay in unused bits", "handled", "", changed(overlay_bits)),
    case("monochrome1", PIXELS, "MONOCHROME1", "warned", "MONOCHROME1",
         changed(put(PhotometricInterpretation="MONOCHROME1"))),
    case("rgb", PIXELS, "colour", "refused", "SamplesPerPixel", changed(put(SamplesPerPixel=3))),
    case("zip", ARCHIVES, "a zip of a series", "handled", "", zipped),
    case("zip-enhanced", ARCHIVES, "a zip of an Enhanced CT", "handled", "", zip_of_enhanced),
    case("zip-leaves", ARCHIVES, "a zip member that leaves the folder", "refused", "leaves the folder",
         lambda r: zipped(r, lambda z: z.writestr("../../evil.dcm", "x"))),
    case("zip-absolute", ARCHIVES, "a zip member with an absolute path", "refused", "leaves the folder",
         lambda r: zipped(r, lambda z: z.writestr("/tmp/evil.dcm", "x"))),
    case("zip-link", ARCHIVES, "a link in a zip", "refused", "link", lambda r: zipped(r, link)),
    case("zip-bomb", ARCHIVES, "a zip bomb", "refused", "too many", lambda r: zipped(r, bomb)),
    case("zip-20000", ARCHIVES, "a zip of 20 000 files", "refused", "members = 20000", crowd),
    case("zip-cut", ARCHIVES, "a zip cut off", "refused", "cut off or corrupt", cut_zip),
    case("zip-corrupt", ARCHIVES, "a zip with corrupt data", "refused", "corrupt", lying_zip),
    case("deflate-bomb", ARCHIVES, "a deflated file that swells beyond measure", "refused", "deflated bytes",
         deflate_bomb),
    case("dicomdir", ARCHIVES, "a DICOMDIR: its folder is searched", "handled", "", dicomdir),
]  # fmt: skip
