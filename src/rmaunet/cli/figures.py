"""``rmaunet figures``: figures for papers, from evaluate's tables and from masks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from rmaunet.cli.label_option import labels_of
from rmaunet.cli.mask_argument import say_uses
from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.core.errors import InputError, UsageError
from rmaunet.core.files import make_folder
from rmaunet.core.formats import given_name, one_line
from rmaunet.core.labels import TUMOR
from rmaunet.core.notices import notice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rmaunet.core.volume import Volume
    from rmaunet.io import Scan
    from rmaunet.io.masks.label_values import Labels

__all__ = ["Figures", "main"]


@dataclass(frozen=True)
class Figures:
    """Draw figures for papers, each as PNG and PDF, the same bytes each time.

    From the tables of `rmaunet evaluate`: box plots, Bland-Altman plots of the volumes, tumor dice by tumor volume. From a CT
    and masks: contour panels. Several tables or masks are compared; name them with NAME=FILE.

    Examples:
      rmaunet figures --cases scores/cases.csv -o figures/
      rmaunet figures --cases ours=a/cases.csv unet=b/cases.csv --metrics dice voe -o figures/
      rmaunet figures -i ct.nii.gz --masks reference=ref.nii.gz ours=seg.nii.gz -o figures/
    """

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the figures."""
    cases: tuple[str, ...] = ()
    """Tables of evaluate (cases.csv), each FILE or NAME=FILE."""
    metrics: tuple[str, ...] = ("dice",)
    """Metrics of the box plots: columns of cases.csv without "liver_"."""
    input: Annotated[Path | None, tyro.conf.arg(aliases=["-i"])] = None
    """CT of the contour panels."""
    masks: tuple[str, ...] = ()
    """Masks of the contour panels, each FILE or NAME=FILE; the first is drawn in all."""
    label: tuple[str, ...] = ()
    """What the masks' values mean, e.g. 5=liver 7=tumor; values above 2 only concern the masks that hold such."""
    series: str | None = None
    """SeriesInstanceUID where the CT's folder holds several."""
    volume: int | None = None
    """Which volume of a 4-D CT, from 0."""
    hu_offset: float = 0.0
    """Added to every voxel of the CT, e.g. -1024 for files that store HU + 1024."""
    slice: int | None = None
    """Axial slice of the contour panels, counted from the feet, from 0; by default where the tumor is largest."""
    dpi: int = 300
    """Dots per inch of the PNG."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Figures, argv, "rmaunet figures")
    if not args.cases and not args.masks:
        raise UsageError("figures", "--cases, --masks", None, "neither is given", "give tables, or a CT with masks")
    if (args.input is None) != (not args.masks):
        raise UsageError("figures", "-i, --masks", None, "go together", "give the CT and its masks")
    if not 30 <= args.dpi <= 2400:
        raise UsageError("figures", "--dpi", args.dpi, "is out of range", "choose 30 to 2400")
    tables, masks = _named(args.cases, "--cases"), _named(args.masks, "--masks")
    check_folder("figures", args.output, argv)
    drawn = {**_table_figures(args, tables), **_contour_figures(args, masks)}
    planned = [args.output / f"{name}{suffix}" for name in drawn for suffix in (".png", ".pdf")]
    refuse_inputs(planned, (*tables.values(), *masks.values(), args.input))
    make_folder(args.output)
    written = []
    for name, draw in drawn.items():
        from rmaunet.report import save_figure

        figure = draw()
        for suffix in (".png", ".pdf"):
            written.append(args.output / f"{name}{suffix}")
            save_figure(figure, written[-1], dpi=args.dpi)
    print("\n".join(str(file) for file in written))
    return 0


def _named(words: tuple[str, ...], option: str) -> dict[str, Path]:
    """NAME=FILE, or FILE under its folder's name (cases.csv) or its own."""
    found: dict[str, Path] = {}
    for word in words:
        name, sign, rest = word.partition("=")
        path = Path(word) if not sign or Path(word).exists() else Path(rest)
        if not rest and path != Path(word):
            raise UsageError("figures", option, word, "names no file", "write NAME=FILE")
        if not path.is_file() and not path.is_dir():
            raise InputError(path, option, None, "no such file", "check the path")
        if path == Path(word):
            name = (given_name(path.parent) if path.name == "cases.csv" else path.name.split(".")[0]) or path.name
        name = one_line(name)  # matplotlib draws text only
        if name in found:
            raise UsageError("figures", option, word, "has a name given before", "write NAME=FILE")
        found[name] = path
    return found


def _table_figures(args: Figures, tables: Mapping[str, Path]) -> dict[str, Callable[[], Figure]]:
    if not tables:
        return {}
    from rmaunet.report.metric_figures import agreement_figure, box_figure, read_cases, size_figure

    series = {name: read_cases(path) for name, path in tables.items()}
    made: dict[str, Callable[[], Figure]] = {}
    for metric in args.metrics:
        made[f"box_{metric}"] = partial(box_figure, series, metric)
    for number, (name, cases) in enumerate(series.items(), start=1):
        ending = "" if len(series) == 1 else f"_{number}"
        made[f"bland_altman{ending}"] = partial(agreement_figure, cases)
        if ending:
            print(f"bland_altman{ending}: {name}", file=sys.stderr)
    made["dice_by_size"] = partial(size_figure, series)
    return made


def _contour_figures(args: Figures, masks: Mapping[str, Path]) -> dict[str, Callable[[], Figure]]:
    if args.input is None:
        return {}
    from rmaunet.io import read_scan
    from rmaunet.report.contours import contour_figure

    labels = labels_of("figures", args.label)
    scan = read_scan(args.input, series=args.series, volume=args.volume, hu_offset=args.hu_offset)
    volumes = {name: _read_mask(path, scan, labels) for name, path in masks.items()}
    return {"contours": partial(contour_figure, scan.volume, volumes, index=args.slice)}


def _read_mask(path: Path, scan: Scan, labels: Labels | None) -> Volume:
    """A mask; among several, one that holds 0, 1, 2 needs no mapping that is meant for another's values."""
    from rmaunet.io.masks.mask_reader import describe_mask

    values = [key for key in labels or {} if isinstance(key, int)]
    if not values or min(values) <= TUMOR:
        reading = describe_mask(path, like=scan, labels=labels)
    else:
        try:
            reading = describe_mask(path, like=scan)
            notice(path, "holds no values but 0, 1, 2; --label is not applied to it")
        except InputError as error:
            if error.field != "labels":
                raise
            reading = describe_mask(path, like=scan, labels=labels)
    say_uses(path, reading.uses)
    return reading.volume
