"""``rmaunet evaluate``: masks against references, numbers into a folder."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from rmaunet import __version__
from rmaunet.cli.label_option import labels_of
from rmaunet.cli.mask_argument import fingerprint, is_one_mask, say_uses
from rmaunet.cli.output_option import check_folder, refuse_inputs
from rmaunet.cli.parse import parse
from rmaunet.cli.streams import print_json
from rmaunet.core.errors import InputError, RmaunetError, UsageError
from rmaunet.core.files import make_folder, write_csv, write_json
from rmaunet.core.formats import one_line
from rmaunet.core.machine import machine
from rmaunet.core.notices import collect_notices, notice

if TYPE_CHECKING:
    from rmaunet.cli.leaks import Leaks
    from rmaunet.metrics import CaseResult, Scoring
    from rmaunet.metrics.pairing import Pair, Pairing
    from rmaunet.metrics.slice_metrics import SliceResult

__all__ = ["Evaluate", "main"]


@dataclass(frozen=True)
class Evaluate:
    """Score predicted masks against reference masks (labels 0 background, 1 liver, 2 tumor).

    Give two files, or two folders whose files are matched by case: volume-N and segmentation-N, CASE_0000 and CASE, CASE and
    CASE_seg are the same case. Nothing is resampled: masks must lie on one grid, in any orientation.

    Writes cases.csv (a row a case), lesions.csv, summary.json, table.md, table.tex and manifest.json; cases that failed go to
    failures.csv, the rest is finished, and the exit code is 3.
    """

    reference: Annotated[Path, tyro.conf.arg(aliases=["-r"])]
    """Reference mask, or a folder of them."""
    prediction: Annotated[Path, tyro.conf.arg(aliases=["-p"])]
    """Predicted mask, or a folder of them."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """Folder for the results."""
    label: tuple[str, ...] = ()
    """What the predictions' values mean, e.g. 5=liver 7=tumor; values not named are background. By default 1=liver 2=tumor."""
    reference_label: tuple[str, ...] = ()
    """The same for the references."""
    surface: bool = True
    """Measure distances between surfaces (assd, rmsd, msd, hd95, surface dice), most of the time needed."""
    per_slice: bool = False
    """Also write slices.csv: dice, voe and rvd of every axial slice, slices empty in both masks undefined."""
    paper_slices: bool = False
    """Score only slices on which the reference has liver, as the paper seems to have done; this flatters."""
    convention: Literal["paper", "nnunet", "lits"] = "paper"
    """Empty masks: paper (both empty: dice 1), nnunet (both empty: undefined), lits (one empty: distances 9001)."""
    tolerance_mm: float = 2.0
    """Tolerance of the surface dice in mm."""
    connectivity: Literal[6, 26] = 6
    """Neighbours that make voxels one lesion: 6 (faces, as in LiTS) or 26 (corners too)."""
    leaks: bool = True
    """Look whether the cases were among the training cases of the weights, and mark the table."""
    weights: str | None = None
    """The weights that made the predictions (shipped name or folder); by default those that CASE_run.json names."""
    scans: Path | None = None
    """Folder of the CTs, for comparing them with the training cases; by default they are looked for beside the references."""
    json: bool = False
    """Print summary.json's content instead of the table."""


RESULTS = (
    "cases.csv",
    "lesions.csv",
    "slices.csv",
    "summary.json",
    "table.md",
    "table.tex",
    "failures.csv",
    "manifest.json",
)
"""What may be written into the folder for the results."""


@dataclass(frozen=True)
class Outcome:
    """What became of the cases."""

    results: list[CaseResult]
    slices: list[SliceResult]
    inputs: list[dict[str, Any]]
    failures: list[dict[str, str]]


def main(argv: list[str]) -> int:
    """Run ``rmaunet evaluate``.

    Args:
        argv: The words after the command.

    Returns:
        0, or 3 if a case failed.
    """
    options = parse(Evaluate, argv, "rmaunet evaluate")
    from rmaunet.metrics.conventions import Scoring
    from rmaunet.metrics.result_files import table_text, write_results

    check_folder("evaluate", options.output, argv)
    labels_of("evaluate", options.label)  # a slip in them is said before anything is read
    labels_of("evaluate", options.reference_label)
    if not options.tolerance_mm >= 0:
        raise UsageError("evaluate", "--tolerance-mm", options.tolerance_mm, "is not a distance", "give 0 mm or more")
    started, clock = datetime.now(UTC), time.monotonic()
    scoring = Scoring(options.convention, options.tolerance_mm, options.connectivity)
    with collect_notices() as notices:
        if not options.surface and options.tolerance_mm != Scoring().tolerance_mm:
            notice("--tolerance-mm", "has no effect with --no-surface")
        pairing = _pairing(options)
        _report_unmatched(pairing)
        files = (path for pair in pairing.pairs for path in (pair.reference, pair.prediction))
        refuse_inputs([options.output / name for name in RESULTS], files)
        make_folder(options.output)
        leaks, notes = _leaks(options, pairing)
        outcome = _score_all(options, pairing, scoring)
    cohort = write_results(
        options.output, outcome.results, slices=outcome.slices, seen=leaks.seen if leaks else None, notes=notes
    )
    _write_failures(options.output / "failures.csv", outcome.failures)
    manifest = {
        "command": ["rmaunet", "evaluate", *argv],
        "rmaunet": __version__,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "conventions": {**asdict(scoring), "surface": options.surface, "paper_slices": options.paper_slices,
                        "sd": "n - 1", "interval": "95 % percentile bootstrap over cases, 10000 draws, seed 0"},
        "inputs": outcome.inputs,
        "only_reference": pairing.only_reference,
        "only_prediction": pairing.only_prediction,
        "failures": outcome.failures,
        "trained_on": asdict(leaks) if leaks else None,
        "notices": notices,
        "machine": machine() | {"numpy": version("numpy"), "scipy": version("scipy")},
    }  # fmt: skip
    write_json(options.output / "manifest.json", manifest)
    if options.json:
        print_json(json.loads((options.output / "summary.json").read_text(encoding="utf-8")))
    else:
        print(table_text(cohort, outcome.results, notes=notes), end="")
    print(f"results in {options.output}", file=sys.stderr)
    return 3 if outcome.failures else 0


