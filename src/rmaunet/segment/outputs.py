"""The files of one scan: masks, picture, lesion table, report.

What writes them is imported when it writes: the network does not wait for matplotlib.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rmaunet.files import make_folder, write_csv
from rmaunet.io.scan import Scan
from rmaunet.segment.finding import Finding
from rmaunet.segment.request import FORMATS, Request

__all__ = ["beside", "write_outputs"]


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
        from rmaunet.report import lesion_numbers

        lesions = lesion_numbers(mask)
    from rmaunet.io import write_mask

    files = [mask_path(scan.name, FORMATS[name]) for name in request.formats]
    for target in files:
        make_folder(target.parent)
        write_mask(mask, target, like=scan, labelmap=request.labelmap, lesions=lesions)
    if request.overlay:
        from rmaunet.report import overlay_figure, save_figure

        files.append(beside(files[0], "overlay.png"))
        save_figure(overlay_figure(scan.volume, mask), files[-1])
    rows = finding.lesion_rows()
    if rows is not None:
        from rmaunet.report.tables import LESION_COLUMNS, LESION_CONFIDENCE_COLUMNS

        files.append(beside(files[0], "lesions.csv"))
        write_csv(files[-1], rows, (*LESION_COLUMNS, *LESION_CONFIDENCE_COLUMNS))
    if request.report:
        from rmaunet.report.page import write_report

        files.append(beside(files[0], "report.html"))
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
    name = mask.name
    for suffix in sorted((".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".seg.dcm", ".dcm"), key=len, reverse=True):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    return mask.parent / f"{name.removesuffix('_seg') or name}_{what}"
