"""Padding and the bytes around pixel data, in the manner of dicom_cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ImplicitVRLittleEndian

import dicom_writer as w
from dicom_cases import PIXELS, case, changed

OUTSIDE = np.hypot(*np.meshgrid(np.linspace(-1, 1, w.ROWS), np.linspace(-1, 1, w.COLUMNS), indexing="ij")) > 1.1
"""What lies outside a circle that touches the sides: the corners of the slice."""
SPOT = np.zeros_like(OUTSIDE)
SPOT[6:8, 5] = True


def padded(
    value: int,
    *,
    limit: int | None = None,
    signed: bool = False,
    bits: int | None = None,
    intercept: int = -1024,
    where: np.ndarray = OUTSIDE,
    syntax: str | None = None,
) -> Callable[[Path], Path]:
    """The standard series with ``value`` outside the circle, and the tags that say so."""
    kind = np.dtype("i2" if signed else "u2")

    def mutate(index: int, data: Dataset) -> None:
        stored = w.hu()[index].astype(np.int32) - intercept
        words = (stored & (2 ** (bits or 16) - 1)).astype("u2").view(kind).copy()
        ends = [value if limit is None else limit, value]
        words[where] = np.resize(np.array(ends).astype("u2" if value >= 0 else "i2").view(kind), where.sum())
        w.set_pixels(data, words, bits)
        data.PixelRepresentation = int(signed)
        data.RescaleIntercept = str(intercept)
        for tag, number in ((0x00280120, value), (0x00280121, limit)):
            if number is not None:
                data.add_new(tag, "SS" if number < 0 else "US", number)

    return changed(mutate, syntax=syntax)


def inside_too(root: Path) -> Path:
    """Padding of 40 HU, which tissue has too, at the corners and at a spot in the middle."""
    return padded(1064, where=OUTSIDE | SPOT)(root)


def whole_slice(index: int, data: Dataset) -> None:
    """One slice that is padding and nothing else."""
    if index == 5:
        w.set_pixels(data, np.full((w.ROWS, w.COLUMNS), 63536, "u2"))
    else:
        w.set_pixels(data, w.stored()[index].astype("u2"))
    data.add_new(0x00280120, "US", 63536)


def behind(count: int, syntax: str | None = None) -> Callable[[Path], Path]:
    """``count`` bytes behind the pixels of every slice."""

    def mutate(index: int, data: Dataset) -> None:
        data.PixelData = data.PixelData + bytes(range(1, count + 1))

    return changed(mutate, syntax=syntax)


def ended_by(syntax: str, end: bytes) -> Callable[[Path], Path]:
    """A compressed series whose codestreams end with ``end`` behind the end marker."""

    def write(root: Path) -> Path:
        folder = w.series(root / "ct", syntax=syntax)
        for path in folder.iterdir():
            data = dcmread(path)
            coded = next(generate_frames(data.PixelData, number_of_frames=1)).rstrip(b"\0")
            # Bytes in front of the end marker make the length what this end needs; decoders skip fill bytes there.
            if (len(coded) + len(end)) % 2:
                coded = coded[:-2] + b"\xff\xff\xd9" if syntax != "jpeg-2000" else coded
            data.PixelData = encapsulate([coded + end + b"\0" * ((len(coded) + len(end)) % 2)])
            data["PixelData"].VR = "OB"
            data["PixelData"].is_undefined_length = True
            w.save(data, path)
        return folder

    return write


def mislabelled(write_as: str | None, says: str) -> Callable[[Path], Path]:
    """A series written with one value representation whose meta information names another."""

    def write(root: Path) -> Path:
        folder = w.series(root / "ct", syntax=write_as)
        old = b"1.2.840.10008.1.2\0" if write_as else b"1.2.840.10008.1.2.1\0"
        for path in folder.iterdir():
            data = path.read_bytes()
            at = data.index(old)
            length = int.from_bytes(data[at - 2 : at], "little")
            new = says.encode() + b"\0" * (len(says) % 2)
            grown = len(new) - length
            group = int.from_bytes(data[140:144], "little") + grown
            data = data[: at - 2] + len(new).to_bytes(2, "little") + new + data[at + length :]
            path.write_bytes(data[:140] + group.to_bytes(4, "little") + data[144:])
        return folder

    return write


CORNERS = np.where(OUTSIDE, -1024, w.hu())
EXPECTED = {
    "padding-last-slice": (np.where(np.arange(w.DEPTH)[:, None, None] == 5, -1024, w.hu()), 0),
    "padding-tissue": (np.where(OUTSIDE, -1024, np.where(SPOT, 40, w.hu())), 0),
    "padding-zero-water": (CORNERS, 0),
}
"""HU that differ from the standard series', and by how much at most."""

