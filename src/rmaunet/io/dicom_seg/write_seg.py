"""DICOM SEG out (highdicom) and in (:mod:`rmaunet.io.dicom_seg.read_seg`)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import generate_uid

from rmaunet import __version__
from rmaunet.core.errors import InputError, OutputError, UsageError
from rmaunet.core.files import replacing
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.vocabulary import Code
from rmaunet.core.volume import Volume
from rmaunet.core.volume.placement import Grid, placement
from rmaunet.io.dicom.dicom_files import printable, quiet, text
from rmaunet.io.dicom_seg.read_seg import read_dicom_seg
from rmaunet.io.masks.label_codes import SEGMENTS, Segment
from rmaunet.io.scan import DicomSource, Source

if TYPE_CHECKING:
    import highdicom as hd
    from pydicom.sr.coding import Code as DicomCode

__all__ = ["fill_grid", "read_dicom_seg", "write_dicom_seg"]

NAMES = {LIVER: "Liver without tumor", TUMOR: "Liver tumor"}
DESCRIPTIONS = {
    LIVER: "Liver tissue outside the tumors; the whole liver is this segment and the tumor segments together",
    TUMOR: "Liver tumor; not part of the liver segment",
}
SERIES_DESCRIPTION = "Liver and liver tumor (rmaunet, research use only)"
_PATIENT_AND_STUDY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName",
)  # fmt: skip


def write_dicom_seg(
    mask: Volume,
    path: Path,
    *,
    source: Source,
    labelmap: bool = False,
    lesions: NDArray[np.integer] | None = None,
    series_description: str = SERIES_DESCRIPTION,
) -> None:
    """Write a mask as DICOM SEG that belongs to its CT's study.

    Segments do not overlap: 1 is liver without tumor, 2 (or 2, 3, ... with ``lesions``) is tumor; their descriptions
    say so. Frames without a voxel are left out, unless
    all are.

    Args:
        mask: uint8 (D, H, W), 0 background, 1 liver, 2 tumor.
        path: The final name.
        source: The DICOM series the mask was made from.
        labelmap: LABELMAP (2024) instead of BINARY, which every viewer reads.
        lesions: (D, H, W) numbers from 1 of the separate tumors, 0 exactly where ``mask`` is not 2: one segment with a
            tracking id each.
        series_description: SeriesDescription of the new series.

    Raises:
        UsageError: If the source is no DICOM, or ``lesions`` does not fit the mask.
        InputError: If the source lacks what a SEG must refer to, naming tag and slice.
        OutputError: If it cannot be written or does not read back equal.
    """
    if not isinstance(source, DicomSource):
        raise UsageError(path, "source", type(source).__name__, "a DICOM SEG needs a DICOM CT", "choose .nii.gz")
    numbered, segments = _segments(mask, path, source, lesions)
    datasets = _source_images(mask, source)
    written = Volume(array=numbered, affine=mask.affine, coordinate_system="PATIENT")
    with replacing(path) as temporary:
        try:
            with quiet():
                seg = _segmentation(written, segments, datasets, labelmap, series_description)
                _true_spacing(seg, mask)
                seg.save_as(temporary)
        except OSError:
            raise
        except Exception as error:
            problem = f"cannot be built from this series ({type(error).__name__})"
            raise InputError(source.path, "DICOM SEG", None, problem, "choose .nii.gz or .seg.nrrd") from error
        _compare(mask, numbered, temporary, path)


def _segmentation(
    written: Volume, segments: list[hd.seg.SegmentDescription], datasets: list[Dataset], labelmap: bool, text_: str
) -> hd.seg.Segmentation:
    import highdicom as hd

    kind = hd.seg.SegmentationTypeValues
    return hd.seg.Segmentation(
        source_images=datasets,
        pixel_array=written,
        segmentation_type=kind.LABELMAP if labelmap else kind.BINARY,
        segment_descriptions=segments,
        series_instance_uid=hd.UID(),
        series_number=1000,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="rmaunet",
        manufacturer_model_name="rmaunet",
        software_versions=__version__,
        device_serial_number="0",
        content_label="LIVER_AND_TUMOR",
        content_description="Liver and liver tumor",
        series_description=text_,
        specific_character_set="ISO_IR 192",
        omit_empty_frames=bool(written.array.any()),  # a SEG must have a frame
    )


def _segments(
    mask: Volume, path: Path, source: DicomSource, lesions: NDArray[np.integer] | None
) -> tuple[NDArray[np.generic], list[hd.seg.SegmentDescription]]:
    """The mask with segment numbers for labels, and what each number is."""
    liver, tumor = SEGMENTS
    if lesions is None:
        return mask.array, [_describe(1, liver, NAMES[LIVER]), _describe(2, tumor, NAMES[TUMOR])]
    if lesions.shape != mask.array.shape or not np.array_equal(lesions > 0, mask.array == TUMOR):
        problem = "does not number exactly the tumor voxels"
        raise UsageError(path, "lesions", lesions.shape, problem, "label the mask's tumor voxels from 1")
    count = int(lesions.max(initial=0))
    numbered = np.where(lesions > 0, lesions + 1, mask.array).astype(np.uint16 if count > 254 else np.uint8)
    found = [_describe(1, liver, NAMES[LIVER])]
    where = np.flatnonzero(lesions)
    first = dict(zip(*np.unique(lesions.reshape(-1)[where], return_index=True), strict=True))
    for lesion in range(1, count + 1):
        if lesion not in first:
            raise UsageError(path, "lesions", lesion, "is a number without a voxel", "number them 1, 2, 3, ...")
        seed = [source.series_uid, str(lesion), str(where[first[lesion]]), str(mask.affine)]
        uid = generate_uid(entropy_srcs=seed)
        found.append(_describe(lesion + 1, tumor, f"{NAMES[TUMOR]} {lesion}", f"lesion-{lesion}", uid))
    return numbered, found


def _describe(
    number: int, segment: Segment, name: str, tracking_id: str | None = None, tracking_uid: str | None = None
) -> hd.seg.SegmentDescription:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    algorithm = hd.AlgorithmIdentificationSequence(
        name="rmaunet", family=codes.DCM.ArtificialIntelligence, version=__version__
    )
    item = hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=_code(segment.category),
        segmented_property_type=_code(segment.type),
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        anatomic_regions=None if segment.region is None else [_code(segment.region)],
        tracking_id=tracking_id,
        tracking_uid=tracking_uid,
        display_color=hd.color.CIELabColor.from_rgb(*segment.rgb),
    )
    item.SegmentDescription = DESCRIPTIONS[segment.label]
    return item


def _code(code: Code) -> DicomCode:
    from pydicom.sr.coding import Code as DicomCode

    return DicomCode(code.value, code.scheme, code.meaning)


def _source_images(mask: Volume, source: DicomSource) -> list[Dataset]:
    """The source's data sets with what a SEG needs: UIDs checked, type 2 tags filled, cosines of length one."""
    names = ("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
    result = []
    cosines = [*(mask.affine[:3, 2] / mask.spacing[2]), *(mask.affine[:3, 1] / mask.spacing[1])]
    for index, dataset in enumerate(source.datasets):
        for name in names:
            if not text(dataset, name):
                shown = printable(text(dataset, "InstanceNumber") or index + 1, 12)
                problem = f"is missing in the slice of InstanceNumber {shown}: a DICOM SEG must refer to it"
                raise InputError(source.path, name, None, problem, "choose .nii.gz or .seg.nrrd")
        copy = Dataset()
        copy.update(dataset)
        if "PerFrameFunctionalGroupsSequence" not in copy:
            copy.ImageOrientationPatient = [f"{value:.10g}"[:16] for value in cosines]
        result.append(copy)
    _complete(result[0])
    return result


def _complete(dataset: Dataset) -> None:
    """Tags of patient and study that must be there, if empty; values that DICOM forbids are emptied."""
    from pydicom.valuerep import DA, TM

    with quiet():
        with contextlib.suppress(Exception):
            dataset.decode()  # the SEG is written in UTF-8, whatever the source's character set
        for keyword in _PATIENT_AND_STUDY:
            if not text(dataset, keyword):
                setattr(dataset, keyword, "")
        if dataset.PatientSex not in ("M", "F", "O", ""):
            dataset.PatientSex = ""
        for keyword, kind in (("PatientBirthDate", DA), ("StudyDate", DA), ("StudyTime", TM)):
            try:
                kind(text(dataset, keyword) or None)
            except ValueError:
                setattr(dataset, keyword, "")


def _true_spacing(seg: Dataset, mask: Volume) -> None:
    """Write the distance of the mask's slices; highdicom copies the CT's SpacingBetweenSlices, which may be wrong."""
    for group in (*seg.SharedFunctionalGroupsSequence, *seg.PerFrameFunctionalGroupsSequence):
        for measures in group.get("PixelMeasuresSequence") or []:
            measures.SpacingBetweenSlices = f"{mask.spacing[0]:.10g}"[:16]


def _compare(mask: Volume, numbered: NDArray[np.generic], temporary: Path, path: Path) -> None:
    """Read the file back with our reader and with highdicom's, which relies on other tags, and compare all voxels."""
    try:
        same = np.array_equal(fill_grid(read_dicom_seg(temporary), mask, temporary).array, mask.array)
        reason = "other voxels"
        if same and not np.array_equal(_by_highdicom(temporary, mask), numbered):
            same, reason = False, "highdicom reads other voxels"
    except InputError as error:
        same, reason = False, str(error.problem)
    if not same:
        raise OutputError(path, "DICOM SEG", None, f"does not read back as written ({reason})", "report this defect")


def _by_highdicom(path: Path, like: Volume) -> NDArray[np.generic]:
    """Segment numbers on the grid of ``like`` as highdicom's ``get_volume`` gives them."""
    import highdicom as hd

    try:
        with quiet():
            seg = hd.seg.segread(path)
            volume = seg.get_volume(combine_segments=True, allow_missing_positions=True)
    except Exception as error:  # whatever it raises, others could not read the file
        problem = f"highdicom cannot read it: {printable(error, 80)}"
        raise InputError(path, "DICOM SEG", None, problem, "report this defect") from error
    return fill_grid(volume, like, path).array


def fill_grid(mask: Volume, like: Volume, path: Path) -> Volume:
    """Put a mask whose frames cover part of a CT's slices on the CT's whole grid.

    Args:
        mask: From :func:`read_dicom_seg`.
        like: A volume whose voxel positions include the mask's.
        path: The mask's file, for the error.

    Returns:
        ``mask``'s voxels on the grid of ``like``, background elsewhere.

    Raises:
        InputError: If the positions do not coincide (1 % of a voxel), or the mask reaches beyond ``like``.
    """
    grid = Grid(np.asarray(like.affine, float), tuple(like.spatial_shape))
    found = placement(Grid(np.asarray(mask.affine, float), tuple(mask.spatial_shape)), grid)
    if found is None or not found.fits:
        gap = f"corners up to {found.off} apart" if found else "axes"
        raise InputError(path, "grid", gap, "lies elsewhere than the CT", "give the mask drawn on this CT")
    full = np.zeros(grid.shape, mask.dtype)
    if found.onto(mask.array, full):
        raise InputError(path, "grid", None, "reaches beyond the CT", "give the mask drawn on this CT")
    return Volume(array=full, affine=grid.affine, coordinate_system="PATIENT")
