"""One scan: read, predict, measure, write the mask, a picture and the manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rmaunet.files import all_or_nothing, make_folder, sha256, write_csv, write_json
from rmaunet.io import read_volume, write_mask
from rmaunet.io.identity import identifying_text
from rmaunet.io.scan import Scan
from rmaunet.notices import collect_notices
from rmaunet.predict import ModelCard, Predictor
from rmaunet.predict.confidence import KeptMaps
from rmaunet.predict.memory import peak_bytes
from rmaunet.report import lesion_numbers, lesion_table, measure, overlay_figure, quality_flags, save_figure
from rmaunet.report.confidence import Confidence
from rmaunet.report.tables import (
    LESION_COLUMNS,
    LESION_CONFIDENCE_COLUMNS,
    cohort_row,
    lesion_row,
    measures_content,
    summary_lines,
)
from rmaunet.runs import machine
from rmaunet.segment.gauge import gauge
from rmaunet.volume import Volume, axial

__all__ = ["FORMATS", "Outcome", "Request", "segment_scan"]

FORMATS = {"nifti": ".nii.gz", "nrrd": ".seg.nrrd", "dicom-seg": ".dcm"}


@dataclass(frozen=True)
class Request:
    """What is wanted of each scan.

    Attributes:
        formats: Keys of :data:`FORMATS`.
        overlay: Write a PNG with contours.
        report: Write the HTML report.
        confidence: Ask the weights again, at other thresholds and for warped slices: ranges of volumes, sureness of lesions.
        series: SeriesInstanceUID where a folder holds several.
        volume: Index of the volume of a 4-D file.
        hu_offset: Added to the voxels, for files that store HU + 1024.
        labelmap: A DICOM SEG is written as LABELMAP instead of BINARY.
        lesions: A DICOM SEG has a segment with a tracking id for each lesion.
        include_phi: Patient, study and full paths may stand in report and manifest.
    """

    formats: tuple[str, ...] = ("nifti",)
    overlay: bool = True
    report: bool = False
    confidence: bool = False
    series: str | None = None
    volume: int | None = None
    hu_offset: float = 0.0
    labelmap: bool = False
    lesions: bool = False
    include_phi: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a scan.

    Attributes:
        name: The scan's name.
        measures: Volumes, intensities, lesions and quality flags, as measures.json has them.
        lines: The same in a few lines for people.
        files: What was written, the manifest last.
        seconds: Wall time of each step.
        notices: Warnings given on the way.
    """

    name: str
    measures: dict[str, Any]
    lines: tuple[str, ...]
    files: tuple[Path, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@all_or_nothing()
def segment_scan(
    path: Path,
    predictor: Predictor,
    card: ModelCard,
    *,
    mask_path: Callable[[str, str], Path],
    request: Request,
    progress: Callable[[int, int], None] = lambda done, of: None,
    extra: dict[str, Any] | None = None,
    scan: Scan | None = None,
) -> Outcome:
    """Segment one scan and write everything asked for.

    Args:
        path: File, DICOM folder or archive.
        predictor: Network with weights.
        card: The weights' card, for the manifest.
        mask_path: From the scan's name and a suffix of :data:`FORMATS` to the mask's path; the other files stand beside it.
        request: What to write.
        progress: Told (slices done, slices in all).
        extra: More for the manifest.
        scan: The scan of ``path``, where it has been read already.

    Returns:
        What was found and written.

    Raises:
        InputError: If the scan cannot be used.
        OutputError: If something cannot be written; nothing is left of this scan, and older results are as they were.
    """
    began = time.perf_counter()
    with collect_notices() as notices:
        if scan is None:
            scan = read_volume(path, series=request.series, volume=request.volume, hu_offset=request.hu_offset)
        seconds = {"read": time.perf_counter() - began}
        kept = KeptMaps(axial(scan.volume).spatial_shape) if request.confidence else None
        prediction = predictor.predict(scan.volume, progress=progress, watch=kept.watch if kept else None)
        seconds |= prediction.seconds
        measures, lesions = measure(scan.volume, prediction.mask), lesion_table(scan.volume, prediction.mask)
        began_asking = time.perf_counter()
        sure = gauge(predictor, scan.volume, prediction.mask, lesions, kept, progress=progress) if kept else None
        began_writing = time.perf_counter()
        if sure is not None:
            seconds["confidence"] = began_writing - began_asking
        flags = quality_flags(
            scan.volume, prediction.mask, measures, lesions, slice_thickness_mm=scan.slice_thickness_mm
        )
        facts = {"Weights": f"{card.name}, sha256 {card.sha256[:12]}", "Licence of the weights": card.licence}
        person = {"CT file": str(path), **identifying_text(scan)} if request.include_phi else {}
        # Folders may name people: what is kept names the file alone.
        notes = notices if request.include_phi else [line.replace(str(path), path.name) for line in notices]
        rows = [lesion_row(one, its) for one, its in zip(lesions, sure.lesions, strict=True)] if sure else None
        files = _write(
            scan, prediction.mask, mask_path, request, notes=notes, facts=facts | person, sure=sure, rows=rows
        )
        seconds["measure and write"] = time.perf_counter() - began_writing
    seconds["total"] = time.perf_counter() - began
    first = files[0]
    manifest = first.parent / f"{_stem(first)}_run.json"
    content: dict[str, Any] = {
        "input": path.name,
        "series": request.series,
        "shape": list(scan.volume.spatial_shape),
        "spacing_mm": list(scan.volume.spacing),
        "weights": {"name": card.name, "sha256": card.sha256, "licence": card.licence},
        "runtime": {
            "name": predictor.runtime.name,
            "device": predictor.runtime.device,
            "precision": predictor.runtime.precision,
            "batch": prediction.batch,
            "why": predictor.why,
        },
        "slices_computed": prediction.computed,
        "memory": {"predicted_bytes": prediction.predicted_bytes, "peak_bytes": peak_bytes()},
        "measures": measures_content(measures, lesions, flags, sure),
        "cohort": cohort_row(measures, lesions, flags, sure),
        "outputs": {file.name: sha256(file) for file in files},
        "seconds": seconds,
        "notices": notes,
        "machine": machine(),
        "use": "research use only",
        **({"identity": person} if person else {}),
        **(extra or {}),
    }
    write_json(manifest, content)
    lines = tuple(summary_lines(measures, lesions, flags, sure))
    return Outcome(scan.name, content["measures"], lines, (*files, manifest), seconds, tuple(notes))


def _write(
    scan: Scan,
    mask: Volume,
    mask_path: Callable[[str, str], Path],
    request: Request,
    *,
    notes: Sequence[str],
    facts: dict[str, str],
    sure: Confidence | None = None,
    rows: Sequence[dict[str, Any]] | None = None,
) -> list[Path]:
    files: list[Path] = []
    lesions = lesion_numbers(mask) if request.lesions and "dicom-seg" in request.formats else None
    for name in request.formats:
        target = mask_path(scan.name, FORMATS[name])
        make_folder(target.parent)
        write_mask(mask, target, like=scan, labelmap=request.labelmap, lesions=lesions)
        files.append(target)
    beside, stem = files[0].parent, _stem(files[0])
    if request.overlay:
        picture = beside / f"{stem}_overlay.png"
        save_figure(overlay_figure(scan.volume, mask), picture)
        files.append(picture)
    if rows is not None:
        files.append(beside / f"{stem}_lesions.csv")
        write_csv(files[-1], rows, (*LESION_COLUMNS, *LESION_CONFIDENCE_COLUMNS))
    if request.report:
        from rmaunet.report.page import write_report

        page = beside / f"{stem}_report.html"
        thickness = scan.slice_thickness_mm
        write_report(
            scan.volume,
            mask,
            page,
            title=scan.name,
            notes=notes,
            facts=facts,
            slice_thickness_mm=thickness,
            confidence=sure,
        )
        files.append(page)
    return files


def _stem(mask: Path) -> str:
    name = mask.name
    for suffix in sorted((".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".seg.dcm", ".dcm"), key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name.removesuffix("_seg") or name