CASES = [
    *(case(f"padding-{name}", PIXELS, f"PixelPaddingValue {words}", "handled", "", write)
      for name, words, write in (
          ("63536", "63536, unsigned", padded(63536)),
          ("4095", "4095, which reads as 3071 HU", padded(4095)),
          ("32767", "32767, signed", padded(32767, signed=True)),
          ("zero", "0, unsigned, -1024 HU", padded(0)),
          ("negative", "-2000, signed", padded(-2000, signed=True)),
          ("us-of-signed", "63536 as US where pixels are signed", padded(63536, signed=True)),
          ("ss-of-unsigned", "-2000 as SS where pixels are unsigned", padded(-2000)),
          ("implicit", "63536 in implicit VR", padded(63536, syntax="implicit")),
          ("big-endian", "63536 in big endian", padded(63536, syntax="big-endian")),
          ("rle", "63536 in RLE", padded(63536, syntax="rle")),
          ("twelve-bits", "63536 where 12 bits are stored", padded(63536, bits=12)),
          ("intercept", "63536 with intercept -1000", padded(63536, intercept=-1000)),
          ("range", "65535 with PixelPaddingRangeLimit 60000", padded(65535, limit=60000)),
          ("range-up", "-2048 with PixelPaddingRangeLimit -1500, signed", padded(-2048, limit=-1500, signed=True)),
          ("zero-water", "0 with intercept 0: water at the corners", padded(0, signed=True, intercept=0)),
      )),
    case("padding-last-slice", PIXELS, "a slice that is PixelPaddingValue throughout", "handled", "",
         changed(whole_slice)),
    case("padding-tissue", PIXELS, "PixelPaddingValue of 40 HU: padding at the edge, tissue inside", "handled", "",
         inside_too),
    *(case(f"behind-{count}-{syntax or 'explicit'}", PIXELS, f"{count} bytes behind the pixels ({syntax or 'explicit'})",
           "warned", f"{count} bytes follow the pixels", behind(count, syntax))
      for count, syntax in ((2, None), (28, None), (128, None), (28, "implicit"), (28, "deflated"))),
    case("behind-rows", PIXELS, "two rows behind the pixels", "refused", "mislabelled", behind(4 * w.COLUMNS)),
    *(case(f"end-{syntax}-{end.hex()}", PIXELS, f"{syntax} ended by FF D9 {end.hex(' ').upper()}", "handled", "",
           ended_by(syntax, end))
      for syntax in ("jpeg-ls", "jpeg-lossless", "jpeg-2000") for end in (b"\xff", b"\x00", b"\x20")),
    *(case(f"end-{syntax}-none", PIXELS, f"{syntax} with two bytes behind its end marker", "refused",
           "end marker is missing", ended_by(syntax, b"\x20\x20")) for syntax in ("jpeg-ls", "jpeg-2000")),
    case("explicit-is-implicit", PIXELS, "implicit VR under the name of explicit VR", "handled", "",
         mislabelled("implicit", "1.2.840.10008.1.2.1")),
    case("implicit-is-explicit", PIXELS, "explicit VR under the name of implicit VR", "handled", "",
         mislabelled(None, str(ImplicitVRLittleEndian))),
]  # fmt: skip
EXPECTED |= {row.id: (CORNERS, 0) for row in CASES if row.id.startswith("padding-") and row.id not in EXPECTED}
