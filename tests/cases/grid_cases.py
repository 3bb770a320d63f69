"""Every kind of NRRD, MetaImage and MRC that a user may hand over, and what happens. See lab/logs/inputs.md."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from made_nifti import CT, RAS
from nifti_cases import LPS, _text, bad, good, holds, odd, sitk_file

GRIDS = "NRRD, MetaImage, MRC"
DATA = CT.tobytes(order="F")
NUMBERS = " ".join(str(value) for value in CT.ravel(order="F")).encode()
FLOATS = "\n".join(f"{value:.1f}," for value in CT.ravel(order="F")).encode()
HEX = "\n".join(DATA.hex()[start : start + 61] for start in range(0, 2 * len(DATA), 61)).encode()
LIST = "\n".join(["LIST", *(f"s{k}.raw" for k in range(7))])
TWO = np.stack([CT, CT + 1], axis=3)


def edited(name: str, old: bytes, new: bytes, compress: bool = False) -> Callable[[Path], Path]:
    """SimpleITK's file with a piece of its header replaced."""

    def make(folder: Path) -> Path:
        path = sitk_file(name, compress=compress)(folder)
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))
        return path

    return make


def cut(name: str, count: int, compress: bool) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = sitk_file(name, compress=compress)(folder)
        path.write_bytes(path.read_bytes()[:-count])
        return path

    return make


def detached(name: str, data: str, compress: bool = False) -> Callable[[Path], Path]:
    """A detached header whose data file has been renamed away."""

    def make(folder: Path) -> Path:
        path = sitk_file(name, compress=compress)(folder)
        (folder / data).unlink()
        return path

    return make


def _mrc(folder: Path) -> Path:
    head = np.zeros(256, "<i4")
    head[:4] = (*CT.shape, 1)
    head[7:10] = CT.shape
    head[10:13] = (np.array(CT.shape, "<f4") * 2).view("<i4")
    head[16:19] = (1, 2, 3)
    head[52] = np.frombuffer(b"MAP ", "<i4")[0]
    head[53] = 0x4444
    return _text(folder, "ct.mrc", head.tobytes() + CT.tobytes(order="F"))


def _ras(folder: Path) -> Path:
    vectors = " ".join(f"({','.join(map(str, RAS[:3, axis]))})" for axis in range(3))
    origin = ",".join(map(str, RAS[:3, 3]))
    head = (
        f"NRRD0005\n# a comment\ntype: int16\ndimension: 3\nspace: RAS\nsizes: 9 8 7\nspace directions: {vectors}\n"
        f"kinds: domain domain domain\nendian: big\nencoding: gzip\nspace origin: ({origin})\n\n"
    )
    return _text(folder, "ras.nrrd", head.encode() + gzip.compress(CT.astype(">i2").tobytes(order="F")))


def _spacings(folder: Path) -> Path:
    head = "NRRD0001\ntype: short\ndimension: 3\nsizes: 9 8 7\nspacings: 1 2 3\nendian: little\nencoding: raw\n\n"
    return _text(folder, "old.nrrd", head.encode() + CT.tobytes(order="F"))


def nrrd(
    data: bytes = DATA, name: str = "made.nrrd", drop: tuple[str, ...] = (), end: str = "\n", **changes: str
) -> Callable[[Path], Path]:
    """An NRRD made line by line; ``changes`` are fields with "_" for spaces."""
    vectors = " ".join(f"({','.join(str(float(x)) for x in LPS[:3, axis])})" for axis in range(3))
    fields = {
        "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "9 8 7",
        "space directions": vectors, "kinds": "domain domain domain", "endian": "little", "encoding": "raw",
        "space origin": f"({','.join(str(float(x)) for x in LPS[:3, 3])})",
        **{key.replace("_", " "): value for key, value in changes.items()},
    }  # fmt: skip
    text = end.join(["NRRD0004", *(f"{key}: {value}" for key, value in fields.items() if key not in drop)]) + 2 * end
    return lambda folder: _text(folder, name, text.encode() + data)


