"""``rmaunet segment -i SCAN -o OUT``: a CT, or a folder of them, becomes masks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from rmaunet.predict import Predictor, Weights
    from rmaunet.segment.find import Item
    from rmaunet.segment.request import Request
    from rmaunet.segment.scan import Outcome

__all__ = ["Segment", "main"]

FORMAT_OF = {".nii": "nifti", ".nii.gz": "nifti", ".nrrd": "nrrd", ".seg.nrrd": "nrrd", ".dcm": "dicom-seg"}


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
    format: tuple[Literal["nifti", "nrrd", "dicom-seg"], ...] = ()
    """Formats of the mask; by default by the output's suffix, else nifti."""
    series: str | None = None
    """SeriesInstanceUID where a DICOM folder holds several (`rmaunet info` lists them)."""
    volume: int | None = None
    """Which volume of a 4-D file, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel, e.g. -1024 for files that store HU + 1024."""
    overlay: bool = True
    """Write a PNG with contours on axial, coronal and sagittal slices."""
    report: bool = False
    """Write a self-contained HTML report (`rmaunet report` makes one of any mask, with more choices)."""
    labelmap: bool = False
    """DICOM SEG: write the LABELMAP type of 2024 instead of BINARY, which every viewer reads."""
    lesions: bool = False
    """DICOM SEG: a segment with a tracking id for each lesion, instead of one for all tumors."""
    include_phi: bool = False
    """Let text that identifies the patient (DICOM's patient and study, full paths) into the report and the manifest."""
    confidence: bool = False
    """Also say how sure: ranges of the volumes over thresholds and five warped passes, probability and stability of each
    lesion, NAME_lesions.csv. Takes up to six times as long; the mask stays the same."""
    device: Annotated[str, tyro.conf.arg(aliases=["-d"])] = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    runtime: Literal["auto", "torch", "openvino", "onnxruntime"] = "auto"
    """What computes the network. auto: OpenVINO on a CPU where it loads, else PyTorch; docs/runtimes.md has the rule."""
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    """auto: bfloat16 where the hardware has it and its masks were measured to agree, else float32. int8: only by name."""
    threads: int = 0
    """Threads for the network; 0 takes one a core."""
    batch: int = 4
    """Slices a call of the network."""
    all_slices: bool = False
    """Run the network on every slice, not on every 20 mm first and then around what is found."""
    max_memory: str = ""
    """Memory the process may take, e.g. 1500M or 2G; fewer slices a call keep to it, a scan that cannot is refused."""
    overwrite: bool = False
    """In a folder of scans: do again what is done already."""
    json: bool = False
    """Print the result as JSON."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = tyro.cli(Segment, args=argv, prog="rmaunet segment")
    from rmaunet.errors import InputError, UsageError
    from rmaunet.files import make_folder
    from rmaunet.notices import notice

    if not args.input.exists() and not args.input.is_symlink():
        raise InputError(args.input, "path", None, "does not exist", "check the path")
    if args.batch < 1 or args.threads < 0:
        raise UsageError("segment", "--batch/--threads", f"{args.batch}/{args.threads}", "too small", "give 1 or more")
    own_name = _suffix(args.output)
    if own_name and args.format and FORMAT_OF[own_name] not in args.format:
        raise UsageError(
            "segment", "--format", " ".join(args.format), f"does not fit the name {args.output.name}", "give a folder"
        )
    make_folder(args.output.parent if own_name else args.output)
    from rmaunet.predict import load_weights
    from rmaunet.segment.find import find_items, is_batch
    from rmaunet.segment.request import Request

    weights = load_weights(args.weights, at_once=False)
    request = Request(
        formats=args.format or ((FORMAT_OF[own_name],) if own_name else ("nifti",)),
        overlay=args.overlay,
        report=args.report,
        confidence=args.confidence,
        series=args.series,
        volume=args.volume,
        hu_offset=args.hu_offset,
        labelmap=args.labelmap,
        lesions=args.lesions,
        include_phi=args.include_phi,
    )
    if (args.labelmap or args.lesions) and "dicom-seg" not in request.formats:
        notice("segment", "--labelmap and --lesions have no effect without --format dicom-seg")
    many = own_name is None and args.series is None and args.input.is_dir()
    items = find_items(args.input, leave_out=args.output) if many else []
    if is_batch(items):
        return _many(args, weights, request, items)
    return _one(args, weights, request, own_name)


def _suffix(path: Path) -> str | None:
    if path.is_dir():
        return None
    return next((s for s in sorted(FORMAT_OF, key=len, reverse=True) if path.name.lower().endswith(s)), None)


def _predictor(args: Segment, weights: Weights) -> Predictor:
    from rmaunet.predict import Predictor
    from rmaunet.predict.memory import size_in_bytes

    return Predictor.from_weights(
        weights,
        runtime=args.runtime,
        device=args.device,
        precision=args.precision,
        batch=args.batch,
        threads=args.threads,
        all_slices=args.all_slices,
        max_memory=size_in_bytes(args.max_memory) if args.max_memory else None,
    )


def _one(args: Segment, weights: Weights, request: Request, own_name: str | None) -> int:
    from rmaunet.notices import notice
    from rmaunet.segment.scan import segment_scan

    if args.overwrite:
        notice("segment", "--overwrite has no effect on one scan: its results are written anew")

    def mask_path(name: str, suffix: str) -> Path:
        if own_name and FORMAT_OF[own_name] == FORMAT_OF[suffix]:
            return args.output
        return args.output / f"{name}_seg{suffix}"

    outcome = segment_scan(
        args.input,
        _predictor(args, weights),
        weights.card,
        mask_path=mask_path,
        request=request,
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

    from rmaunet.errors import UsageError
    from rmaunet.segment.folder import segment_folder

    if args.output.resolve() == args.input.resolve():
        raise UsageError("segment", "-o", str(args.output), "is the folder of the scans", "give another folder")

    def progress(done: int, of: int, name: str, slices: int, depth: int) -> None:
        show(f"[{done + 1}/{of}] {name} {slices}/{depth} slices", last=slices == depth and depth > 0)

    predictor = _predictor(args, weights)
    summary = segment_folder(
        items, args.output, predictor, weights.card, request=request, overwrite=args.overwrite, progress=progress
    )
    for failure in summary.failures:
        print(f"error: {failure['name']}: {failure['error']}", file=sys.stderr)
    if args.json:
        print(json.dumps({"done": summary.done, "kept": summary.kept, "failures": summary.failures}, indent=2))
    else:
        print(
            f"{len(summary.done)} segmented, {len(summary.kept)} kept from before, {len(summary.failures)} failed; "
            f"see {args.output / 'cohort.csv'}" + (f" and {args.output / 'failures.csv'}" if summary.failures else "")
        )
    return 3 if summary.failures else 0
