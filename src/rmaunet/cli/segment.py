"""``rmaunet segment -i SCAN -o OUT``: a CT, or a folder of them, becomes masks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from rmaunet.cli.parse import parse
from rmaunet.cohort.segment_request import Request
from rmaunet.predict.compute import Compute

if TYPE_CHECKING:
    from rmaunet.cohort.find_scans import Item
    from rmaunet.cohort.segment_scan import Outcome
    from rmaunet.core.formats import MaskFormat
    from rmaunet.predict import Weights

__all__ = ["Segment", "main"]


@dataclass(frozen=True)
class Segment:
    """Segment liver and liver tumors in a CT: NIfTI, NRRD, MetaImage, a DICOM folder, file or zip, or a folder of scans.

    The mask has the scan's own grid: 0 background, 1 liver, 2 tumor. Beside it stand a picture with contours and a manifest
    (run.json) with volumes, times, warnings and checksums. Nothing leaves this machine.

    Examples:
      rmaunet segment -i ct.nii.gz -o result/
      rmaunet segment -i study/ -o result/ --format dicom-seg nifti
      rmaunet segment -i cohort/ -o masks/            (many scans; run again to go on)
    """

    input: Annotated[Path, tyro.conf.arg(aliases=["-i"])]
    """Scan, or folder of scans."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the results, or the mask's own name (.nii.gz, .seg.nrrd, .dcm)."""
    weights: Annotated[str, tyro.conf.arg(aliases=["-w"])] = "fast"
    """Name of shipped weights (`rmaunet models list`), or their folder."""
    request: Annotated[Request, tyro.conf.arg(name="")] = field(default_factory=Request)
    compute: Annotated[Compute, tyro.conf.arg(name="")] = field(default_factory=Compute)
    overwrite: bool = False
    """Replace existing results of one scan; in a folder of scans, segment again those that have results."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Segment, argv, "rmaunet segment")
    from rmaunet.core.errors import InputError, UsageError
    from rmaunet.core.files import make_folder
    from rmaunet.core.notices import notice
    from rmaunet.runtimes.devices import check_device

    if not args.input.exists() and not args.input.is_symlink():
        raise InputError(args.input, "path", None, "does not exist", "check the path")
    check_device("segment", args.compute.device)
    own_format = _own_format(args, argv)
    from rmaunet.cohort.find_scans import find_items, is_batch
    from rmaunet.predict import load_weights

    make_folder(args.output if own_format is None else args.output.parent)
    weights = load_weights(args.weights, at_once=False)
    request = args.request
    formats = request.formats or ((own_format,) if own_format else ("nifti",))
    request = replace(request, formats=formats)
    if (request.labelmap or request.lesions) and "dicom-seg" not in formats:
        notice("segment", "--labelmap and --lesions have no effect without --format dicom-seg")
    many = request.series is None and args.input.is_dir()
    items = find_items(args.input, leave_out=args.output if own_format is None else None) if many else []
    if is_batch(items):
        if own_format is not None:
            problem = f"is one file, and {args.input} is a folder of image files ({len(items)})"
            raise UsageError("segment", "-o", str(args.output), problem, "give a folder")
        return _many(args, weights, request, items)
    return _one(args, weights, request, own_format, items)


def _own_format(args: Segment, argv: list[str]) -> MaskFormat | None:
    """The format of the mask's own name in -o; None if -o is a folder. Raises UsageError for what cannot be written."""
    from rmaunet.cli.output_option import check_folder
    from rmaunet.core.errors import UsageError
    from rmaunet.core.formats import MASK_FORMATS
    from rmaunet.io.write import check_dicom_ct, mask_format

    if args.output.is_dir() or not args.output.name.lower().endswith(tuple(MASK_FORMATS)):
        if args.input.is_dir() and args.output.is_dir() and args.output.samefile(args.input):
            raise UsageError("segment", "-o", str(args.output), "is the folder of the scans", "give another folder")
        check_folder("segment", args.output, argv, instead=f"end the name in {', '.join(MASK_FORMATS)}")
        if "dicom-seg" in args.request.formats and args.input.is_file():
            check_dicom_ct(args.input, args.output)
        return None
    found = mask_format(args.output, ct=args.input if args.input.is_file() else None)
    if args.request.formats and args.request.formats != (found,):
        problem = f"does not fit the one file {args.output.name}"
        raise UsageError("segment", "--format", " ".join(args.request.formats), problem, "give a folder")
    return found


