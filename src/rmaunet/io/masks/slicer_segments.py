"""3D Slicer's segmentation files (.seg.nrrd): segments told by terminology, by name, or by value."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from isal import igzip
from numpy.typing import NDArray

from rmaunet.core.errors import InputError, OutputError, RmaunetError
from rmaunet.core.files import replacing
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.vocabulary import Code, Named, Role, role_of
from rmaunet.core.volume import Volume
from rmaunet.io.masks.label_codes import SEGMENTS, Segment
from rmaunet.io.masks.label_values import Labels, to_labels
from rmaunet.io.masks.segment_use import Use, decide
from rmaunet.io.nifti.write_nifti import write_pieces
from rmaunet.io.raster.nrrd import parse_nrrd
from rmaunet.io.storage.affine_checks import index_reversed
from rmaunet.io.storage.voxel_layout import StoredImage
from rmaunet.io.storage.voxel_values import stored_pieces

__all__ = ["is_segmentation", "read_segments", "write_segments"]

_NAMELESS = re.compile(r"(segment[_ ]?\d*)?", re.IGNORECASE)
_KEY = re.compile(r"Segment(\d{1,5})_(ID|Name|LabelValue|Layer)")


@dataclass(frozen=True)
class _Found:
    named: Named
    value: int
    layer: int


def is_segmentation(fields: Mapping[str, str]) -> bool:
    """Whether an NRRD's key/value pairs describe Slicer's segments."""
    return any(_KEY.fullmatch(key) for key in fields)


def _terms(tags: str) -> tuple[Code | None, Code | None]:
    """Type and anatomic region of Slicer's terminology entry."""
    entry = re.search(r"TerminologyEntry:([^|]*)", tags)
    parts = [part.split("^") for part in entry[1].split("~")] if entry else []
    codes = [Code(*part[:3]) if len(part) >= 3 and part[1] else None for part in parts]
    return (codes[2] if len(codes) > 2 else None), (codes[5] if len(codes) > 5 else None)


def _segments(image: StoredImage, fields: Mapping[str, str]) -> list[_Found]:
    """The segments of a header; without Layer or LabelValue Slicer's defaults hold: one layer a segment, value 1."""
    numbers = sorted({int(found[1]) for key in fields if (found := _KEY.fullmatch(key))})
    result = []
    for place, number in enumerate(numbers):
        key = f"Segment{number}_"
        layer = _whole(image, fields, f"{key}Layer", place if image.volumes > 1 else 0)
        if f"{key}LabelValue" not in fields and image.volumes == 1 and len(numbers) > 1:
            problem = f"is missing, and {len(numbers)} segments share one layer"
            raise InputError(image.path, f"{key}LabelValue", None, problem, "save it again with a current 3D Slicer")
        value = _whole(image, fields, f"{key}LabelValue", 1)
        if not 0 <= layer < image.volumes:
            last = f"the file has layers 0 to {image.volumes - 1}"
            raise InputError(image.path, f"{key}Layer", layer, last, "save it again")
        shown = f"{layer}:{value}" if image.volumes > 1 else str(value)
        name = fields.get(f"{key}Name", "") or fields.get(f"{key}ID", "")
        result.append(_Found(Named(shown, name, *_terms(fields.get(f"{key}Tags", ""))), value, layer))
    return result


def _whole(image: StoredImage, fields: Mapping[str, str], key: str, default: int) -> int:
    try:
        return int(fields.get(key, default))
    except ValueError as error:
        raise InputError(image.path, key, fields[key][:40], "is no whole number", "save it again") from error


def _by_value(found: Sequence[_Found]) -> bool:
    """Whether nameless segments ("Segment_1") of one layer are told apart by our very values."""
    nameless = all(_NAMELESS.fullmatch(one.named.name.strip()) and role_of(one.named) is Role.UNKNOWN for one in found)
    values = {one.value for one in found}
    return nameless and len({one.layer for one in found}) == 1 and values <= {LIVER, TUMOR} and LIVER in values