def _pairing(options: Evaluate) -> Pairing:
    """Two masks, each a file or a folder that holds one mask; or two folders whose files are matched by case."""
    from rmaunet.metrics.pairing import Pair, Pairing, case_name, match_files

    sides = (options.reference, options.prediction)
    if any(path.is_dir() for path in sides) and all(path.exists() and is_one_mask(path) for path in sides):
        return Pairing((Pair(case_name(options.reference.name), *sides),))
    return match_files(*sides)


def _leaks(options: Evaluate, pairing: Pairing) -> tuple[Leaks | None, list[str]]:
    leaks, notes = None, []
    if options.leaks:
        from rmaunet.cli.leaks import find_leaks, leak_notes

        leaks = find_leaks(pairing.pairs, weights=options.weights, scans=options.scans)
        notes = leak_notes(leaks)
    if options.scans is not None and not (leaks and leaks.weights):
        notice("--scans", "has no effect: no weights are known to compare with; give --weights")
    return leaks if leaks and leaks.weights else None, notes


def _report_unmatched(pairing: Pairing) -> None:
    for side, names in (("prediction", pairing.only_reference), ("reference", pairing.only_prediction)):
        if names:
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            notice("evaluate", f"{len(names)} cases have no {side} and are left out: {', '.join(names[:10])}{more}")


def _score_all(options: Evaluate, pairing: Pairing, scoring: Scoring) -> Outcome:
    outcome = Outcome([], [], [], [])
    for name, files in pairing.duplicates:
        reason = f"{name}: files = {', '.join(files)}: several masks of one case; leave one"
        outcome.failures.append({"case": name, "reason": reason})
        print(f"failed: {reason}", file=sys.stderr)
    alone = len(pairing.pairs) == 1 and pairing.pairs[0].reference == options.reference
    for index, pair in enumerate(pairing.pairs, start=1):
        clock = time.monotonic()
        try:
            result = _score(options, pair, scoring, outcome)
        except Exception as error:  # one bad case must not cost the others
            if alone:
                raise
            reason = str(error) if isinstance(error, RmaunetError) else f"{type(error).__name__}: {error}"
            outcome.failures.append({"case": pair.name, "reason": reason})
            print(one_line(f"[{index}/{len(pairing.pairs)}] {pair.name}: failed: {reason}"), file=sys.stderr)
            continue
        numbers = f"liver dice {result.liver_dice:.4f}, tumor dice {result.tumor_dice:.4f}"
        seconds = time.monotonic() - clock
        print(one_line(f"[{index}/{len(pairing.pairs)}] {pair.name}: {numbers} ({seconds:.1f} s)"), file=sys.stderr)
    return outcome


def _score(options: Evaluate, pair: Pair, scoring: Scoring, outcome: Outcome) -> CaseResult:
    from rmaunet.io.masks.mask_reader import read_mask_pair
    from rmaunet.metrics import evaluate_case
    from rmaunet.metrics.slice_metrics import evaluate_slices

    sides = {"reference": pair.reference, "prediction": pair.prediction}
    labels = labels_of("evaluate", options.reference_label), labels_of("evaluate", options.label)
    try:
        readings = dict(zip(sides, read_mask_pair(pair.reference, pair.prediction, labels=labels), strict=True))
    except InputError as error:
        if str(error.subject) != str(pair.reference):
            raise
        remedy = error.remedy.replace("--label", "--reference-label")  # of the two options, this one is the references'
        raise InputError(error.subject, error.field, error.value, error.problem, remedy) from error
    for side, path in sides.items():
        say_uses(path, readings[side].uses)
    reference, prediction = readings["reference"].volume, readings["prediction"].volume
    result = evaluate_case(
        reference,
        prediction,
        name=pair.name,
        surface=options.surface,
        paper_slices=options.paper_slices,
        scoring=scoring,
    )
    if options.per_slice:
        outcome.slices.extend(evaluate_slices(reference, prediction, name=pair.name, paper_slices=options.paper_slices))
    segments = {side: [use.to_dict() for use in one.uses] for side, one in readings.items() if one.uses}
    outcome.inputs.append(
        {"case": pair.name, **{side: fingerprint(path) for side, path in sides.items()}}
        | ({"segments": segments} if segments else {})
    )
    outcome.results.append(result)
    return result


def _write_failures(path: Path, failures: list[dict[str, str]]) -> None:
    if failures:
        write_csv(path, failures, ("case", "reason"))
    else:
        path.unlink(missing_ok=True)  # of an earlier run into the same folder