def _one(args: Segment, weights: Weights, request: Request, own_format: str | None, items: Sequence[Item]) -> int:
    from rmaunet.cohort.segment_scan import Job, segment_scan
    from rmaunet.core.formats import scan_name
    from rmaunet.io import Scan, read_scan
    from rmaunet.predict import Predictor

    def mask_path(name: str, suffix: str) -> Path:
        return args.output / f"{name}_seg{suffix}" if own_format is None else args.output

    def read() -> Scan:
        # A folder's only CT may lie beside masks that say they are CT; the name stays the one that was given.
        path, series = (items[0].path, items[0].series) if len(items) == 1 else (args.input, request.series)
        scan = read_scan(path, series=series, volume=request.volume, hu_offset=request.hu_offset)
        return replace(scan, name=scan_name(args.input))

    outcome = segment_scan(
        Job(args.input, mask_path, read, overwrite=args.overwrite),
        Predictor(weights, args.compute),
        request,
        progress=lambda done, of: show(f"{done}/{of} slices", last=done == of),
    )
    _print(outcome, as_json=args.json)
    return 0


def show(text: str, *, last: bool = False) -> None:
    """One line that rewrites itself on a terminal; only its last state elsewhere."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="\n" if last else "", file=sys.stderr, flush=True)
    elif last:
        print(text, file=sys.stderr, flush=True)


def _print(outcome: Outcome, *, as_json: bool) -> None:
    import json

    if as_json:
        content = {
            "name": outcome.name,
            "measures": outcome.measures,
            "files": [str(file) for file in outcome.files],
            "seconds": outcome.seconds,
            "notices": list(outcome.notices),
        }
        print(json.dumps(content, indent=2))
        return
    for line in outcome.lines:
        print(line)
    print(f"in {outcome.seconds['total']:.1f} s; wrote")
    for file in outcome.files:
        print(f"  {file}")


def _many(args: Segment, weights: Weights, request: Request, items: Sequence[Item]) -> int:
    import json

    from rmaunet.cohort.batch import segment_folder
    from rmaunet.core.formats import one_line
    from rmaunet.predict import Predictor

    _check_folder_of_results(args, request, items)

    def progress(done: int, of: int, name: str, slices: int, depth: int) -> None:
        show(one_line(f"[{done + 1}/{of}] {name} {slices}/{depth} slices"), last=slices == depth and depth > 0)

    predictor = Predictor(weights, args.compute)
    summary = segment_folder(items, args.output, predictor, request, overwrite=args.overwrite, progress=progress)
    for failure in summary.failures:
        print(one_line(f"error: {failure['name']}: {failure['error']}"), file=sys.stderr)
    if args.json:
        print(json.dumps({"done": summary.done, "kept": summary.kept, "failures": summary.failures}, indent=2))
    else:
        print(
            f"{len(summary.done)} segmented, {len(summary.kept)} kept from before, {len(summary.failures)} failed; "
            f"see {args.output / 'cohort.csv'}" + (f" and {args.output / 'failures.csv'}" if summary.failures else "")
        )
    return 3 if summary.failures else 0


def _check_folder_of_results(args: Segment, request: Request, items: Sequence[Item]) -> None:
    """Refuse results among the scans, or under the name of one of them. Raises UsageError."""
    from rmaunet.cohort.find_scans import find_items
    from rmaunet.cohort.segment_request import FORMATS
    from rmaunet.core.errors import UsageError
    from rmaunet.core.output_checks import check_outputs, is_there
    from rmaunet.io.read import files_read

    tables = [args.output / "cohort.csv", args.output / "failures.csv"]
    fresh = not any(path.exists() for path in tables)  # else results of an earlier run, which holds no scans
    inside = find_items(args.output, say=False) if fresh and _lies_in(args.output, args.input) else []
    if inside:
        problem = f"holds {len(inside)} scans itself, first {inside[0].path.name}"
        raise UsageError("segment", "-o", str(args.output), problem, "give another folder")
    masks = [args.output / f"{item.name}_seg{FORMATS[kind]}" for item in items for kind in request.mask_formats]
    existing = [path for path in (*masks, *tables) if is_there(path)]  # names that are too long fail scan by scan
    check_outputs(existing, [file for item in items for file in files_read(item.path)], folder=args.output)


def _lies_in(folder: Path, root: Path) -> bool:
    """Whether a folder is below another, by whatever links."""
    real = folder.resolve()
    return root.resolve() in real.parents
