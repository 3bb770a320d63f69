"""``rmaunet convert -i MASK -o OUT``: any mask format into any other."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from rmaunet.cli.label_option import labels_of
from rmaunet.cli.mask_argument import say_uses
from rmaunet.cli.output_option import refuse_inputs
from rmaunet.cli.parse import parse

__all__ = ["Convert", "main"]


@dataclass(frozen=True)
class Convert:
    """Convert a liver and tumor mask between NIfTI, 3D Slicer (.seg.nrrd) and DICOM SEG.

    The result is read back and compared before it gets its name. With the CT, the mask is put on its very grid; without,
    it keeps its own. A DICOM SEG needs the DICOM CT.

    Examples:
      rmaunet convert -i liver.seg.nrrd -o liver.nii.gz
      rmaunet convert -i liver.nii.gz -o liver.seg.dcm --like dicom_folder/ --lesions
      rmaunet convert -i totalsegmentator.nii.gz --label 5=liver -o liver.seg.nrrd
    """

    input: Annotated[Path, tyro.conf.arg(aliases=["-i"])]
    """Mask: NIfTI, NRRD, MetaImage or DICOM SEG; a folder or zip with one, or a folder with one file per structure."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """File to write; its suffix is its format: .nii.gz, .nii, .seg.nrrd, .seg.dcm."""
    like: Path | None = None
    """CT the mask belongs to."""
    label: tuple[str, ...] = ()
    """What the mask's values or segments mean, e.g. 5=liver 7=tumor, LAYER:VALUE=liver or NAME=tumor; what is not named is
    background. By default names and codes decide, else 1=liver 2=tumor."""
    series: str | None = None
    """SeriesInstanceUID where --like holds several."""
    volume: int | None = None
    """Which volume of --like, where it is 4-D, from 0."""
    labelmap: bool = False
    """DICOM SEG: write the LABELMAP type of 2024 instead of BINARY, which every viewer reads."""
    lesions: bool = False
    """DICOM SEG: a segment with a tracking id for each lesion, instead of one for all tumors."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Convert, argv, "rmaunet convert")
    from rmaunet.core.errors import UsageError
    from rmaunet.core.notices import notice
    from rmaunet.io import read_scan, write_mask
    from rmaunet.io.masks.mask_reader import describe_mask, read_mask_scan
    from rmaunet.io.write import mask_format
    from rmaunet.measurement import lesion_numbers

    labels = labels_of("convert", args.label)
    mask_format(args.output, ct=args.like if args.like is not None and args.like.is_file() else None)
    refuse_inputs([args.output], (args.input, args.like))
    if args.like is None:
        for option, value in (("--series", args.series), ("--volume", args.volume)):
            if value is not None:
                raise UsageError("convert", option, value, "has no effect without --like", "leave it out")
        scan, uses = read_mask_scan(args.input, labels=labels)
        mask = scan.volume
    else:
        scan = read_scan(args.like, series=args.series, volume=args.volume)
        reading = describe_mask(args.input, like=scan, labels=labels)
        mask, uses = reading.volume, reading.uses
    say_uses(args.input, uses)
    if (args.labelmap or args.lesions) and args.output.suffix.lower() != ".dcm":
        notice("convert", "--labelmap and --lesions have no effect but on a DICOM SEG (.dcm)")
    lesions = lesion_numbers(mask) if args.lesions else None
    write_mask(mask, args.output, like=scan, labelmap=args.labelmap, lesions=lesions)
    print(f"{args.output} written and read back", file=sys.stderr)
    return 0
