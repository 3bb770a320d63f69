"""Every kind of NIfTI file that a user may hand over, and what happens. See lab/logs/inputs.md."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from file_case import FileCase
from made_nifti import CT, RAS, hounsfield, write

VOXELS, HEADER, GEOMETRY, FILES = "Voxel values", "NIfTI headers", "Geometry", "Files"
LPS = np.diag([-1.0, -1, 1, 1]) @ RAS


def same(scan: Any, _: Path) -> None:
    """All voxels of CT, in file order, at their place."""
    np.testing.assert_array_equal(scan.volume.array, CT.T)
    assert scan.volume.dtype == np.int16
    placed(scan, _)


def placed(scan: Any, _: Path) -> None:
    np.testing.assert_allclose(scan.volume.affine[:, [2, 1, 0, 3]], LPS, rtol=0, atol=1e-4)


def holds(expected: np.ndarray) -> Callable[[Any, Path], None]:
    def check(scan: Any, _: Path) -> None:
        np.testing.assert_allclose(scan.volume.array, expected.T, rtol=1e-6)

    return check


def nifti(**how: Any) -> Callable[[Path], Path]:
    return lambda folder: write(folder, **how)


Writer = Callable[[Path], Path]


def bad(key: str, group: str, given: str, then: str, says: str, make: Writer, **options: Any) -> FileCase:
    return FileCase(key, group, given, "refused", says, make, then, options=options)


def good(key: str, group: str, given: str, then: str, make: Writer, check: Any = same, **options: Any) -> FileCase:
    return FileCase(key, group, given, "handled", "", make, then, check, options)


def odd(
    key: str, group: str, given: str, then: str, says: str, make: Writer, check: Any = same, **options: Any
) -> FileCase:
    return FileCase(key, group, given, "warned", says, make, then, check, options)


def _text(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def _link(folder: Path, target: str) -> Path:
    (folder / "ct.nii").symlink_to(target)
    return folder / "ct.nii"


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "ct.nii")
    return folder / "ct.nii"


def _flip(folder: Path, name: str, at: int) -> Path:
    path = write(folder, name=name)
    data = bytearray(path.read_bytes())
    data[at] ^= 0x55
    path.write_bytes(data)
    return path


def _bomb(folder: Path) -> Path:
    path = write(folder, name="ct.nii.gz", more=b"\x00" * (64 << 20))
    assert path.stat().st_size < 1 << 20
    return path


def _renamed(folder: Path, name: str, **how: Any) -> Path:
    return write(folder, **how).rename(folder / name)


def _with(value: float, count: int = 3) -> np.ndarray:
    array = CT.astype(np.float32)
    array.flat[10 : 10 + count] = value
    return array


def _sheared(degrees: float) -> np.ndarray:
    affine = RAS.copy()
    affine[:3, 2] += np.array([0, np.tan(np.deg2rad(degrees)) * 2.5, 0])
    return affine


def _upright(scan: Any, _: Path) -> None:
    unit = scan.volume.affine[:3, :3] / scan.volume.spacing
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-9)


def _moved_origin() -> np.ndarray:
    affine = RAS.copy()
    affine[:3, 3] = (-90000.5, 120000, 1e5)
    return affine


def _far(scan: Any, _: Path) -> None:
    np.testing.assert_array_equal(scan.volume.array, CT.T)
    np.testing.assert_allclose(scan.volume.affine[:3, 3], (90000.5, -120000, 1e5), atol=0.01)


def sitk_file(name: str, array: np.ndarray = CT, compress: bool = True) -> Callable[[Path], Path]:
    """Written by SimpleITK: array (i, j, k) with the geometry of RAS."""

    def make(folder: Path) -> Path:
        image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
        image.SetSpacing(np.linalg.norm(LPS[:3, :3], axis=0).tolist())
        image.SetDirection((LPS[:3, :3] / np.linalg.norm(LPS[:3, :3], axis=0)).ravel().tolist())
        image.SetOrigin(LPS[:3, 3].tolist())
        sitk.WriteImage(image, str(folder / name), compress)
        return folder / name

    return make


def _one(shape: tuple[int, ...]) -> tuple[Callable[[Path], Path], Any]:
    array = hounsfield(shape)
    return nifti(array=array), holds(array)


HIGH = CT.max() == CT
UNSIGNED = (CT + 1024).astype(np.uint16)
FOUR = np.stack([CT, CT + 1], axis=3)
NAN, INF = float("nan"), float("inf")

CASES = [
    # --- files
    bad("empty", FILES, "an empty file", "refused by name", "is empty", lambda f: _text(f, "ct.nii", b"")),
    bad("text", FILES, "text called .nii", "refused", "sizeof_hdr", lambda f: _text(f, "ct.nii", b"liver " * 99)),
    bad(
        "unknown",
        FILES,
        "a file of no known format",
        "refused with the list of formats",
        "what is understood: NIfTI",
        lambda f: _text(f, "ct.bin", b"liver " * 99),
    ),
    bad("missing", FILES, "a path that does not exist", "refused", "does not exist", lambda f: f / "none.nii"),
    bad(
        "dangling",
        FILES,
        "a link to nothing",
        "refused",
        "link to a file that does not",
        lambda f: _link(f, "gone.nii"),
    ),
    bad("loop", FILES, "a link to itself", "refused", "leads back to itself", lambda f: _link(f, "ct.nii")),
    bad("fifo", FILES, "a named pipe", "refused without opening it", "pipe, socket or device", _fifo),
    bad(
        "header-only",
        FILES,
        "a header cut in the middle",
        "refused",
        "cut off",
        lambda f: _text(f, "ct.nii", write(f, name="a.nii").read_bytes()[:200]),
    ),
    bad(
        "cut",
        FILES,
        "a .nii whose voxels are cut",
        "refused; no zeros are filled in",
        "cut off",
        nifti(name="ct.nii", cut=1),
    ),
    bad("cut-inside", FILES, "a gzip, whole, around voxels that are cut", "refused", "cut off", nifti(cut=2)),
    bad(
        "cut-gzip",
        FILES,
        "a .nii.gz cut in transfer",
        "refused",
        "cut off",
        lambda f: _text(f, "cut.nii.gz", write(f).read_bytes()[:-300]),
    ),
    bad(
        "cut-trailer",
        FILES,
        "a .nii.gz without its checksum",
        "refused",
        "cut off",
        lambda f: _text(f, "cut.nii.gz", write(f).read_bytes()[:-4]),
    ),
    bad(
        "crc",
        FILES,
        "a .nii.gz whose checksum does not match",
        "refused",
        "damaged",
        lambda f: _flip(f, "ct.nii.gz", -6),
    ),
    bad(
        "gzip-flip",
        FILES,
        "a .nii.gz with a byte changed inside",
        "refused",
        "damaged|cut off|more data",
        lambda f: _flip(f, "ct.nii.gz", -200),
    ),
    bad(
        "surplus",
        FILES,
        "more voxels than the header tells",
        "refused: the header or the data are wrong",
        "more data follow",
        nifti(more=b"\x01" * 2000),
    ),
    odd(
        "padding",
        FILES,
        "up to 512 bytes after the last voxel",
        "ignored",
        "16 bytes follow",
        nifti(more=bytes(16)),
    ),
    bad("bomb", FILES, "a gzip bomb behind a small header", "refused after a few bytes", "more data follow", _bomb),
    bad(
        "bomb-claimed",
        FILES,
        "a header that claims 32767 x 32767 x 32767",
        "refused from the header; nothing allocated",
        "above the limit of 4 GiB",
        nifti(dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]),
    ),
    bad(
        "claims-2gib",
        FILES,
        "a header that claims more than its file can hold",
        "refused before memory is taken",
        "cut off",
        nifti(dim=[3, 1024, 1024, 1000, 1, 1, 1, 1]),
    ),
    good("no-gz", FILES, "a gzip without .gz", "read: content decides", lambda f: _renamed(f, "ct.nii")),
    good(
        "not-gz",
        FILES,
        "a plain file called .gz",
        "read: content decides",
        lambda f: write(f, name="ct.nii").rename(f / "x.nii.gz"),
    ),
    good("upper", FILES, "an upper-case suffix", "read", lambda f: _renamed(f, "CT.NII.GZ")),
    good("pair", FILES, "a .hdr and .img pair", "read by either name", nifti(name="ct.hdr", pair=True)),
    good(
        "pair-img",
        FILES,
        "the pair named by its .img",
        "read",
        lambda f: write(f, name="ct.hdr", pair=True).with_suffix(".img"),
    ),
    bad(
        "pair-alone",
        FILES,
        "a .hdr without its .img",
        "refused",
        "ct.img is missing",
        lambda f: (write(f, name="ct.hdr", pair=True), (f / "ct.img").unlink())[0],
    ),
    good(
        "names", FILES, "spaces, accents, markup or a leading dash in the name", "read", nifti(name="-é <b> 肝.nii.gz")
    ),
    # --- NIfTI headers
    good("nifti2", HEADER, "NIfTI-2", "read", nifti(two=True)),
    good("big-endian", HEADER, "big endian", "read", nifti(order=">")),
    good(
        "extension",
        HEADER,
        "a header extension",
        "passed over, not copied",
        nifti(extension=np.array([32, 6], "<i4").tobytes() + b"Name^Of^Person".ljust(24)),
    ),
    bad("magic", HEADER, "another magic", "refused", "magic", nifti(magic=b"abc")),
    bad("analyze", HEADER, "Analyze 7.5 (no magic)", "refused: it tells no orientation", "Analyze", nifti(magic=b"")),
    bad("dim-negative", HEADER, "a negative size", "refused", "positive", nifti(dim=[3, 9, -8, 7, 1, 1, 1, 1])),
    bad("dim-zero", HEADER, "a size of zero", "refused", "positive", nifti(dim=[3, 9, 0, 7, 1, 1, 1, 1])),
    bad("dim-count", HEADER, "dim[0] outside 1 to 7", "refused", r"dim\[0\]", nifti(dim=[9, 9, 8, 7, 1, 1, 1, 1])),
    bad(
        "two-d",
        HEADER,
        "a 2-D image",
        "refused: no third axis",
        "not a volume",
        nifti(dim=[2, 9, 56, 1, 1, 1, 1, 1]),
    ),
    good("four-d-one", HEADER, "4-D with one volume", "read", nifti(array=CT[..., None])),
    bad(
        "four-d",
        HEADER,
        "4-D with several volumes",
        "refused; one is chosen with `--volume K`",
        "--volume K",
        nifti(array=FOUR),
    ),
    good(
        "four-d-chosen",
        HEADER,
        "4-D with `--volume 1`",
        "that volume is read",
        nifti(array=FOUR),
        holds(CT + 1),
        volume=1,
    ),
    bad(
        "four-d-beyond", HEADER, "4-D with `--volume 2` of 2", "refused", "volumes 0 to 1", nifti(array=FOUR), volume=2
    ),
    *[
        bad(f"datatype-{code}", HEADER, f"datatype {name}", "refused by name", "datatype", nifti(datatype=code))
        for code, name in ((128, "RGB"), (2304, "RGBA"), (32, "complex"), (1536, "128-bit float"), (77, "unknown"))
    ],
    bad("offset", HEADER, "vox_offset inside the header", "refused", "vox_offset", nifti(vox_offset=100)),
    bad("offset-nan", HEADER, "vox_offset NaN", "refused", "vox_offset", nifti(vox_offset=NAN)),
    odd("bitpix", HEADER, "bitpix and datatype disagree", "datatype is used", "bitpix", nifti(bitpix=32)),
    # --- voxel values
    good("slope-zero", VOXELS, "scl_slope 0", "no scaling at all", nifti(scl_slope=0, scl_inter=77)),
    good("slope-nan", VOXELS, "scl_slope NaN", "no scaling at all", nifti(scl_slope=NAN, scl_inter=77)),
    good(
        "intercept",
        VOXELS,
        "slope 1, intercept -1024 on unsigned data",
        "applied; int16",
        nifti(array=UNSIGNED, scl_slope=1, scl_inter=-1024),
    ),
    good(
        "slope-half",
        VOXELS,
        "slope 0.5",
        "applied; float32 where values are not whole",
        nifti(scl_slope=0.5, scl_inter=0.0),
        holds(CT * 0.5),
    ),
    bad(
        "intercept-nan",
        VOXELS,
        "a real slope with intercept NaN",
        "refused",
        "scl_inter",
        nifti(scl_slope=2, scl_inter=NAN),
    ),
    bad("slope-inf", VOXELS, "an infinite slope", "refused", "scl_slope", nifti(scl_slope=INF, scl_inter=0)),
    odd(
        "hu-1024",
        VOXELS,
        "no value below 0 (HU + 1024, or an 8-bit window)",
        "read unshifted; `--hu-offset` is offered",
        "not HU",
        nifti(array=UNSIGNED),
        holds(CT + 1024),
    ),
    good(
        "hu-offset",
        VOXELS,
        "the same with `--hu-offset -1024`",
        "shifted as asked",
        nifti(array=UNSIGNED),
        same,
        hu_offset=-1024.0,
    ),
    odd(
        "normalised",
        VOXELS,
        "values between -20 and 20",
        "read; values may not be HU",
        "normalised",
        nifti(array=(CT / 400).astype(np.float32)),
        holds((CT / 400).astype(np.float32)),
    ),
    odd(
        "nan",
        VOXELS,
        "some NaN voxels",
        "counted, taken as air (-1024)",
        "3 of 504 voxels are NaN",
        nifti(array=_with(NAN)),
        holds(_with(-1024)),
    ),
    odd(
        "inf",
        VOXELS,
        "some infinite voxels",
        "counted, taken as air (-1024)",
        "3 of 504 voxels",
        nifti(array=_with(-INF)),
        holds(_with(-1024)),
    ),
    bad("all-nan", VOXELS, "only NaN", "refused", "all are NaN", nifti(array=np.full_like(CT, NAN, np.float32))),
    good(
        "padding-low",
        VOXELS,
        "padding at -2000 or -3024",
        "clipped to -1024",
        nifti(array=_with(-3024).astype(np.int16)),
        holds(_with(-1024)),
    ),
    odd(
        "all-low",
        VOXELS,
        "most values below -1024",
        "read; the intercept may be wrong",
        "intercept may be wrong",
        nifti(array=CT - 1400),
        holds(np.maximum(CT - 1400, -1024)),
    ),
    *[
        good(f"type-{kind}", VOXELS, f"{kind} voxels with whole HU", "read as int16", nifti(array=CT.astype(kind)))
        for kind in ("int32", "int64", "float32", "float64")
    ],
    good(
        "uint16-high",
        VOXELS,
        "values beyond int16",
        "float32",
        nifti(array=np.where(HIGH, 40000, CT.astype(np.int32))),
        holds(np.where(HIGH, 40000, CT.astype(np.int32))),
    ),
    good("constant", VOXELS, "a constant image", "read", nifti(array=np.full_like(CT, 0)), holds(np.full_like(CT, 0))),
    *[
        good(f"size-{'x'.join(map(str, shape))}", VOXELS, f"{' x '.join(map(str, shape))} voxels", "read", *_one(shape))
        for shape in ((1, 1, 1), (17, 13, 5), (50, 33, 4), (9, 8, 1), (2, 2, 1500))
    ],
    # --- geometry
    odd("sform-only", GEOMETRY, "only the sform is set", "used", "only the sform", nifti(qform=0)),
    odd("qform-only", GEOMETRY, "only the qform is set", "used", "only the qform", nifti(sform=0)),
    odd(
        "neither",
        GEOMETRY,
        "neither sform nor qform is set",
        "nibabel's guess from pixdim",
        "neither sform nor qform",
        nifti(sform=0, qform=0),
        holds(CT),
    ),
    odd(
        "disagree",
        GEOMETRY,
        "sform and qform disagree",
        "the sform is used",
        "disagree by up to 40.0 mm",
        nifti(qoffset_x=160.5),
    ),
    odd(
        "pixdim",
        GEOMETRY,
        "pixdim and sform disagree",
        "the sform is used",
        "pixdim says",
        nifti(qform=0, pixdim=[1, 1, 1, 1, 0, 0, 0, 0]),
    ),
    odd(
        "identity",
        GEOMETRY,
        "the identity as affine",
        "used",
        "identity",
        nifti(affine=np.diag([-1.0, -1, 1, 1])),
        holds(CT),
    ),
    odd(
        "negative",
        GEOMETRY,
        "a negative spacing",
        "its absolute value",
        "negative",
        nifti(pixdim=[1, -0.75, 0.75, 2.5, 0, 0, 0, 0]),
    ),
    bad(
        "spacing-zero", GEOMETRY, "a spacing of zero", "refused", "pixdim", nifti(pixdim=[1, 0.75, 0, 2.5, 0, 0, 0, 0])
    ),
    bad(
        "spacing-nan", GEOMETRY, "a spacing of NaN", "refused", "pixdim", nifti(pixdim=[1, 0.75, NAN, 2.5, 0, 0, 0, 0])
    ),
    bad(
        "singular",
        GEOMETRY,
        "a singular sform",
        "refused",
        "singular",
        nifti(srow_y=[0, -0.75, 1, 0], srow_z=[0, -0.75, 1, 0]),
    ),
    bad("sform-nan", GEOMETRY, "NaN in the sform", "refused", "not finite", nifti(srow_z=[0, NAN, 2.5, 0])),
    bad(
        "quaternion", GEOMETRY, "a quaternion longer than 1", "refused", "no rotation", nifti(quatern_b=1, quatern_c=1)
    ),
    bad(
        "spacing-huge",
        GEOMETRY,
        "a spacing above 1 m or below 1 micrometer",
        "refused",
        "impossible spacing",
        nifti(affine=np.diag([5000.0, 1, 1, 1])),
    ),
    odd(
        "shear",
        GEOMETRY,
        "a sheared grid (gantry tilt, 10 degrees)",
        "resampled to right angles; masks are written on the file's own grid",
        "sheared by 10.0 degrees",
        nifti(affine=_sheared(10), qform=0),
        _upright,
    ),
    bad(
        "shear-far",
        GEOMETRY,
        "a shear above 45 degrees",
        "refused",
        "sheared by more",
        nifti(affine=_sheared(60), qform=0),
    ),
    good(
        "rounding",
        GEOMETRY,
        "axes off right angles by 1e-6",
        "read: rounding",
        nifti(srow_x=RAS[0] + [0, 7.5e-7, 0, 0], qform=1),
    ),
    good("far", GEOMETRY, "an origin 100 m away", "read", nifti(affine=_moved_origin()), _far),
    odd(
        "metres",
        GEOMETRY,
        "units of meters",
        "converted to mm",
        "metres",
        nifti(affine=np.diag([1e-3, 1e-3, 1e-3, 1]) @ RAS, xyzt_units=1),
    ),
]
