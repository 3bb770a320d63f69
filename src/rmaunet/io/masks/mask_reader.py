"""Reading a mask, whatever format it is in, and putting it on a CT's grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.advice import advise
from rmaunet.core.errors import InputError
from rmaunet.core.labels import LIVER
from rmaunet.core.notices import notice
from rmaunet.core.structure_names import Role, name_role
from rmaunet.core.vocabulary import Named
from rmaunet.core.volume import Volume, make_volume
from rmaunet.core.volume.placement import SILENT_MM, Grid, Placement, placement
from rmaunet.io.detect_format import sniff
from rmaunet.io.masks.label_values import Labels, check_mapping, read_labels, read_structure
from rmaunet.io.masks.mask_files import Choice, chosen
from rmaunet.io.masks.plane_stack import Planes, place_planes, stacked
from rmaunet.io.masks.segment_use import MappingNeededError, Use, decide
from rmaunet.io.nifti.nifti_header import parse_header, partner
from rmaunet.io.nifti.read_nifti import case_name
from rmaunet.io.scan import DicomSource, GridSource, Scan, Source
from rmaunet.io.storage.affine_checks import index_reversed, obliquity, orthogonal_grid, orthonormalised, resampled
from rmaunet.io.storage.load_volume import SHEAR
from rmaunet.io.storage.voxel_layout import StoredImage

__all__ = ["MaskReading", "describe_mask", "read_mask", "read_mask_pair", "read_mask_scan"]


@dataclass(frozen=True)
class MaskReading:
    """A mask, and what became of its segments.

    Attributes:
        volume: uint8 labels.
        uses: Each segment used or left out; empty for a plain label map, which has no segments.
    """

    volume: Volume
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class _Stored:
    """A mask as its file stores it.

    Attributes:
        path: For messages.
        source: What writing it again on its own grid needs.
        cropped: If True, the format leaves out slices or borders that are empty.
        voxels: Labels (D, H, W), or the planes of a DICOM SEG.
        affine: Indices (d, h, w) to LPS mm; may be sheared. Meaningless for planes.
        uses: What became of each segment.
    """

    path: Path
    source: Source
    cropped: bool
    voxels: NDArray[np.uint8] | Planes
    affine: NDArray[np.float64]
    uses: tuple[Use, ...] = ()

    @property
    def frame_uid(self) -> str | None:
        return self.voxels.frame_uid if isinstance(self.voxels, Planes) else None

    def alone(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """Labels and affine without a CT."""
        if isinstance(self.voxels, Planes):
            return stacked(self.voxels, self.path)
        return self.voxels, self.affine


def read_mask(path: str | Path, *, like: Scan | None = None, labels: Labels | None = None) -> Volume:
    """Read a liver and tumor mask.

    Args:
        path: NIfTI, NRRD (Slicer's .seg.nrrd too), MetaImage, MRC or DICOM SEG; a folder or zip with one of them, or a
            folder with one file per structure (liver.nii.gz, liver_tumor.nii.gz).
        like: The CT it belongs to; the mask is permuted and flipped onto its grid, never resampled.
        labels: Foreign value, segment number or name to ours, e.g. {5: 1} for TotalSegmentator's liver; what it does not
            name is background.

    Returns:
        uint8 (D, H, W) with 0 background, 1 liver, 2 tumor; on the grid of ``like`` where given.

    Raises:
        InputError: If the file cannot be used, holds other values, or lies elsewhere than ``like`` (1 % of a voxel).
        UsageError: If ``labels`` maps to anything but 0, 1, 2.
    """
    return describe_mask(path, like=like, labels=labels).volume


def describe_mask(path: str | Path, *, like: Scan | None = None, labels: Labels | None = None) -> MaskReading:
    """Read a mask and say what became of its segments; arguments and errors as for :func:`read_mask`."""
    path = Path(path)
    stored = _read(path, labels, say=like is None)
    if like is None:
        return MaskReading(_upright(stored), stored.uses)
    frames = stored.frame_uid, like.volume.frame_of_reference_uid
    if None not in frames and frames[0] != frames[1]:
        notice(path, "its FrameOfReferenceUID is not the CT's; it is used where its coordinates say")
    return MaskReading(_onto(stored, like), stored.uses)


def read_mask_scan(path: Path, *, labels: Labels | None = None) -> tuple[Scan, tuple[Use, ...]]:
    """Read a mask together with what writing it again on its own grid needs.

    Args:
        path: See :func:`read_mask`.
        labels: See :func:`read_mask`.

    Returns:
        A scan whose volume is the mask, and what became of each segment.

    Raises:
        InputError: See :func:`read_mask`.
        UsageError: See :func:`read_mask`.
    """
    stored = _read(path, labels, say=True)
    return Scan(_upright(stored), case_name(path), stored.source), stored.uses


def read_mask_pair(
    one: Path, other: Path, *, labels: tuple[Labels | None, Labels | None] = (None, None)
) -> tuple[MaskReading, MaskReading]:
    """Read two masks of one scan onto one grid.

    Args:
        one: A mask.
        other: Another mask of the same scan, in any orientation.
        labels: The mapping of each.

    Returns:
        Both on the grid of the one that stores all of it; where both leave out what is empty, on a grid that holds both.

    Raises:
        InputError: If a mask cannot be used, or they lie elsewhere.
    """
    first, second = (_read(path, mapping, say=True) for path, mapping in zip((one, other), labels, strict=True))
    if first.cropped and not second.cropped:
        volume = _upright(second)
        return MaskReading(_onto(first, _scan_of(second, volume), other.name), first.uses), MaskReading(
            volume, second.uses
        )
    volume = _upright(first)
    if first.cropped:
        volume = _widened(volume, _upright(second))
    return MaskReading(volume, first.uses), MaskReading(_onto(second, _scan_of(first, volume), one.name), second.uses)


def _scan_of(stored: _Stored, volume: Volume) -> Scan:
    """A mask as the scan that another mask is put on."""
    array, affine = (None, stored.affine) if isinstance(stored.voxels, Planes) else (stored.voxels, stored.affine)
    tilted = None
    if array is not None and obliquity(index_reversed(affine)) > SHEAR:
        tilted = Grid(affine, array.shape)
    return Scan(volume, case_name(stored.path), stored.source, tilted)


def _widened(volume: Volume, other: Volume) -> Volume:
    """A mask with a border of background wide enough for another one; as it is if the other does not fit its voxels."""
    grid = Grid(np.asarray(volume.affine, float), volume.spatial_shape)
    found = placement(Grid(np.asarray(other.affine, float), other.spatial_shape), grid)
    if found is None or not found.fits:
        return volume
    size = [other.spatial_shape[axis] for axis in found.order]
    low = [max(0, -first) for first in found.start]
    high = [max(0, a + n - m) for a, n, m in zip(found.start, size, volume.spatial_shape, strict=True)]
    affine = grid.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ low
    array = np.pad(volume.array, list(zip(low, high, strict=True)))
    frame = volume.frame_of_reference_uid
    return Volume(array=array, affine=affine, coordinate_system="PATIENT", frame_of_reference_uid=frame)


def _read(path: Path, labels: Labels | None, *, say: bool) -> _Stored:
    """The mask as it is stored. With its CT its geometry is compared; alone, what is odd about it is said."""
    if labels is not None:
        check_mapping(path, labels)
    if sniff(path) != "dicom":
        return _read_file(path, labels, say=say)
    with chosen(path, labels) as choice:
        if choice.seg is not None:
            from rmaunet.io.dicom_seg.read_seg import planes_of

            planes, uses = planes_of(choice.seg, labels)
            return _Stored(path, GridSource(path), True, planes, np.eye(4), uses)
        if choice.file is not None:
            return _read_file(choice.file, labels, say=say)
        return _read_structures(path, choice, labels, say=say)


def _parsed(path: Path, *, say: bool) -> tuple[StoredImage, dict[str, str], Source]:
    if sniff(path) == "nifti":
        header = partner(path, ".hdr") if path.name.lower().removesuffix(".gz").endswith(".img") else path
        image, source = parse_header(header)
        fields: dict[str, str] = {}
        parsed: tuple[StoredImage, dict[str, str], Source] = (image, fields, source)
    else:
        from rmaunet.io.raster.read_raster import parse_grid

        image, fields = parse_grid(path)
        parsed = (image, fields, GridSource(path))
    for text in image.notes if say else ():
        notice(image.path, text)
    return parsed


def _read_file(path: Path, labels: Labels | None, *, say: bool) -> _Stored:
    from rmaunet.io.masks.slicer_segments import is_segmentation, read_segments

    image, fields, source = _parsed(path, say=say)
    affine = index_reversed(image.affine)
    layered = image.volumes > 1 and any(isinstance(key, tuple) for key in labels or ())
    if is_segmentation(fields) or layered:
        array, uses = read_segments(image, fields, labels)
        return _Stored(path, source, is_segmentation(fields), array, affine, uses)
    array = read_labels(image, labels)
    if labels is None:
        _check_name(path, array)
    return _Stored(path, source, False, array, affine)


def _check_name(path: Path, array: NDArray[np.uint8]) -> None:
    """Say that a file named after a tumor or another organ is read as liver: it may hold that structure alone."""
    role = name_role(case_name(path))
    other = role in (Role.TUMOR, Role.TUMOR_SOMEWHERE, Role.ORGAN, Role.OTHER)
    if other and int(array.max(initial=0)) == LIVER:
        folder = "give the folder with one file per structure"
        remedy = advise("--label", f"give --label 1=tumor, or {folder}", folder)
        notice(path, f"its name is not the liver's, but its value 1 is read as liver; {remedy}")


def _read_structures(path: Path, choice: Choice, labels: Labels | None, *, say: bool) -> _Stored:
    """One file per structure, united; what is neither liver nor tumor is not read."""
    named = [Named("", case_name(file)) for file in choice.structures]
    meant = decide(path, "structures", named, labels, "NAME=liver")
    whole: tuple[NDArray[np.uint8], NDArray[np.float64]] | None = None
    source: Source = GridSource(path)
    uses = []
    for file, one, label in zip(choice.structures, named, meant, strict=True):
        if label is None:
            uses.append(Use(one.shown, None))
            continue
        image, _, own_source = _parsed(file, say=say and whole is None)
        part = read_structure(image, label)
        uses.append(Use(one.shown, label, int(np.count_nonzero(part))))
        if whole is None:
            whole, source = (part, index_reversed(image.affine)), own_source
        else:
            _unite(file, part, index_reversed(image.affine), whole)
    if whole is None:
        raise MappingNeededError(path, "structures", len(named), "none is liver or tumor", "NAME=liver")
    return _Stored(path, source, False, *whole, tuple(uses))


def _unite(
    file: Path,
    part: NDArray[np.uint8],
    affine: NDArray[np.float64],
    whole: tuple[NDArray[np.uint8], NDArray[np.float64]],
) -> None:
    """Add a structure to those before, on the grid of the first."""
    found = placement(Grid(affine, part.shape), Grid(whole[1], whole[0].shape), whole=True)
    if found is None or not found.fits:
        gap = f"corners up to {found.off} apart" if found else f"shape {part.shape} against {whole[0].shape}"
        raise InputError(file, "grid", gap, "is not that of the other structures", "give masks of one scan")
    found.onto(part, whole[0])


def _onto(stored: _Stored, like: Scan, other: str = "the CT") -> Volume:
    """The mask on a CT's grid, or on the tilted grid of its slices and then upright as the CT was made."""
    upright = Grid(np.asarray(like.volume.affine, float), tuple(like.volume.spatial_shape))
    grids = [grid for grid in (like.tilted, upright) if grid is not None]
    nearest: Placement | None = None
    for grid in grids:
        array, found, lost = _placed(stored, grid, like)
        if array is None:
            if found is not None and (nearest is None or found.off_mm < nearest.off_mm):
                nearest = found
            continue
        if lost:
            raise InputError(
                stored.path,
                "extent",
                f"{lost} voxels",
                f"lie outside {other}",
                "give two masks of one scan" if other != "the CT" else "give the mask drawn on this CT",
            )
        if found is not None and found.off_mm > SILENT_MM:
            notice(stored.path, f"its corners lie up to {found.off} off those of {other}; they are taken as equal")
        if grid is like.tilted:
            to = index_reversed(upright.affine)
            size = (upright.shape[2], upright.shape[1], upright.shape[0])
            array = resampled(array, index_reversed(grid.affine), to, size, outside=0, nearest=True)
        frame = like.volume.frame_of_reference_uid
        return Volume(array=array, affine=upright.affine, coordinate_system="PATIENT", frame_of_reference_uid=frame)
    raise _elsewhere(stored, nearest, grids, other)


def _slices_of(like: Scan, grid: Grid) -> NDArray[np.float64] | None:
    """Positions of a DICOM CT's slices as its files say them, where the grid has them all."""
    if not isinstance(like.source, DicomSource) or len(like.source.datasets) != grid.shape[0]:
        return None
    if like.tilted is not None and grid is not like.tilted:
        return None
    try:
        places = [[float(x) for x in data.ImagePositionPatient] for data in like.source.datasets]
    except (AttributeError, TypeError, ValueError):
        return None
    return np.array(places) if all(len(place) == 3 for place in places) else None


def _placed(stored: _Stored, grid: Grid, like: Scan) -> tuple[NDArray[np.uint8] | None, Placement | None, int]:
    """The mask on a grid, None where it does not fit; its placement; voxels that lie outside."""
    if isinstance(stored.voxels, Planes):
        return place_planes(stored.voxels, grid, _slices_of(like, grid))
    found = placement(Grid(stored.affine, stored.voxels.shape), grid, whole=not stored.cropped)
    if found is None or not found.fits:
        return None, found, 0
    if found.oriented(stored.voxels).shape == tuple(grid.shape) and not any(found.start):
        return np.asarray(found.oriented(stored.voxels), np.uint8), found, 0
    result = np.zeros(grid.shape, np.uint8)
    lost = found.onto(stored.voxels, result)
    return result, found, lost


def _elsewhere(stored: _Stored, nearest: Placement | None, grids: list[Grid], other: str) -> InputError:
    remedy = "give the mask drawn on this CT" if other == "the CT" else "give two masks of one scan"
    shape = stored.voxels.array.shape if isinstance(stored.voxels, Planes) else stored.voxels.shape
    if not stored.cropped and sorted(shape) not in [sorted(grid.shape) for grid in grids]:
        sizes = f"{shape} against {tuple(grids[-1].shape)} of {other}"
        what = "the CT's" if other == "the CT" else f"that of {other}"
        return InputError(stored.path, "shape", sizes, f"is not {what}", remedy)
    gap = f"corners up to {nearest.off} apart" if nearest else "axes"
    return InputError(stored.path, "affine", gap, f"lies elsewhere than {other}", remedy)


def _upright(stored: _Stored) -> Volume:
    """The mask alone on an orthogonal grid, the very one its sheared CT is resampled to."""
    array, by_slice = stored.alone()
    affine = index_reversed(by_slice)
    if obliquity(affine) > SHEAR:
        upright, shape = orthogonal_grid(affine, array.shape[::-1])
        array = resampled(array, affine, upright, shape, outside=0, nearest=True)
        affine = upright
    volume = make_volume(array, index_reversed(orthonormalised(affine)))
    if stored.frame_uid is None:
        return volume
    return Volume(
        array=volume.array,
        affine=volume.affine,
        coordinate_system="PATIENT",
        frame_of_reference_uid=stored.frame_uid,
    )
