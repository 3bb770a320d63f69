"""One scan: read, segment, write, and say in a manifest what was done."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rmaunet.cohort.analyze_scan import Finding, examine
from rmaunet.cohort.prefetch import import_ahead
from rmaunet.cohort.scan_outputs import planned_files, write_outputs
from rmaunet.cohort.segment_request import Request
from rmaunet.core.files import all_or_nothing, sha256, write_json
from rmaunet.core.formats import given_name, scan_name, without_folders
from rmaunet.core.machine import machine
from rmaunet.core.notices import collect_notices
from rmaunet.core.output_checks import check_outputs
from rmaunet.io import read_volume
from rmaunet.io.identity import identifying_text
from rmaunet.io.read import files_read
from rmaunet.io.scan import Scan
from rmaunet.io.write import check_dicom_ct
from rmaunet.predict import ModelCard, Predictor
from rmaunet.predict.memory import peak_bytes
from rmaunet.predict.weights_record import manifest_record

__all__ = ["Outcome", "segment_scan"]

LATER = ("cc3d", "rmaunet.measurement.measure_tables", "rmaunet.io.write")
"""What measures and writes a mask."""
OVERLAY = ("matplotlib.backends.backend_agg", "rmaunet.report.overlay")


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
    scan: Scan | Callable[[], Scan] | None = None,
    overwrite: bool = True,
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
        scan: The scan of ``path``, where it has been read already, or what gives it.
        overwrite: If False, a result that exists is refused.

    Returns:
        What was found and written.

    Raises:
        InputError: If the scan cannot be used.
        OutputError: If something cannot be written; nothing is left of this scan, and older results are as they were.
        UsageError: If a result would replace one of the scan's own files, or a DICOM SEG is asked for and the scan is no DICOM.
    """
    planned = planned_files(scan_name(path), mask_path, request)
    folder = next(iter(planned.values())).parent
    check_outputs(planned.values(), files_read(path), folder=folder, overwrite=overwrite)
    if "dicom-seg" in request.formats:
        check_dicom_ct(path, planned["dicom-seg"])
    began = time.perf_counter()
    with collect_notices() as notices:
        if scan is None:
            scan = read_volume(path, series=request.series, volume=request.volume, hu_offset=request.hu_offset)
        elif callable(scan):
            scan = scan()
        seconds = {"read": time.perf_counter() - began}
        progress = import_ahead(LATER + (OVERLAY if request.overlay else ()), progress)
        finding = examine(scan, predictor, confidence=request.confidence, progress=progress)
        facts = {"Weights": f"{card.name}, identity {card.identity[:12]}", "Licence of the weights": card.licence}
        person = {"CT file": str(path), **identifying_text(scan)} if request.include_phi else {}
        # Folders may name people: what is kept names the file alone.
        notes = notices if request.include_phi else [without_folders(line, path) for line in notices]
        began_writing = time.perf_counter()
        files = write_outputs(scan, finding, mask_path, request, notes=notes, facts=facts | person)
        seconds |= finding.seconds | {"write": time.perf_counter() - began_writing}
    seconds["total"] = time.perf_counter() - began
    manifest = {
        "input": given_name(path),
        "series": request.series,
        **_what_ran(scan, finding, predictor, card, planned["run"]),
        "outputs": {file.name: sha256(file) for file in files},
        "seconds": seconds,
        "notices": notes,
        "machine": machine(),
        "use": "research use only",
        **({"identity": person} if person else {}),
        **(extra or {}),
    }
    files.append(planned["run"])
    write_json(files[-1], manifest)
    return Outcome(scan.name, manifest["measures"], finding.lines(), tuple(files), seconds, tuple(notes))


def _what_ran(scan: Scan, finding: Finding, predictor: Predictor, card: ModelCard, manifest: Path) -> dict[str, Any]:
    """The manifest's part on the scan, the weights, the runtime and what was measured."""
    prediction, runtime = finding.prediction, predictor.runtime
    return {
        "shape": list(scan.volume.spatial_shape),
        "spacing_mm": list(scan.volume.spacing),
        "weights": manifest_record(card, predictor.folder, manifest=manifest),
        "runtime": {
            "name": runtime.name,
            "device": runtime.device,
            "precision": runtime.precision,
            "batch": prediction.batch,
            "why": predictor.why,
        },
        "slices_computed": prediction.computed,
        "memory": {"predicted_bytes": prediction.predicted_bytes, "peak_bytes": peak_bytes()},
        "measures": finding.content(),
        "cohort": finding.row(),
    }
