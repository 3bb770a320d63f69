"""``rmaunet figures``: figures for papers, from evaluate's tables and from masks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from rmaunet.cli.mask_argument import say_uses
from rmaunet.errors import InputError, UsageError
from rmaunet.files import make_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    slice: int | None = None
    """Axial slice of the contour panels, counted from the feet, from 0; by default where the tumor is largest."""
    dpi: int = 300
    """Dots per inch of the PNG."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = tyro.cli(Figures, args=argv, prog="rmaunet figures")
    if not args.cases and not args.masks:
        raise UsageError("figures", "--cases, --masks", None, "neither is given", "give tables, or a CT with masks")
    if (args.input is None) != (not args.masks):
        raise UsageError("figures", "-i, --masks", None, "go together", "give the CT and its masks")
    if not 30 <= args.dpi <= 2400:
        raise UsageError("figures", "--dpi", args.dpi, "is out of range", "choose 30 to 2400")
    tables, masks = _named(args.cases, "--cases"), _named(args.masks, "--masks")
    make_folder(args.output)
    written = []
    for name, draw in {**_table_figures(args, tables), **_contour_figures(args, masks)}.items():
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
        if not path.is_file() and not path.is_dir():
            raise InputError(path, option, None, "no such file", "check the path")
        if path == Path(word):
            name = (path.resolve().parent.name if path.name == "cases.csv" else path.name.split(".")[0]) or path.name
        if name in found:
            raise UsageError("figures", option, word, "has a name given before", "write NAME=FILE")
        found[name] = path
    return found


def _table_figures(args: Figures, tables: Mapping[str, Path]) -> dict[str, Callable[[], Figure]]:
    if not tables:
        return {}
    from rmaunet.report.figures import agreement_figure, box_figure, read_cases, size_figure

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
    from rmaunet.io import read_volume
    from rmaunet.io.mask import describe_mask
    from rmaunet.report.contours import contour_figure

    scan = read_volume(args.input)
    volumes = {}
    for name, path in masks.items():
        reading = describe_mask(path, like=scan)
        say_uses(path, reading.uses)
        volumes[name] = reading.volume
    return {"contours": partial(contour_figure, scan.volume, volumes, index=args.slice)}