def _layer_values(image: StoredImage, labels: Labels) -> list[_Found]:
    """The values that `--label` names in a file that does not describe its segments."""
    keys = [(0, key) if isinstance(key, int) and image.volumes == 1 else key for key in labels]
    places = [key for key in keys if isinstance(key, tuple) and 0 <= key[0] < image.volumes]
    return [
        _Found(Named(f"{layer}:{value}" if image.volumes > 1 else str(value), ""), value, layer)
        for layer, value in places
    ]


def _described(image: StoredImage, fields: Mapping[str, str]) -> bool:
    """Whether the header says which voxels belong to which segment."""
    count = len({found[1] for key in fields if (found := _KEY.fullmatch(key))})
    values = sum(1 for key in fields if (found := _KEY.fullmatch(key)) and found[2] == "LabelValue")
    return count > 0 and (image.volumes > 1 or count == 1 or values == count)


def read_segments(
    image: StoredImage, fields: Mapping[str, str], labels: Labels | None
) -> tuple[NDArray[np.uint8], tuple[Use, ...]]:
    """Read a Slicer segmentation as labels; where segments overlap, tumor wins.

    Args:
        image: What the header says; several volumes are Slicer's layers.
        fields: The header's key/value pairs.
        labels: LabelValue, (layer, LabelValue) or name to ours, instead of names and terminology.

    Returns:
        uint8 (k, j, i), and what became of each segment.

    Raises:
        InputError: If the data are cut or damaged, or no segment is liver or tumor.
    """
    described = labels is None or _described(image, fields)
    found = _segments(image, fields) if described else _layer_values(image, labels or {})
    named = [one.named for one in found]
    if labels is None and _by_value(found):
        meant: list[int | None] = [one.value for one in found]
    else:
        example = "0:1=liver 1:1=tumor" if image.volumes > 1 else "5=liver"
        meant = decide(image.path, "segments", named, labels, example)
    _check_apart(image, found, meant)
    result = np.zeros(math.prod(image.shape), np.uint8)
    counts: dict[tuple[int, int], int] = {}
    for layer in range(image.volumes):
        here = {one.value: label for one, label in zip(found, meant, strict=True) if one.layer == layer and label}
        with image.open() as stream:
            pieces = stored_pieces(stream, image, layer)
            part = to_labels(image.path, _counted(pieces, counts, layer, here), len(result), here)
            stream.end()
        np.maximum(result, part, out=result)
    uses = [
        Use(one.named.shown, label, counts.get((one.layer, one.value), 0) if label else None)
        for one, label in zip(found, meant, strict=True)
    ]
    return result.reshape(image.shape[::-1]), tuple(uses)


def _check_apart(image: StoredImage, found: Sequence[_Found], meant: Sequence[int | None]) -> None:
    """Refuse two segments that hold the same voxels and mean different things."""
    known: dict[tuple[int, int], tuple[str, int | None]] = {}
    for one, label in zip(found, meant, strict=True):
        shown, other = known.setdefault((one.layer, one.value), (one.named.shown, label))
        if other != label:
            both = f"{shown}, {one.named.shown}"
            raise InputError(image.path, "segments", both, "have one layer and one value", "save it again")


def _counted(
    pieces: Iterator[NDArray[Any]], counts: dict[tuple[int, int], int], layer: int, values: Iterable[int]
) -> Iterator[NDArray[Any]]:
    for piece in pieces:
        for value in values:
            counts[layer, value] = counts.get((layer, value), 0) + int(np.count_nonzero(piece == value))
        yield piece


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
            back, _ = read_segments(image, fields, None)
        except RmaunetError as error:
            raise OutputError(path, "file", None, f"cannot be read back ({error.problem})", "check the disk") from error
        same = np.allclose(index_reversed(image.affine), np.asarray(mask.affine), rtol=0, atol=1e-9)
        if not (same and np.array_equal(back, mask.array)):
            raise OutputError(path, "file", None, "differs from memory when read back", "check the disk")
