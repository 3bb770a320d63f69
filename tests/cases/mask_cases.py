"""Every kind of mask that a user may hand over with a CT, and what happens. See lab/logs/inputs.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from file_case import FileCase
from made_nifti import CT, RAS, write
from nifti_cases import bad, good, odd, sitk_file

LABELS, SLICER = "Masks", "3D Slicer's segmentations"

MASK = (np.arange(CT.size).reshape(CT.shape) % 7 == 0).astype(np.uint8)
MASK[4:7, 3:5, 2:4] = 2
LIVER_TAG = "TerminologyEntry:x~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~y~^^~^^|"
TUMOR_TAG = "TerminologyEntry:x~SCT^49755003^Morphologically Abnormal Structure~SCT^4147007^Mass~^^~y~^^~^^|"
KIDNEY_TAG = "TerminologyEntry:x~SCT^49755003^M~SCT^4147007^Mass~^^~y~SCT^64033007^Kidney~^^|"


def same_mask(mask: Any, _: Path) -> None:
    np.testing.assert_array_equal(mask.array, MASK.T)
    assert mask.dtype == np.uint8


def is_mask(expected: np.ndarray) -> Callable[[Any, Path], None]:
    def check(mask: Any, _: Path) -> None:
        np.testing.assert_array_equal(mask.array, expected.T)

    return check


def mask(array: np.ndarray = MASK, **how: Any) -> Callable[[Path], Path]:
    return lambda folder: write(folder, array=array, name="mask.nii.gz", **how)


def _reoriented(folder: Path) -> Path:
    """Axes permuted and flipped, the same places."""
    array = MASK[:, ::-1].transpose(2, 0, 1)
    flip = np.eye(4)
    flip[1, 1], flip[1, 3] = -1, MASK.shape[1] - 1
    return write(folder, array=array, name="mask.nii.gz", affine=(RAS @ flip)[:, [2, 0, 1, 3]])


def _moved(by_mm: float) -> np.ndarray:
    affine = RAS.copy()
    affine[0, 3] += by_mm
    return affine


def segments(*layers: np.ndarray, **keys: str) -> Callable[[Path], Path]:
    """A Slicer file: one array (i, j, k) a layer; keys like ID0="Segment_1" become Segment0_ID."""

    def make(folder: Path) -> Path:
        vectors = " ".join(f"({','.join(map(str, RAS[:3, axis]))})" for axis in range(3))
        many = len(layers) > 1
        lines = [
            "NRRD0004",
            "type: unsigned char",
            f"dimension: {3 + many}",
            "space: right-anterior-superior",
            f"sizes: {f'{len(layers)} ' if many else ''}9 8 7",
            f"space directions: {'none ' if many else ''}{vectors}",
            f"kinds: {'list ' if many else ''}domain domain domain",
            "encoding: raw",
            f"space origin: ({','.join(map(str, RAS[:3, 3]))})",
            *[f"Segment{name[-1]}_{name[:-1]}:={value}" for name, value in keys.items()],
        ]
        data = np.stack(layers).tobytes(order="F")
        path = folder / "mask.seg.nrrd"
        path.write_bytes(("\n".join(lines) + "\n\n").encode() + data)
        return path

    return make


def _cropped(affine: np.ndarray) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        vectors = " ".join(f"({','.join(map(str, affine[:3, axis]))})" for axis in range(3))
        origin = ",".join(map(str, (affine @ (2, 1, 1, 1))[:3]))
        head = (
            "NRRD0004\ntype: uint8\ndimension: 3\nspace: RAS\nsizes: 6 5 4\nencoding: raw\n"
            f"space directions: {vectors}\nspace origin: ({origin})\n"
            "Segment0_ID:=a\nSegment0_Name:=liver\nSegment0_LabelValue:=1\n"
            "Segment1_ID:=b\nSegment1_Name:=tumor\nSegment1_LabelValue:=2\n\n"
        )
        path = folder / "mask.seg.nrrd"
        path.write_bytes(head.encode() + MASK[2:8, 1:6, 1:5].tobytes(order="F"))
        return path

    return make


ONE, TWO = (MASK == 1).astype(np.uint8), (MASK == 2).astype(np.uint8)
ANY = (MASK > 0).astype(np.uint8)
NAMELESS = {"ID0": "a", "Name0": "Segment_1", "ID1": "b", "Name1": "Segment_2"}
NAMED = {"ID0": "a", "Name0": "Liver", "LabelValue0": "1", "ID1": "b", "Name1": "Tumour", "LabelValue1": "2"}

CASES = [
    good("mask", LABELS, "0 background, 1 liver, 2 tumor", "read", mask(), same_mask),
    good("mask-float", LABELS, "the same as floats", "read", mask(MASK.astype(np.float32)), same_mask),
    good("mask-rounding", LABELS, "0.9999 for 1", "rounded", mask(MASK * np.float32(0.9999)), same_mask),
    bad("mask-half", LABELS, "0.5", "refused with values and counts", r"0\.5 \(\d+ voxels\)", mask(MASK * np.float32(0.5))),
    bad("mask-nan", LABELS, "NaN", "refused", "no whole numbers", mask(np.where(MASK == 2, np.nan, MASK).astype("f4"))),
    *[
        bad(
            f"mask-{value}",
            LABELS,
            f"the value {value}",
            "refused with values and counts; `--label` maps them",
            rf"labels = {value} \(12 voxels\)",
            mask(np.where(MASK == 2, value, MASK.astype(np.int16))),
        )
        for value in (3, 7, -1, 255)
    ],
    good(
        "mask-mapped",
        LABELS,
        "other values with `--label 5=liver`",
        "mapped; values not named become background",
        mask(np.where(MASK == 2, 5, MASK * 9).astype(np.uint8)),
        is_mask((MASK == 2).astype(np.uint8)),
        labels={5: 1},
    ),
    good("mask-empty", LABELS, "an empty mask", "read", mask(MASK * 0), is_mask(MASK * 0)),
    good(
        "mask-orientation",
        LABELS,
        "axes in another order or direction",
        "permuted and flipped onto the CT, never resampled",
        _reoriented,
        same_mask,
    ),
    odd(
        "mask-rounded-origin",
        LABELS,
        "an affine off by up to 1 % of a voxel at a corner, as converters round",
        "taken as the CT's grid",
        r"corners lie up to 0.002 mm \(0.27 % of a voxel\) off those of the CT",
        mask(affine=_moved(0.002)),
        same_mask,
    ),
    odd("mask-rounded-spacing", LABELS, "slices 2.501 mm apart where the CT's are 2.5", "the same",
        r"corners lie up to 0.006 mm \(0.24 % of a voxel\)", mask(affine=RAS @ np.diag([1, 1, 1.0004, 1])), same_mask),
    bad("mask-over-share", LABELS, "an affine off by 2 % of a voxel", "refused with the distance",
        r"corners up to 0.015 mm \(2 % of a voxel\) apart", mask(affine=_moved(0.015))),
    odd("mask-absent", LABELS, "`--label` with a value that no voxel has", "read as empty",
        r"no voxel has a value of the label mapping \(7\); the values are 1", mask(), is_mask(MASK * 0), labels={7: 1}),
    odd("mask-named", LABELS, "a file named after a tumor that holds 0 and 1", "1 is liver; the warning names the file",
        "give --label 1=tumor", lambda folder: write(folder, array=TWO, name="liver_tumor.nii.gz"),
        is_mask(TWO)),
    good("mask-near", LABELS, "an affine 0.0005 mm off", "read", mask(affine=_moved(0.0005)), same_mask),
    bad("mask-moved", LABELS, "an affine 1 mm off", "refused", "lies elsewhere", mask(affine=_moved(1.0))),
    bad("mask-shape", LABELS, "another shape", "refused", "is not the CT's", mask(MASK[:-1])),
    bad("mask-volumes", LABELS, "several volumes", "refused", "one volume", mask(np.stack([MASK, MASK], 3))),
    bad("mask-cut", LABELS, "a cut mask", "refused", "cut off", mask(cut=3)),
    good("mask-nrrd", LABELS, "a plain label NRRD", "read", sitk_file("mask.nrrd", MASK), same_mask),
    good("mask-mha", LABELS, "a label MetaImage", "read", sitk_file("mask.mha", MASK), same_mask),
    good("seg-names", SLICER, "segments by name", "read", segments(MASK, **NAMED), same_mask),
    good(
        "seg-terms",
        SLICER,
        "segments by terminology (Liver; Mass), odd values",
        "read",
        segments(
            ONE * 4 + TWO * 9, ID0="a", LabelValue0="9", Tags0=TUMOR_TAG, ID1="b", LabelValue1="4", Tags1=LIVER_TAG
        ),
        same_mask,
    ),
    good("seg-nameless", SLICER, "nameless segments with values 1 and 2", "taken as 1 liver, 2 tumor",
         segments(MASK, ID0="a", Name0="Segment_1", LabelValue0="1", ID1="b", Name1="Segment_2", LabelValue1="2"),
         same_mask),
    good("seg-layers", SLICER, "overlapping segments in layers", "tumor wins",
         segments(((ONE + TWO) > 0).astype(np.uint8), TWO, ID0="a", Name0="liver", LabelValue0="1", Layer0="0", ID1="b",
                  Name1="lesion 1", LabelValue1="1", Layer1="1"), same_mask),
    odd("seg-others", SLICER, "other organs beside the liver", "left out",
        "left out as neither liver nor tumor: 5 'spleen'",
        segments(ONE + 5 * TWO, ID0="a", Name0="liver", LabelValue0="1", ID1="b", Name1="spleen", LabelValue1="5"),
        is_mask(ONE)),
    good("seg-cropped", SLICER, "a segmentation stored cropped", "put back on the CT's voxels", _cropped(RAS),
         is_mask(np.pad(MASK[2:8, 1:6, 1:5], ((2, 1), (1, 2), (1, 2))))),
    bad("seg-cropped-off", SLICER, "the same between the CT's voxels", "refused", "lies elsewhere",
        _cropped(_moved(0.3))),
    good("seg-old", SLICER, "no Layer and no LabelValue (Slicer 4.10 and older): a layer a segment, value 1", "read",
         segments(ANY, TWO, ID0="a", Name0="liver", ID1="b", Name1="tumor"), same_mask),
    odd("seg-old-order", SLICER, "the same, tumor first and a spleen", "read; segments left out are listed",
        "left out as neither liver nor tumor: 2:1 'spleen'",
        segments(TWO, ANY, ONE * 0, ID0="a", Name0="tumor", ID1="b", Name1="liver", ID2="c", Name2="spleen"), same_mask),
    good("seg-old-one", SLICER, "the same with one segment and no list axis", "read",
         segments(ANY, ID0="a", Name0="liver"), is_mask(ANY)),
    good("seg-value-only", SLICER, "LabelValue without Layer: a layer a segment", "read",
         segments(ANY, TWO, ID0="a", Name0="liver", LabelValue0="1", ID1="b", Name1="tumor", LabelValue1="1"), same_mask),
    good("seg-layer-only", SLICER, "Layer without LabelValue: value 1", "read",
         segments(ANY, TWO, ID0="a", Name0="liver", Layer0="0", ID1="b", Name1="tumor", Layer1="1"), same_mask),
    bad("seg-layers-nameless", SLICER, "nameless segments in layers of value 1", "refused; `--label 0:1=liver 1:1=tumor`",
        "map them, e.g. --label 0:1=liver 1:1=tumor", segments(ANY, TWO, **NAMELESS)),
    good("seg-layers-mapped", SLICER, "the same with `--label 0:1=liver 1:1=tumor`", "read",
         segments(ANY, TWO, **NAMELESS), same_mask, labels={(0, 1): 1, (1, 1): 2}),
    good("seg-layers-by-name", SLICER, "the same with `--label Segment_1=liver Segment_2=tumor`", "read",
         segments(ANY, TWO, **NAMELESS), same_mask, labels={"Segment_1": 1, "segment_2": 2}),
    bad("seg-layers-value", SLICER, "`--label 1=liver` where two layers have a value 1", "refused",
        "is a value in several layers; name one: 0:1=liver or 1:1=liver", segments(ANY, TWO, **NAMELESS), labels={1: 1}),
    bad("seg-no-such", SLICER, "`--label` for a segment that is not there", "refused with the segments",
        "--label = 7: no such segment among 1 'Liver', 2 'Tumour'", segments(MASK, **NAMED), labels={7: 1}),
    good("seg-layers-plain", SLICER, "a 4-D NRRD without segments, with `--label 0:1=liver 1:1=tumor`", "read",
         segments(ANY, TWO), same_mask, labels={(0, 1): 1, (1, 1): 2}),
    bad("seg-no-value", SLICER, "two segments in one layer without LabelValue", "refused", "LabelValue: is missing",
        segments(MASK, ID0="a", Name0="liver", ID1="b", Name1="tumor")),
    good("seg-no-value-mapped", SLICER, "the same with `--label 1=liver 2=tumor`", "read",
         segments(MASK, ID0="a", Name0="liver", ID1="b", Name1="tumor"), same_mask, labels={1: 1, 2: 2}),
    bad("seg-layer-beyond", SLICER, "a Layer that the file does not have", "refused", "Segment1_Layer = 5",
        segments(ANY, TWO, ID0="a", Name0="liver", Layer0="0", ID1="b", Name1="tumor", Layer1="5")),
    bad("seg-parenchyma", SLICER, '"Liver without tumor" beside "tumor"', "refused: the user says what it is",
        "no segment is known to be the liver, and 1 'Liver without tumor' may be",
        segments(MASK, ID0="a", Name0="Liver without tumor", LabelValue0="1", ID1="b", Name1="tumor", LabelValue1="2")),
    odd("seg-margin", SLICER, '"peritumoral" beside "liver"', "left out", "left out .* 2 'peritumoral'; --label",
        segments(MASK, ID0="a", Name0="liver", LabelValue0="1", ID1="b", Name1="peritumoral", LabelValue1="2"),
        is_mask(ONE)),
    good("seg-languages", SLICER, '"Leber" and "Metastasen"; other languages likewise', "read",
         segments(MASK, ID0="a", Name0="Leber", LabelValue0="1", ID1="b", Name1="Metastasen", LabelValue1="2"), same_mask),
    bad("seg-other-of-ours", SLICER, "a spleen whose value is 1, and no liver", "refused", "1 'spleen'",
        segments(ONE, ID0="a", Name0="spleen", LabelValue0="1")),
    bad("seg-none", SLICER, "no liver and no tumor among the segments", "refused with their names", "spleen",
        segments(ONE * 5, ID0="a", Name0="spleen", LabelValue0="5", ID1="b", LabelValue1="6", Tags1=KIDNEY_TAG)),
]  # fmt: skip
assert all(isinstance(case, FileCase) for case in CASES)