def four(channel: int) -> Callable[[Path], Path]:
    """Two volumes in one NRRD, the list axis first or last."""
    vectors = [f"({','.join(str(float(x)) for x in LPS[:3, axis])})" for axis in range(3)]
    sizes, kinds = ["9", "8", "7"], ["domain"] * 3
    for words, word in ((vectors, "none"), (sizes, "2"), (kinds, "list")):
        words.insert(channel, word)
    data = np.moveaxis(TWO, 3, channel).tobytes(order="F")
    return nrrd(data, dimension="4", sizes=" ".join(sizes), kinds=" ".join(kinds), space_directions=" ".join(vectors))


def mha(data: bytes = DATA, name: str = "made.mha", end: str = "\n", **changes: Any) -> Callable[[Path], Path]:
    """A MetaImage made line by line; a value of None drops the line."""
    matrix = (LPS[:3, :3] / np.linalg.norm(LPS[:3, :3], axis=0)).T.ravel()
    fields = {
        "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False", "TransformMatrix": " ".join(str(float(x)) for x in matrix),
        "Offset": " ".join(str(float(x)) for x in LPS[:3, 3]), "CenterOfRotation": "0 0 0",
        "ElementSpacing": "0.75 0.75 2.5", "DimSize": "9 8 7", "ElementType": "MET_SHORT", **changes,
    }  # fmt: skip
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return lambda folder: _text(folder, name, end.join([*lines, "ElementDataFile = LOCAL", ""]).encode() + data)


def beside(header: Callable[[Path], Path], **files: bytes) -> Callable[[Path], Path]:
    """A header with files beside it; "_" in their names stands for the dot."""

    def make(folder: Path) -> Path:
        for name, data in files.items():
            _text(folder, name.replace("_", "."), data)
        return header(folder)

    return make


def _slices(pattern: str) -> dict[str, bytes]:
    return {pattern.format(k): CT[:, :, k].tobytes(order="F") for k in range(7)}


def _four_listed(folder: Path) -> Path:
    vectors = " ".join(f"({','.join(str(float(x)) for x in LPS[:3, axis])})" for axis in range(3))
    sizes = {"dimension": "4", "sizes": "9 8 7 2", "kinds": "domain domain domain list"}
    return nrrd(b"", "made.nhdr", space_directions=f"{vectors} none", data_file="LIST\na.raw\nb.raw", **sizes)(folder)


