"""One scan: read, predict, measure, write the mask, a picture and the manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rmaunet.files import make_folder, sha256, write_json
from rmaunet.io import read_volume, write_mask
from rmaunet.io.scan import Scan
from rmaunet.notices import collect_notices
from rmaunet.predict import ModelCard, Predictor
from rmaunet.predict.memory import peak_bytes
from rmaunet.report import lesion_table, measure, overlay_figure, quality_flags, save_figure
from rmaunet.report.tables import cohort_row, measures_content, summary_lines
from rmaunet.runs import machine
from rmaunet.volume import Volume

__all__ = ["FORMATS", "Outcome", "Request", "segment_scan"]

FORMATS = {"nifti": ".nii.gz", "nrrd": ".seg.nrrd", "dicom-seg": ".dcm"}


@dataclass(frozen=True)
class Request:
    """What is wanted of each scan.

    Attributes:
        formats: Keys of :data:`FORMATS`.
        overlay: Write a PNG with contours.
        report: Write the HTML report.
        series: SeriesInstanceUID where a folder holds several.
        volume: Index of the volume of a 4-D file.
        hu_offset: Added to the voxels, for files that store HU + 1024.
    """

    formats: tuple[str, ...] = ("nifti",)
    overlay: bool = True
    report: bool = False
    series: str | None = None
    volume: int | None = None
    hu_offset: float = 0.0


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


def segment_scan(
    path: Path,
    predictor: Predictor,
    card: ModelCard,
    *,
    mask_path: Callable[[str, str], Path],
    request: Request,
    progress: Callable[[int, int], None] = lambda done, of: None,
    extra: dict[str, Any] | None = None,
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

    Returns:
        What was found and written.

    Raises:
        InputError: If the scan cannot be used.
        OutputError: If something cannot be written; no file stands half-written.
    """
    began = time.perf_counter()
    with collect_notices() as notices:
        scan = read_volume(path, series=request.series, volume=request.volume, hu_offset=request.hu_offset)
        seconds = {"read": time.perf_counter() - began}
        prediction = predictor.predict(scan.volume, progress=progress)
        seconds |= prediction.seconds
        began_writing = time.perf_counter()
        measures, lesions = measure(scan.volume, prediction.mask), lesion_table(scan.volume, prediction.mask)
        flags = quality_flags(scan.volume, prediction.mask, measures, lesions)
        facts = {"Weights": f"{card.name}, sha256 {card.sha256[:12]}", "Licence of the weights": card.licence}
        # Folders may name people: what is kept names the file alone.
        notes = [line.replace(str(path), path.name) for line in notices]
        files = _write(scan, prediction.mask, mask_path, request, notes=notes, facts=facts)
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
        "measures": measures_content(measures, lesions, flags),
        "cohort": cohort_row(measures, lesions, flags),
        "outputs": {file.name: sha256(file) for file in files},
        "seconds": seconds,
        "notices": notes,
        "machine": machine(),
        "use": "research use only",
        **(extra or {}),
    }
    write_json(manifest, content)
    lines = tuple(summary_lines(measures, lesions, flags))
    return Outcome(scan.name, content["measures"], lines, (*files, manifest), seconds, tuple(notes))


def _write(
    scan: Scan,
    mask: Volume,
    mask_path: Callable[[str, str], Path],
    request: Request,
    *,
    notes: Sequence[str],
    facts: dict[str, str],
) -> list[Path]:
    files: list[Path] = []
    for name in request.formats:
        target = mask_path(scan.name, FORMATS[name])
        make_folder(target.parent)
        write_mask(mask, target, like=scan)
        files.append(target)
    beside, stem = files[0].parent, _stem(files[0])
    if request.overlay:
        picture = beside / f"{stem}_overlay.png"
        save_figure(overlay_figure(scan.volume, mask), picture)
        files.append(picture)
    if request.report:
        from rmaunet.report.page import write_report

        page = beside / f"{stem}_report.html"
        write_report(scan.volume, mask, page, title=scan.name, notes=notes, facts=facts)
        files.append(page)
    return files


def _stem(mask: Path) -> str:
    name = mask.name
    for suffix in sorted((".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".seg.dcm", ".dcm"), key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return name.removesuffix("_seg") or name
