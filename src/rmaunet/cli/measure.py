"""``rmaunet measure -i CT -s MASK -o OUT``: numbers, lesion table and a picture of any mask."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from rmaunet.cli.label_option import labels_of
from rmaunet.cli.mask_argument import is_one_mask, say_uses
from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.core.errors import InputError, OutputError, RmaunetError, UsageError
from rmaunet.core.files import all_or_nothing, make_folder, read_json, sha256, write_csv, write_json
from rmaunet.core.formats import given_name, one_line, without_folders
from rmaunet.core.notices import collect_notices, notice
from rmaunet.core.output_checks import check_name

if TYPE_CHECKING:
    from rmaunet.cohort.find_scans import Item
    from rmaunet.io import Scan
    from rmaunet.io.masks.label_values import Labels

__all__ = ["Measure", "main"]

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}


@dataclass(frozen=True)
class Measure:
    """Measure liver and tumors in a mask, whoever made it: volumes, tumor burden, HU, and a table of the lesions.

    Reads masks of rmaunet, nnU-Net, TotalSegmentator, Slicer (.seg.nrrd) and DICOM SEG. Writes measures.json, measures.csv,
    lesions.csv, overlay.png and run.json. With two folders, scans and masks are matched by name; each case gets its own
    folder, and cohort.csv and lesions.csv hold all of them. Research use only: not a RECIST read.

    Examples:
      rmaunet measure -i ct.nii.gz -s liver_seg.nii.gz -o numbers/
      rmaunet measure -i ct.nii.gz -s totalsegmentator.nii.gz --label 5=liver -o numbers/
      rmaunet measure -i scans/ -s masks/ -o numbers/
    """

    mask: Annotated[Path, tyro.conf.arg(aliases=["-s"])]
    """Mask, or folder of masks. A folder or zip with one DICOM SEG, and a folder with one file per structure
    (liver.nii.gz, liver_tumor.nii.gz), are one mask."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the results."""
    input: Annotated[Path | None, tyro.conf.arg(aliases=["-i"])] = None
    """CT, or folder of CTs. Without it: volumes and sizes, but no HU and no picture."""
    label: tuple[str, ...] = ()
    """What the mask's values or segments mean, e.g. 5=liver 7=tumor, LAYER:VALUE=liver or NAME=tumor; what is not named is
    background. By default names and codes decide, else 1=liver 2=tumor."""
    series: str | None = None
    """SeriesInstanceUID where a DICOM folder holds several (one scan only)."""
    volume: int | None = None
    """Which volume of a 4-D CT, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel, e.g. -1024 for files that store HU + 1024."""
    include_phi: bool = False
    """Let text that identifies the patient (DICOM's patient and study, full paths) into run.json."""
    overlay: bool = True
    """Write overlay.png with contours on axial, coronal and sagittal slices."""
    json: bool = False
    """Print the numbers as JSON."""