CASES = [
    *[
        good(
            f"{name}{'-gz' if packed else ''}",
            GRIDS,
            f"{name} {'compressed' if packed else 'raw'}",
            "read",
            sitk_file(f"ct.{name}", compress=packed),
        )
        for name in ("nrrd", "nhdr", "mha", "mhd")
        for packed in (False, True)
    ],
    *[
        bad(
            f"cut-{name}{'-gz' if packed else ''}",
            GRIDS,
            f"{name} {'compressed' if packed else 'raw'}, cut",
            "refused",
            "cut off|damaged",
            cut(f"ct.{name}", 40, packed),
        )
        for name in ("nrrd", "mha")
        for packed in (False, True)
    ],
    bad(
        "nhdr-alone", GRIDS, "a .nhdr without its data file", "refused", "does not exist", detached("ct.nhdr", "ct.raw")
    ),
    bad("mhd-alone", GRIDS, "a .mhd without its data file", "refused", "does not exist", detached("ct.mhd", "ct.raw")),
    bad(
        "nhdr-outside",
        GRIDS,
        "a data file outside the folder",
        "refused",
        "leads out of the header's folder",
        edited("ct.nhdr", b"ct.raw", b"../ct.raw"),
    ),
    bad(
        "mhd-outside",
        GRIDS,
        "an absolute path as data file",
        "refused",
        "leads out of the header's folder",
        edited("ct.mhd", b"ct.raw", b"/etc/passwd"),
    ),
    bad(
        "nrrd-huge",
        GRIDS,
        "NRRD that claims more than 4 GiB",
        "refused from the header",
        "above the limit",
        edited("ct.nrrd", b"sizes: 9 8 7", b"sizes: 90000 80000 7"),
    ),
    bad(
        "mha-huge",
        GRIDS,
        "MetaImage that claims more than 4 GiB",
        "refused from the header",
        "above the limit",
        edited("ct.mha", b"DimSize = 9 8 7", b"DimSize = 90000 80000 7"),
    ),
    bad(
        "nrrd-colour",
        GRIDS,
        "a color NRRD",
        "refused",
        "kinds",
        edited("ct.nrrd", b"kinds: domain", b"kinds: RGB-color"),
    ),
    bad(
        "mha-channels",
        GRIDS,
        "a MetaImage of millions of channels",
        "refused from the header",
        "more than any scan has",
        edited("ct.mha", b"DimSize = 9 8 7", b"DimSize = 1 1 1\nElementNumberOfChannels = 2000000"),
    ),
    bad(
        "nrrd-brackets",
        GRIDS,
        "an NRRD of a million opening brackets",
        "refused at once",
        "space directions",
        edited("ct.nrrd", b"space directions: ", b"space directions: " + b"(" * 1000000),
    ),
    bad(
        "mha-blank",
        GRIDS,
        "a MetaImage of a million blank lines",
        "refused at once",
        "ElementDataFile",
        lambda f: _text(f, "ct.mha", b"ObjectType = Image" + b"\n" * 1000000),
    ),
    bad(
        "nrrd-text",
        GRIDS,
        "an NRRD whose text is not numbers",
        "refused",
        "no such value",
        edited("ct.nrrd", b"encoding: raw", b"encoding: txt"),
    ),
    bad(
        "nrrd-space",
        GRIDS,
        "an NRRD in scanner space",
        "refused: no patient orientation",
        "no patient orientation",
        edited("ct.nrrd", b"left-posterior-superior", b"scanner-xyz"),
    ),
    good("nrrd-ras", GRIDS, "an NRRD in RAS", "read", lambda f: _ras(f)),
    odd(
        "nrrd-spacings",
        GRIDS,
        "an NRRD with spacings only",
        "axial orientation assumed",
        "no space directions",
        lambda f: _spacings(f),
        holds(CT),
    ),
    odd("mrc", GRIDS, "MRC", "read; orientation assumed", "no patient orientation", _mrc, holds(CT)),
    good("nrrd-crlf", GRIDS, "an NRRD with Windows' line ends", "read", nrrd(end="\r\n")),
    good("nrrd-las", GRIDS, "an NRRD in LAS", "read",
         nrrd(space="LAS", space_directions="(0.75,0,0) (0,-0.75,0) (0,0,2.5)", space_origin="(-120.5,90.25,-310)")),
    good("nrrd-big", GRIDS, "a big-endian NRRD", "read", nrrd(CT.astype(">i2").tobytes(order="F"), endian="big")),
    good("nrrd-skip", GRIDS, "byte skip 5", "passed over", nrrd(b"junk!" + DATA, byte_skip="5")),
    good("nrrd-skip-end", GRIDS, "byte skip -1", "the data end with the file", nrrd(b"junk!" + DATA, byte_skip="-1")),
    good("nrrd-frame", GRIDS, "a measurement frame, old min and old max", "passed over",
         nrrd(measurement_frame="(1,0,0) (0,1,0) (0,0,1)", old_min="0", old_max="9")),
    *[good(f"nrrd-four-{channel}", GRIDS, f"4-D NRRD, list axis {where}, with `--volume 1`", "that volume is read",
           four(channel), holds(CT + 1), volume=1) for channel, where in ((0, "first"), (3, "last"))],
    bad("nrrd-four-none", GRIDS, "4-D NRRD without `--volume`", "refused", "--volume K", four(3)),
    odd("nrrd-no-space", GRIDS, "an NRRD without space", "LPS is assumed", "no space is told",
        nrrd(drop=("space",))),
    odd("nrrd-no-origin", GRIDS, "an NRRD without space origin", "0 is assumed", "no space origin",
        nrrd(drop=("space origin",)), holds(CT)),
    odd("nrrd-padding", GRIDS, "10 bytes after the last voxel of an NRRD", "ignored", "10 bytes follow",
        nrrd(DATA + bytes(10))),
    bad("nrrd-more", GRIDS, "more data than the NRRD tells", "refused", "more data follow", nrrd(DATA + bytes(999))),
    bad("nrrd-twice", GRIDS, "a field given twice with two values", "refused", "told twice",
        nrrd(**{"sizes ": "7 8 9"})),
    bad("nrrd-2d", GRIDS, "a 2-D NRRD", "refused", "dimension", nrrd(dimension="2", sizes="9 56", kinds="domain domain")),
    bad("nrrd-vector", GRIDS, "two axes in space and one of channels", "refused", "two axes in space",
        nrrd(kinds="vector domain domain")),
    bad("nrrd-not-gzip", GRIDS, "encoding gzip over raw data", "refused", "damaged", nrrd(encoding="gzip")),
    bad("nrrd-raw-gzip", GRIDS, "encoding raw over gzip data", "refused", "cut off", nrrd(gzip.compress(DATA))),
    bad("nrrd-endian", GRIDS, "no endian", "refused", "endian: is missing", nrrd(drop=("endian",))),
    *[bad(f"nrrd-{key}-{value}", GRIDS, f"NRRD {key.replace('_', ' ')} {value}", "refused", key.split("_")[-1],
          nrrd(**{key: value}))
      for key, value in (("byte_skip", "-5"), ("byte_skip", "nan"), ("byte_skip", "1e30"), ("line_skip", "1"),
                         ("dimension", "inf"), ("sizes", "nan 8 7"), ("sizes", "0 8 7"), ("encoding", "zrl"),
                         ("type", "block"), ("space_units", '"um" "um" "um"'),
                         ("space_directions", "(nan,0,0) (0,1,0) (0,0,1)"),
                         ("space_directions", "(0,0,0) (0,1,0) (0,0,1)"))],
    good("nrrd-bzip2", GRIDS, "an NRRD in bzip2", "read", nrrd(bz2.compress(DATA), encoding="bzip2")),
    good("nrrd-hex", GRIDS, "an NRRD in hexadecimal digits", "read", nrrd(HEX, encoding="hex")),
    good("nrrd-numbers", GRIDS, "an NRRD in text", "read", nrrd(NUMBERS, encoding="ascii")),
    good("nrrd-numbers-order", GRIDS, "an NRRD in text without endian", "read: text has no byte order",
         nrrd(NUMBERS, encoding="ascii", drop=("endian",))),
    good("nrrd-floats", GRIDS, "an NRRD in text, with fractions", "read", nrrd(FLOATS, encoding="text", type="float")),
    *[bad(f"nrrd-{encoding}-cut", GRIDS, f"an NRRD in {encoding}, cut", "refused", "cut off|no such value",
          nrrd(data[:-30], encoding=encoding))
      for encoding, data in (("bzip2", bz2.compress(DATA)), ("hex", HEX), ("text", NUMBERS))],
    *[bad(f"nrrd-{encoding}-more", GRIDS, f"an NRRD in {encoding}, longer than stated", "refused", "more data follow",
          nrrd(data, encoding=encoding))
      for encoding, data in (("bzip2", bz2.compress(DATA * 2)), ("hex", HEX * 2), ("text", NUMBERS + b" " + NUMBERS))],
    bad("nrrd-bzip2-damaged", GRIDS, "an NRRD in bzip2, a byte changed", "refused", "damaged",
        nrrd(bz2.compress(DATA)[:400] + b"?" + bz2.compress(DATA)[401:], encoding="bzip2")),
    *[bad(f"nrrd-text-{key}", GRIDS, f"an NRRD in text with {given}", "refused", "no such value",
          nrrd(NUMBERS.replace(b" 1 ", word, 1) if b" 1 " in NUMBERS else word + NUMBERS, encoding="text"))
      for key, given, word in (("range", "a value beyond its type", b" 40000 "), ("mark", "1_0 for a number", b" 1_0 "),
                               ("fraction", "a fraction where whole numbers are expected", b" 1.5 "),
                               ("long", "a number of a million digits", b" " + b"1" * 1000000 + b" "))],
    bad("nrrd-text-skip", GRIDS, "a byte skip before text", "refused", "byte skip",
        nrrd(NUMBERS, encoding="text", byte_skip="4")),
    good("nhdr-list", GRIDS, "a .nhdr with a list of files, one a slice", "read",
         beside(nrrd(b"", "made.nhdr", data_file=LIST), **_slices("s{}_raw"))),
    good("nhdr-list-gz", GRIDS, "the same, each file compressed", "read",
         beside(nrrd(b"", "made.nhdr", data_file=LIST, encoding="gzip"),
                **{name: gzip.compress(data) for name, data in _slices("s{}_raw").items()})),
    good("nhdr-list-skip", GRIDS, "a list of files that end with their voxels (byte skip -1)", "read",
         beside(nrrd(b"", "made.nhdr", byte_skip="-1", data_file=LIST),
                **{name: b"head of one"[: n + 3] + data for n, (name, data) in enumerate(_slices("s{}_raw").items())})),
    good("nhdr-pattern", GRIDS, "a .nhdr with a pattern of files", "read",
         beside(nrrd(b"", "made.nhdr", data_file="s%d.raw 0 6 1"), **_slices("s{}_raw"))),
    good("nhdr-pattern-down", GRIDS, "a pattern that counts down", "the last file is the first slice",
         beside(nrrd(b"", "made.nhdr", data_file="s%d.raw 6 0 -1"), **_slices("s{}_raw")), holds(CT[:, :, ::-1])),
    good("nhdr-four", GRIDS, "a list of files, one a volume, with `--volume 1`", "that volume is read",
         beside(_four_listed, a_raw=DATA, b_raw=(CT + 1).tobytes(order="F")), holds(CT + 1), volume=1),
    *[bad(f"nhdr-list-{key}", GRIDS, f"a list of files, {given}", "refused; nothing slips into another slice", says,
          beside(nrrd(b"", "made.nhdr", data_file=LIST), **(_slices("s{}_raw") | change)))
      for key, given, says, change in (
          ("short", "one shorter and the next longer", "end before the 144 bytes of s3.raw",
           {"s3_raw": bytes(140), "s4_raw": bytes(148)}),
          ("long", "one longer and the next shorter", "go on after the 144 bytes of s3.raw",
           {"s3_raw": bytes(148), "s4_raw": bytes(140)}))],
    bad("nhdr-list-few", GRIDS, "a list of fewer files than slices", "refused", "names 6 files where there are 7",
        beside(nrrd(b"", "made.nhdr", data_file=LIST.rpartition("\n")[0]), **_slices("s{}_raw"))),
    bad("nhdr-list-missing", GRIDS, "a list with a file that is not there", "refused", "s6.raw: the data file does not exist",
        beside(nrrd(b"", "made.nhdr", data_file=LIST), **{k: v for k, v in _slices("s{}_raw").items() if "6" not in k})),
    bad("nhdr-list-axes", GRIDS, "a list of files of three axes each", "refused", "must hold 2 axes",
        beside(nrrd(b"", "made.nhdr", data_file=LIST.replace("LIST", "LIST 3")), **_slices("s{}_raw"))),
    *[bad(f"nhdr-pattern-{key}", GRIDS, f"a pattern of files: {value}", "refused", says,
          beside(nrrd(b"", "made.nhdr", data_file=value), **_slices("s{}_raw")))
      for key, value, says in (("out", "../s%d.raw 0 6 1", "leads out of"), ("endless", "s%d.raw 0 99999999999 1", "7 names"),
                               ("step", "s%d.raw 0 6 0", "7 names"), ("word", "s%s.raw 0 6 1", "no pattern"),
                               ("wide", "s%999999d.raw 0 6 1", "no pattern"))],
    good("mha-center", GRIDS, "a MetaImage with CenterOfRotation", "it moves nothing", mha(CenterOfRotation="9 9 9")),
    good("mha-crlf", GRIDS, "a MetaImage with Windows' line ends", "read", mha(end="\r\n")),
    good("mha-msb", GRIDS, "a big-endian MetaImage", "read",
         mha(CT.astype(">i2").tobytes(order="F"), BinaryDataByteOrderMSB="True")),
    good("mha-header", GRIDS, "HeaderSize -1", "the data end with the file", mha(b"junk" + DATA, HeaderSize="-1")),
    good("mha-zlib-size", GRIDS, "a wrong CompressedDataSize", "the stream itself is counted",
         mha(zlib.compress(DATA), CompressedData="True", CompressedDataSize="5")),
    odd("mha-zlib-padding", GRIDS, "16 bytes after a compressed MetaImage", "ignored", "16 bytes follow",
        mha(zlib.compress(DATA) + bytes(16), CompressedData="True")),
    bad("mha-zlib-more", GRIDS, "more data after a compressed MetaImage", "refused", "more data follow",
        mha(zlib.compress(DATA) + bytes(2000), CompressedData="True")),
    odd("mha-no-matrix", GRIDS, "a MetaImage without TransformMatrix", "axial orientation assumed",
        "no TransformMatrix", mha(TransformMatrix=None), holds(CT)),
    odd("mha-negative", GRIDS, "a negative ElementSpacing", "its absolute value", "negative",
        mha(ElementSpacing="0.75 -0.75 2.5")),
    bad("mha-four", GRIDS, "channels without `--volume`", "refused", "--volume K",
        mha(DATA * 2, ElementNumberOfChannels="2")),
    *[bad(f"mha-{key}-{value}", GRIDS, f"MetaImage {key} {value}", "refused", key, mha(**{key: value}))
      for key, value in (("ObjectType", "Tube"), ("HeaderSize", "-5"), ("HeaderSize", "nan"),
                         ("NDims", "2"), ("NDims", "inf"), ("ElementType", "MET_SHORT_ARRAY"), ("ElementSpacing", None),
                         ("DimSize", "9 8.5 7"), ("DimSize", "9 -8 7"), ("ElementToIntensityFunctionSlope", "2"))],
    bad("mha-spacing-zero", GRIDS, "MetaImage ElementSpacing 0", "refused", "spacing of zero", mha(ElementSpacing="0 1 1")),
    good("mha-text", GRIDS, "a MetaImage in text (BinaryData False)", "read", mha(NUMBERS, BinaryData="False")),
    bad("mha-text-packed", GRIDS, "text marked as compressed", "refused", "CompressedData",
        mha(NUMBERS, BinaryData="False", CompressedData="True")),
    good("mhd-list", GRIDS, "a .mhd with a list of files, one a slice", "read",
         beside(edited("ct.mhd", b"ct.raw", LIST.encode()), **_slices("s{}_raw"))),
    good("mhd-pattern", GRIDS, "a .mhd with a pattern of files", "read",
         beside(edited("ct.mhd", b"ct.raw", b"s%02d.raw 0 6 1"), **_slices("s0{}_raw"))),
    bad("mhd-list-empty", GRIDS, "a .mhd with an empty list", "refused", "names 0 files",
        edited("ct.mhd", b"ct.raw", b"LIST")),
    bad("mhd-list-short", GRIDS, "a list of files, one cut", "refused", "cut off|end before",
        beside(edited("ct.mhd", b"ct.raw", LIST.encode()), **(_slices("s{}_raw") | {"s6_raw": bytes(9)}))),
]  # fmt: skip
