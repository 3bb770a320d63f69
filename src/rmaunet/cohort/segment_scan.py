"""One scan: read, segment, measure, write, and record everything in a manifest."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rmaunet.cohort.prefetch import import_ahead
from rmaunet.cohort.result import Result, analyze
from rmaunet.cohort.scan_outputs import planned_files, write_outputs
from rmaunet.cohort.segment_request import Request
from rmaunet.core.files import all_or_nothing, sha256, write_json
from rmaunet.core.formats import given_name, scan_name, without_folders
from rmaunet.core.machine import machine
from rmaunet.core.notices import collect_notices
from rmaunet.core.output_checks import check_outputs
from rmaunet.io import read_scan
from rmaunet.io.identity import identifying_text
from rmaunet.io.read import files_read
from rmaunet.io.scan import Scan
from rmaunet.io.write import check_dicom_ct
from rmaunet.predict import Predictor
from rmaunet.predict.memory import peak_bytes
from rmaunet.predict.weights_record import manifest_record

__all__ = ["Job", "Outcome", "segment_scan"]

LATER = ("cc3d", "rmaunet.measurement.measure_tables", "rmaunet.io.write")
"""Modules that measure and write a mask."""
OVERLAY = ("matplotlib.backends.backend_agg", "rmaunet.report.overlay")


@dataclass(frozen=True)
class Job:
    """One scan to segment, and where its files are written.

    Attributes:
        path: File, DICOM folder or archive.
        mask_path: Maps the scan's name and a suffix of :data:`FORMATS` to the mask's path; the other files are written
            beside it.
        read: Scan of ``path``, or a function that returns it; None to read it when its turn comes.
        extra: Further content of the manifest.
        overwrite: If False, existing results are refused.
    """

    path: Path
    mask_path: Callable[[str, str], Path]
    read: Scan | Callable[[], Scan] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = True


@dataclass(frozen=True)
class Outcome:
    """Result of a job.

    Attributes:
        name: Name of the scan.
        measures: Volumes, intensities, lesions and quality flags, as in measures.json.
        lines: The same in a few lines of text.
        files: Files written, the manifest last.
        seconds: Wall time of each step.
        notices: Warnings.
    """

    name: str
    measures: dict[str, Any]
    lines: tuple[str, ...]
    files: tuple[Path, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


@all_or_nothing()
def segment_scan(
    job: Job,
    predictor: Predictor,
    request: Request,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Outcome:
    """Segment one scan and write the requested files.

    Args:
        job: The scan and the paths.
        predictor: Network with weights.
        request: What to write.
        progress: Called with (slices_done, slices_total).

    Returns:
        Measurements and files.

    Raises:
        InputError: If the scan cannot be used.
        OutputError: If a file cannot be written; no file of this scan remains, and earlier results are unchanged.
        UsageError: If a result would replace one of the scan's own files, or a DICOM SEG is requested and the scan is not
            DICOM.
    """
    path = job.path
    planned = planned_files(scan_name(path), job.mask_path, request)
    folder = next(iter(planned.values())).parent
    check_outputs(planned.values(), files_read(path), folder=folder, overwrite=job.overwrite)
    if "dicom-seg" in request.mask_formats:
        check_dicom_ct(path, planned["dicom-seg"])
    began = time.perf_counter()
    with collect_notices() as notices:
        scan = _scan(job, request)
        seconds = {"read": time.perf_counter() - began}
        progress = import_ahead(LATER + (OVERLAY if request.overlay else ()), progress)
        result = analyze(scan, predictor, confidence=request.confidence, progress=progress)
        person = {"CT file": str(path), **identifying_text(scan)} if request.include_phi else {}
        # Folder names may name people: manifests keep the file name alone.
        notes = list(notices) if request.include_phi else [without_folders(line, path) for line in notices]
        began_writing = time.perf_counter()
        files = write_outputs(result, planned, request, notes=notes, facts=result.weights_facts() | person)
        seconds |= result.seconds | {"write": time.perf_counter() - began_writing}
    seconds["total"] = time.perf_counter() - began
    manifest = {
        "input": given_name(path),
        "series": request.series,
        **_what_ran(result, predictor, planned["run"]),
        "outputs": {file.name: sha256(file) for file in files},
        "seconds": seconds,
        "notices": notes,
        "machine": machine(),
        "use": "research use only",
        **({"identity": person} if person else {}),
        **job.extra,
    }
    files.append(planned["run"])
    write_json(files[-1], manifest)
    return Outcome(scan.name, manifest["measures"], tuple(result.measured.lines()), tuple(files), seconds, tuple(notes))


def _scan(job: Job, request: Request) -> Scan:
    if job.read is None:
        return read_scan(job.path, series=request.series, volume=request.volume, hu_offset=request.hu_offset)
    return job.read if isinstance(job.read, Scan) else job.read()


def _what_ran(result: Result, predictor: Predictor, manifest: Path) -> dict[str, Any]:
    """Manifest entries on scan, weights, runtime and measurements."""
    prediction, runtime = result.prediction, predictor.runtime
    return {
        "shape": list(result.scan.volume.spatial_shape),
        "spacing_mm": list(result.scan.volume.spacing),
        "weights": manifest_record(result.card, predictor.folder, manifest=manifest),
        "runtime": {
            "name": runtime.name,
            "device": runtime.device,
            "precision": runtime.precision,
            "batch": prediction.batch,
            "why": predictor.why,
        },
        "slices_computed": prediction.computed,
        "memory": {"predicted_bytes": prediction.predicted_bytes, "peak_bytes": peak_bytes()},
        "measures": result.measured.to_dict(),
        "cohort": result.measured.row(),
    }