@dataclass
class Cohort:
    """What came of the cases of two folders."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    lesions: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Measure, argv, "rmaunet measure")
    labels = labels_of("measure", args.label)
    for path in (args.mask, args.input):
        if path is not None and not path.exists():
            raise InputError(path, "path", None, "does not exist", "check the path")
    check_folder("measure", args.output, argv)
    if not _is_single(args, labels):
        return _many(args, labels)
    refuse_inputs(_planned(args, args.output), (args.input, args.mask), folder=args.output)
    make_folder(args.output)
    content = _one(args, args.input, args.mask, args.output, labels)
    if args.json:
        print(json.dumps(content["json"], indent=2))
    else:
        print("\n".join(content["lines"]))
        print(f"results in {args.output}", file=sys.stderr)
    return 0


def _is_single(args: Measure, labels: Labels | None) -> bool:
    """Whether the mask is one mask, and the CT one scan; else both are folders of cases."""
    if not args.mask.is_dir():
        return True
    if args.input is not None and args.input.is_dir():
        from rmaunet.cohort.find_scans import find_items, is_batch

        items = find_items(args.input)
        return bool(items) and not is_batch(items)
    return args.input is not None or is_one_mask(args.mask, labels)


@all_or_nothing()
def _one(
    args: Measure,
    ct: Path | None,
    mask: Path,
    folder: Path,
    labels: Labels | None,
    series: str | None = None,
) -> dict[str, Any]:
    """Measure one mask into ``folder``; returns what there is to print and to gather."""
    from rmaunet.core.machine import machine
    from rmaunet.io.masks.label_values import shown_labels
    from rmaunet.io.masks.mask_reader import describe_mask
    from rmaunet.measurement import measure_mask, write_tables

    began = time.perf_counter()
    with collect_notices() as notices:
        scan = None if ct is None else _read(args, ct, series)
        if scan is None and (args.series or args.hu_offset or args.volume is not None):
            notice("--series, --volume, --hu-offset", "have no effect without a CT (-i)")
        reading = describe_mask(mask, like=scan, labels=labels)
        volume = reading.volume
        image = None if scan is None else scan.volume
        name = scan.name if scan is not None else _stem(mask)
        thickness = None if scan is None else scan.slice_thickness_mm
        found = measure_mask(volume, image, slice_thickness_mm=thickness)
        files = write_tables(folder, name, found.measures, found.lesions, found.flags)
        say_uses(mask, reading.uses)
        if image is not None and args.overlay:
            from rmaunet.report import overlay_figure, save_figure

            files.append(folder / "overlay.png")
            save_figure(overlay_figure(image, volume, title=name), files[-1])
    manifest = {
        "command": "measure",
        "inputs": {key: _fingerprint(path) for key, path in (("ct", ct), ("mask", mask)) if path is not None},
        "labels": shown_labels(labels),
        "segments": [use.to_dict() for use in reading.uses],
        "series": series or args.series,
        "hu_offset": args.hu_offset,
        "outputs": {file.name: sha256(file) for file in files},
        "notices": notices if args.include_phi else [without_folders(line, ct, mask) for line in notices],
        "seconds": round(time.perf_counter() - began, 3),
        "machine": machine(),
        "use": "research use only",
    }
    if args.include_phi:
        from rmaunet.io.identity import identifying_text

        files_named = {key: str(path) for key, path in (("CT file", ct), ("mask file", mask)) if path is not None}
        manifest["identity"] = files_named | ({} if scan is None else identifying_text(scan))
    write_json(folder / "run.json", manifest)
    return {
        "json": read_json(folder / "measures.json"),
        "lines": found.lines(),
        "row": found.row(),
        "lesions": found.lesion_rows(),
    }


def _fingerprint(path: Path) -> dict[str, str]:
    return {"name": given_name(path)} | ({"sha256": sha256(path)} if path.is_file() else {})


def _read(args: Measure, ct: Path, series: str | None) -> Scan:
    from rmaunet.io import read_scan

    return read_scan(ct, series=series or args.series, volume=args.volume, hu_offset=args.hu_offset)


def _planned(args: Measure, folder: Path) -> list[Path]:
    """What measuring one mask writes into a folder."""
    names = ("measures.json", "measures.csv", "lesions.csv", "run.json", *(("overlay.png",) if args.overlay else ()))
    return [folder / name for name in names]


def _stem(path: Path) -> str:
    from rmaunet.metrics.pairing import case_name

    return case_name(path.name)


def _many(args: Measure, labels: Labels | None) -> int:
    from rmaunet.measurement.measure_tables import COHORT_COLUMNS, LESION_COLUMNS

    if args.input is not None and (not args.input.is_dir() or args.input.samefile(args.mask)):
        raise UsageError(
            args.input,
            "input",
            None,
            "is not a folder of its own beside the masks' folder",
            "give two files or two folders",
        )
    if args.series is not None:
        raise UsageError("measure", "--series", args.series, "does not apply to folders", "measure that scan by itself")
    cases = _cases(args.input, args.mask)
    tables = [args.output / name for name in ("cohort.csv", "lesions.csv", "failures.csv")]
    files = [ct for _, ct, _, _ in cases] + [mask for *_, mask in cases]
    refuse_inputs(tables, (args.input, args.mask), folder=args.output)
    refuse_inputs([path for path in _planned_all(args, cases) if path.exists()], files, folder=args.output)
    make_folder(args.output)
    cohort = Cohort()
    for index, (name, ct, series, mask) in enumerate(cases, start=1):
        try:
            for path in _planned(args, args.output / name):
                check_name(path)
        except OutputError as error:  # unlike a full disk, this costs one case
            cohort.failures.append({"name": name, "error": str(error)})
            print(one_line(f"[{index}/{len(cases)}] {name}: failed: {error}"), file=sys.stderr)
            continue
        try:
            found = _one(args, ct, mask, args.output / name, labels, series)
        except OutputError:
            raise
        except Exception as error:  # one bad case must not cost the others
            reason = str(error) if isinstance(error, RmaunetError) else f"{type(error).__name__}: {error}"
            cohort.failures.append({"name": name, "error": without_folders(reason, ct, mask)})
            print(one_line(f"[{index}/{len(cases)}] {name}: failed: {reason}"), file=sys.stderr)
            continue
        cohort.rows.append({"name": name, **found["row"]})
        cohort.lesions += [{"name": name, **row} for row in found["lesions"]]
        print(one_line(f"[{index}/{len(cases)}] {name}: liver {found['row']['liver_ml']:.0f} ml"), file=sys.stderr)
    write_csv(args.output / "cohort.csv", cohort.rows, ("name", *COHORT_COLUMNS))
    write_csv(args.output / "lesions.csv", cohort.lesions, ("name", *LESION_COLUMNS))
    write_csv(args.output / "failures.csv", cohort.failures, ("name", "error"))
    if args.json:
        print(json.dumps({"measured": [row["name"] for row in cohort.rows], "failures": cohort.failures}, indent=2))
    else:
        print(f"{len(cohort.rows)} measured, {len(cohort.failures)} failed; see {args.output / 'cohort.csv'}")
    return 3 if cohort.failures else 0


def _planned_all(args: Measure, cases: Sequence[tuple[str, Path | None, str | None, Path]]) -> Iterator[Path]:
    for name, *_ in cases:
        with contextlib.suppress(OutputError):  # a name too long costs its own case
            check_name(args.output / name)
            yield from _planned(args, args.output / name)


def _cases(scans: Path | None, masks: Path) -> list[tuple[str, Path | None, str | None, Path]]:
    """Name, CT, its series, mask; matched by the case in their names. What has no partner is said."""
    from rmaunet.cohort.find_scans import find_items
    from rmaunet.metrics.pairing import case_name

    found: dict[str, Path] = {}
    files = sorted(p for p in masks.iterdir() if p.is_file() and not p.name.startswith("."))
    if files and all(path.suffix.lower() in PICTURES for path in files):
        raise InputError(
            masks,
            "masks",
            f"{len(files)} pictures",
            "tell neither where nor how large their pixels are",
            "make them one file on the CT's grid; docs/how-to/measure.md shows how",
        )
    folders = sorted(p for p in masks.iterdir() if p.is_dir() and not p.name.startswith(".") and is_one_mask(p))
    for path in (*files, *folders):
        case = path.name if path.is_dir() else case_name(path.name)
        if case in found:
            raise InputError(masks, f"masks of case {case}", f"{found[case].name}, {path.name}", "are two", "leave one")
        found[case] = path
    if scans is None:
        return [(case, None, None, path) for case, path in found.items()]
    items: dict[str, Item] = {}
    for item in find_items(scans):
        other = items.setdefault(case_name(item.name), item)
        if other is not item:
            both = f"{other.path.name}, {item.path.name}"
            raise InputError(scans, f"CTs of case {case_name(item.name)}", both, "are two", "leave one")
    for side, alone in (("mask", sorted(set(items) - set(found))), ("CT", sorted(set(found) - set(items)))):
        if alone:
            more = f" and {len(alone) - 10} more" if len(alone) > 10 else ""
            notice("measure", f"{len(alone)} cases have no {side} and are left out: {', '.join(alone[:10])}{more}")
    cases = sorted(set(items) & set(found))
    if not cases:
        raise InputError(masks, "cases", None, "no name is in both folders", "name scans and masks alike")
    return [(case, items[case].path, items[case].series, found[case]) for case in cases]
