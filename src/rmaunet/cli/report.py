"""``rmaunet report -i CT -s MASK -o report.html``: a page with findings, lesions, pictures and a live viewer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from rmaunet.cli.label_option import labels_of
from rmaunet.cli.mask_argument import say_uses
from rmaunet.cli.output_option import refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.core.formats import without_folders

if TYPE_CHECKING:
    from rmaunet.io import Scan

__all__ = ["Report", "main"]


@dataclass(frozen=True)
class Report:
    """Write a report of a CT and a liver mask, whoever made it, as one HTML file that opens offline.

    It holds volumes, tumor burden, a lesion table, key slices and a viewer. Text that identifies the patient (DICOM's
    patient and study, the files' folders) stays out unless --include-phi; the title is by default the file's name
    without folder and suffix, or the DICOM folder's name: use --title where that identifies someone.

    Examples:
      rmaunet report -i ct.nii.gz -s mask.nii.gz -o report.html
      rmaunet report -i ct.nii.gz -s totalsegmentator.nii.gz --label 5=liver -o report.html
    """

    input: Annotated[Path, tyro.conf.arg(aliases=["-i"])]
    """CT: NIfTI, NRRD, MetaImage, DICOM folder, file or zip."""
    mask: Annotated[Path, tyro.conf.arg(aliases=["-s"])]
    """Mask on the CT's grid: NIfTI, NRRD, Slicer .seg.nrrd, DICOM SEG; a folder or zip with one of them, or a folder with
    one file per structure (liver.nii.gz, liver_tumor.nii.gz)."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The page, ending in .html."""
    title: str | None = None
    """Heading, by default the scan's name."""
    label: tuple[str, ...] = ()
    """What the mask's values or segments mean, e.g. 5=liver 7=tumor, LAYER:VALUE=liver or NAME=tumor; what is not named is
    background. By default names and codes decide, else 1=liver 2=tumor."""
    include_phi: bool = False
    """Let identifying text of the source into the page."""
    date: str | None = None
    """A date to print; none is printed by default."""
    series: str | None = None
    """SeriesInstanceUID where a DICOM folder holds several."""
    volume: int | None = None
    """Which volume of a 4-D file, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel, e.g. -1024 for files that store HU + 1024."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Report, argv, "rmaunet report")
    from rmaunet.core.errors import UsageError

    if args.output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(args.output, "suffix", args.output.suffix, "is no web page", "end the name in .html")
    labels = labels_of("report", args.label)
    refuse_inputs([args.output], (args.input, args.mask))
    from rmaunet.core.notices import collect_notices
    from rmaunet.io import read_scan
    from rmaunet.io.masks.mask_reader import describe_mask
    from rmaunet.measurement import measure_mask
    from rmaunet.report.page import viewer_script, write_report

    with collect_notices() as notices:
        scan = read_scan(args.input, series=args.series, volume=args.volume, hu_offset=args.hu_offset)
        reading = describe_mask(args.mask, like=scan, labels=labels)
    mask = reading.volume
    say_uses(args.mask, reading.uses)
    title = args.title if args.title is not None else scan.name
    facts = _facts(args, scan)
    notes = notices if args.include_phi else [without_folders(line, args.input, args.mask) for line in notices]
    measured = measure_mask(mask, scan.volume, slice_thickness_mm=scan.slice_thickness_mm)
    write_report(scan.volume, mask, args.output, title=title, notes=notes, facts=facts, measured=measured)
    size = args.output.stat().st_size
    if args.json:
        import json

        content = {"file": str(args.output), "bytes": size, "viewer": viewer_script() is not None, "notices": notices}
        content["segments"] = [use.to_dict() for use in reading.uses]
        print(json.dumps(content, indent=2))
    else:
        print(f"wrote {args.output} ({size / 1e6:.1f} MB)")
    return 0


def _facts(args: Report, scan: Scan) -> dict[str, str]:
    from rmaunet.io.identity import identifying_text

    facts: dict[str, str] = {}
    if args.date is not None:
        facts["Date"] = args.date
    if not args.include_phi:
        return facts
    return facts | {"CT file": str(args.input), "Mask file": str(args.mask)} | identifying_text(scan)
