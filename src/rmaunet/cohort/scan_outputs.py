"""The files of one scan: masks, picture, lesion table, report.

What writes them is imported when it writes: the network does not wait for matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rmaunet.cohort.analyze_scan import Finding
from rmaunet.cohort.segment_request import FORMATS, Request
from rmaunet.core.files import make_folder, write_csv
from rmaunet.core.formats import stem
from rmaunet.io.scan import Scan

__all__ = ["beside", "planned_files", "write_outputs"]


def planned_files(name: str, mask_path: Callable[[str, str], Path], request: Request) -> dict[str, Path]:
    """Every file that a scan's result will have, so that names are checked before anything is computed.

    Args:
        name: The scan's name.
        mask_path: See :func:`write_outputs`.
        request: What to write.

    Returns:
        Formats of masks, then "overlay", "lesions", "report" and "run", to paths.
    """
    files = {kind: mask_path(name, FORMATS[kind]) for kind in request.formats}
    first = next(iter(files.values()))
    for kind, wanted, ending in (
        ("overlay", request.overlay, "overlay.png"),
        ("lesions", request.confidence, "lesions.csv"),
        ("report", request.report, "report.html"),
        ("run", True, "run.json"),
    ):
        if wanted:
            files[kind] = beside(first, ending)
    return files


def write_outputs(
    scan: Scan,
    finding: Finding,
    mask_path: Callable[[str, str], Path],
    request: Request,
    *,
    notes: Sequence[str],
    facts: dict[str, str],
) -> list[Path]:
    """Write everything asked for; each file gets its name when it is whole.

    Args:
        scan: The CT.
        finding: What was found.
        mask_path: From the scan's name and a suffix of :data:`FORMATS` to the mask's path; the other files stand beside it.
        request: What to write.
        notes: Warnings for the report.
        facts: Name and value of what else the report states.

    Returns:
        The files, the masks first.

    Raises:
        OutputError: If something cannot be written; no file stands half-written.
    """
    mask, lesions = finding.mask, None
    if request.lesions and "dicom-seg" in request.formats:
        from rmaunet.measurement import lesion_numbers

        lesions = lesion_numbers(mask)
    from rmaunet.io import write_mask

    planned = planned_files(scan.name, mask_path, request)
    files = [planned[kind] for kind in request.formats]
    for target in files:
        make_folder(target.parent)
        write_mask(mask, target, like=scan, labelmap=request.labelmap, lesions=lesions)
    if request.overlay:
        from rmaunet.report import overlay_figure, save_figure

        files.append(planned["overlay"])
        save_figure(overlay_figure(scan.volume, mask), files[-1])
    rows = finding.lesion_rows()
    if rows is not None:
        from rmaunet.measurement.measure_tables import LESION_COLUMNS, LESION_CONFIDENCE_COLUMNS

        files.append(planned["lesions"])
        write_csv(files[-1], rows, (*LESION_COLUMNS, *LESION_CONFIDENCE_COLUMNS))
    if request.report:
        from rmaunet.report.page import write_report

        files.append(planned["report"])
        write_report(
            scan.volume,
            mask,
            files[-1],
            title=scan.name,
            notes=notes,
            facts=facts,
            slice_thickness_mm=scan.slice_thickness_mm,
            confidence=finding.sure,
        )
    return files


def beside(mask: Path, what: str) -> Path:
    """``NAME_what`` beside the mask ``NAME_seg.nii.gz``, whatever its format."""
    name = stem(mask.name)
    return mask.parent / f"{name.removesuffix('_seg') or name}_{what}"
