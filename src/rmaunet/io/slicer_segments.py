"""3D Slicer's segmentation files (.seg.nrrd): segments told by terminology, by name, or by value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.errors import InputError, OutputError, RmaunetError
from rmaunet.files import replacing
from rmaunet.io.affine import index_reversed
from rmaunet.io.label_values import to_labels
from rmaunet.io.nifti_write import write_pieces
from rmaunet.io.nrrd_header import parse_nrrd
from rmaunet.io.segments import SEGMENTS, Code, Segment
from rmaunet.io.stored import StoredImage
from rmaunet.io.voxels import stored_pieces
from rmaunet.labels import LIVER, TUMOR
from rmaunet.notices import notice
from rmaunet.volume import Volume

__all__ = ["label_of", "read_segments", "write_segments"]

_LIVER_CODES = {"10200004"}
_TUMOR_CODES = {"108369006", "52988006", "4147007", "372087000", "14799000", "25370001", "363346000", "86049000"}
_LIVER_NAME = re.compile(r"(healthy |normal )?(liver|hepar|foie)( parenchyma| tissue| organ| mask)?")
_TUMOR_NAME = re.compile(r"tumou?rs?|lesions?|neoplasms?|mass(es)?|metastas[ie]s|hcc|carcinoma")
_OTHER_ORGAN = re.compile(r"kidney|renal|lung|colon|pancrea|spleen|brain|bone|adrenal|lymph|vessel|cyst")


@dataclass(frozen=True)
class _Found:
    name: str
    value: int
    layer: int
    label: int | None


def label_of(name: str, tags: str = "") -> int | None:
    """Which label of ours a segment is.

    Args:
        name: As shown to people.
        tags: Slicer's tags, with the terminology entry if there is one.

    Returns:
        1 liver, 2 tumor, None for anything else.

    Example:
        >>> label_of("Liver"), label_of("livertumor01"), label_of("spleen"), label_of("kidney tumor")
        (1, 2, None, None)
    """
    entry = re.search(r"TerminologyEntry:([^|]*)", tags)
    parts = entry[1].split("~") if entry else []
    codes = [part.split("^")[1] if part.count("^") >= 2 else "" for part in parts]
    if len(codes) > 2 and codes[2] in _LIVER_CODES:
        return LIVER
    if len(codes) > 2 and codes[2] in _TUMOR_CODES:
        region = codes[5] if len(codes) > 5 else ""
        return TUMOR if region in ("", *_LIVER_CODES) else None
    words = re.sub(r"[^a-z]+", " ", name.lower()).strip()
    if _LIVER_NAME.fullmatch(words):
        return LIVER
    if _TUMOR_NAME.search(words) and not _OTHER_ORGAN.search(words):
        return TUMOR
    return None


def _segments(path: Path, fields: Mapping[str, str]) -> list[_Found]:
    found = []
    for number in range(10000):
        key = f"Segment{number}_"
        if f"{key}ID" not in fields:
            break
        try:
            value, layer = int(fields.get(f"{key}LabelValue", number + 1)), int(fields.get(f"{key}Layer", 0))
        except ValueError as error:
            shown = f"{fields.get(f'{key}LabelValue')}, {fields.get(f'{key}Layer')}"
            raise InputError(path, f"{key}LabelValue", shown, "is no whole number", "save it again") from error
        name = fields.get(f"{key}Name", "")
        found.append(_Found(name, value, layer, label_of(name, fields.get(f"{key}Tags", ""))))
    return found


def read_segments(image: StoredImage, fields: Mapping[str, str], labels: Mapping[int, int] | None) -> NDArray[np.uint8]:
    """Read a Slicer segmentation as labels; where segments overlap, tumor wins.

    Args:
        image: What the header says; several volumes are Slicer's layers.
        fields: The header's key/value pairs.
        labels: LabelValue to ours, instead of names and terminology.

    Returns:
        uint8 (k, j, i).

    Raises:
        InputError: If the data are cut or damaged, or no segment is liver or tumor.
    """
    found = _segments(image.path, fields)
    if labels is None and not any(segment.label for segment in found):
        # Nameless segments ("Segment_1") with our very values are taken at their word.
        if not {segment.value for segment in found} <= {LIVER, TUMOR}:
            names = ", ".join(f"{segment.name} ({segment.value})" for segment in found[:8])
            remedy = advise("--label", "map them, e.g. --label 5=liver", "name them liver and tumor")
            raise InputError(image.path, "segments", names, "none is liver or tumor", remedy)
        found = [_Found(s.name, s.value, s.layer, s.value) for s in found]
    left_out = [segment.name for segment in found if segment.label is None]
    if left_out and labels is None:
        notice(image.path, f"segments that are neither liver nor tumor are left out: {', '.join(left_out[:8])}")
    result = np.zeros(math.prod(image.shape), np.uint8)
    for layer in range(image.volumes):
        here = {s.value: s.label for s in found if s.layer == layer and s.label is not None}
        with image.open() as stream:
            pieces = stored_pieces(stream, image, layer)
            part = to_labels(image.path, pieces, len(result), labels if labels is not None else here)
            stream.end()
        np.maximum(result, part, out=result)
    return result.reshape(image.shape[::-1])


def _code(code: Code | None) -> str:
    return f"{code.scheme}^{code.value}^{code.meaning}" if code else "^^"


def _tags(segment: Segment) -> str:
    entry = (
        "Segmentation category and type - DICOM master list",
        _code(segment.category), _code(segment.type), "^^",
        "Anatomic codes - DICOM master list", _code(segment.region), "^^",
    )  # fmt: skip
    return f"TerminologyEntry:{'~'.join(entry)}|"


def _header(mask: Volume) -> bytes:
    affine = index_reversed(np.asarray(mask.affine, float))
    vectors = ["(" + ",".join(repr(float(x)) for x in affine[:3, column]) + ")" for column in range(4)]
    sizes = mask.spatial_shape[::-1]
    extent = " ".join(f"0 {size - 1}" for size in sizes)
    lines = [
        "NRRD0004",
        "type: unsigned char",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, sizes))}",
        f"space directions: {' '.join(vectors[:3])}",
        "kinds: domain domain domain",
        "encoding: gzip",
        f"space origin: {vectors[3]}",
    ]
    for number, segment in enumerate(SEGMENTS):
        key = f"Segment{number}_"
        lines += [
            f"{key}Color:={' '.join(f'{value / 255:.6g}' for value in segment.rgb)}",
            f"{key}ColorAutoGenerated:=0",
            f"{key}Extent:={extent}",
            f"{key}ID:={segment.name}",
            f"{key}LabelValue:={segment.label}",
            f"{key}Layer:=0",
            f"{key}Name:={segment.name}",
            f"{key}NameAutoGenerated:=0",
            f"{key}Tags:={_tags(segment)}",
        ]
    lines += [
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
        "Segmentation_MasterRepresentation:=Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
        "Segmentation_SourceRepresentation:=Binary labelmap",
    ]
    return ("\n".join(lines) + "\n\n").encode()


def write_segments(mask: Volume, path: Path) -> None:
    """Write a mask as a Slicer segmentation, read the file back, compare, then give it its name.

    Args:
        mask: uint8 labels.
        path: .seg.nrrd or .nrrd.

    Raises:
        OutputError: If it cannot be written or does not read back equal.
    """
    with replacing(path) as temporary:
        with temporary.open("wb") as raw:
            raw.write(_header(mask))
            packed = igzip.IGzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0)
            with cast(BinaryIO, packed) as file:
                write_pieces(file, mask.array)
        try:
            image, fields = parse_nrrd(temporary)
            back = read_segments(image, fields, None)
        except RmaunetError as error:
            raise OutputError(path, "file", None, f"cannot be read back ({error.problem})", "check the disk") from error
        same = np.allclose(index_reversed(image.affine), np.asarray(mask.affine), rtol=0, atol=1e-9)
        if not (same and np.array_equal(back, mask.array)):
            raise OutputError(path, "file", None, "differs from memory when read back", "check the disk")
