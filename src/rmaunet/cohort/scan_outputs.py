"""The files of one scan: masks, picture, lesion table, report.

Libraries that write are imported when they are needed: the network does not wait for matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rmaunet.cohort.result import Result
from rmaunet.cohort.segment_request import FORMATS, Request
from rmaunet.core.files import make_folder, write_csv
from rmaunet.core.formats import stem

__all__ = ["beside", "planned_files", "write_outputs"]


def planned_files(name: str, mask_path: Callable[[str, str], Path], request: Request) -> dict[str, Path]:
    """Paths of all files of a scan, so that they can be checked before anything is computed.

    Args:
        name: Name of the scan.
        mask_path: Maps the scan's name and a suffix of :data:`FORMATS` to the mask's path; the other files are written
            beside it.
        request: What to write.

    Returns:
        Paths by format of mask, then by "overlay", "lesions", "report" and "run".
    """
    files = {kind: mask_path(name, FORMATS[kind]) for kind in request.mask_formats}
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
    result: Result,
    planned: Mapping[str, Path],
    request: Request,
    *,
    notes: Sequence[str],
    facts: dict[str, str],
) -> list[Path]:
    """Write the requested files; each gets its name when it is complete.

    Args:
        result: Mask and measurements.
        planned: Paths from :func:`planned_files`.
        request: What to write.
        notes: Warnings for the report.
        facts: Further lines of the report, name to value.

    Returns:
        The files, the masks first.

    Raises:
        OutputError: If something cannot be written; no file stands half-written.
    """
    scan, mask, lesions = result.scan, result.mask, None
    if request.lesions and "dicom-seg" in request.mask_formats:
        from rmaunet.measurement import lesion_numbers

        lesions = lesion_numbers(mask)
    from rmaunet.io import write_mask

    files = [planned[kind] for kind in request.mask_formats]
    for target in files:
        make_folder(target.parent)
        write_mask(mask, target, like=scan, labelmap=request.labelmap, lesions=lesions)
    if request.overlay:
        from rmaunet.report import overlay_figure, save_figure

        files.append(planned["overlay"])
        save_figure(overlay_figure(scan.volume, mask), files[-1])
    if result.confidence is not None:
        from rmaunet.measurement.measure_tables import LESION_COLUMNS, LESION_CONFIDENCE_COLUMNS

        files.append(planned["lesions"])
        write_csv(files[-1], result.measured.lesion_rows(), (*LESION_COLUMNS, *LESION_CONFIDENCE_COLUMNS))
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
            measured=result.measured,
        )
    return files


def beside(mask: Path, what: str) -> Path:
    """``NAME_what`` beside the mask ``NAME_seg.nii.gz``, whatever its format."""
    name = stem(mask.name)
    return mask.parent / f"{name.removesuffix('_seg') or name}_{what}"
