"""The road of a table: plan, stores, trainings, masks, numbers, files. Every stage skips what is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rmaunet.core.files import make_folder
from rmaunet.core.notices import collect_notices, notice
from rmaunet.core.runs import locked
from rmaunet.paper.reproduce.input_hashes import Hashes
from rmaunet.paper.reproduce.plan import TITLES, Plan, Run, find_data, make_plan
from rmaunet.paper.reproduce.request import Request, table_names
from rmaunet.paper.reproduce.scoring import Scored, score_run
from rmaunet.paper.reproduce.table_files import inputs, is_current, table_files, write_table
from rmaunet.paper.reproduce.table_training import finished, train_run
from rmaunet.paper.reproduce.test_leaks import with_leaks

__all__ = ["Made", "plans", "reproduce", "score_plan"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """A table on disk.

    Attributes:
        plan: The table.
        files: Its files, the manifest last.
        fresh: Whether they were written now; False if they were there already, unchanged.
    """

    plan: Plan
    files: tuple[Path, ...]
    fresh: bool


def plans(name: str, request: Request) -> list[Plan]:
    """The tables a name stands for, laid out on the data at hand.

    Args:
        name: See :func:`rmaunet.paper.reproduce.request.table_names`.
        request: What is asked for.

    Returns:
        One plan a table.

    Raises:
        InputError: If data are missing or damaged in layout.
        UsageError: If there is no such table, or the request makes no sense for it.
    """
    data = find_data(request.roots)
    return [make_plan(one, request, data) for one in table_names(name)]


def reproduce(name: str, request: Request, say: Say = lambda _: None) -> list[Made]:
    """Make a table: train, predict and evaluate what is missing, and write it.

    Args:
        name: Which table.
        request: How.
        say: Told the progress, a line at a time.

    Returns:
        What was made, one entry a table ("table11" has two).

    Raises:
        RmaunetError: Whatever stopped it, as one line; the same call again goes on from there.
        KeyboardInterrupt: On Ctrl-C or SIGTERM; likewise.
    """
    make_folder(request.out)
    made = []
    planned = plans(name, request)
    with locked(request.out):
        for asked in planned:
            with collect_notices() as notices:
                plan = with_leaks(asked, request.out, say) if request.overlap else asked
                scored = score_plan(plan, request, say)
                made_from = inputs(plan, request, scored)
                fresh = not is_current(plan, request, made_from)
                files = write_table(plan, request, scored, notices) if fresh else table_files(plan, request)
                made.append(Made(plan, tuple(files), fresh))
                say(f"{plan.file_name}: {'written' if fresh else 'unchanged, nothing to do'}")
    return made


def score_plan(plan: Plan, request: Request, say: Say) -> list[Scored]:
    """Train what is missing, then predict and score what is missing.

    Args:
        plan: The table.
        request: How; without ``train``, unfinished runs are left out.
        say: Told the progress.

    Returns:
        The tests of every finished run.
    """
    done = {run.folder: finished(run) for run in plan.runs}  # all folders are looked at before any work begins
    _warn(plan)
    runs: list[Run] = []
    for number, run in enumerate(plan.runs, start=1):
        if not done[run.folder]:
            if not request.train:
                say(f"[{number}/{len(plan.runs)}] {run.words}: not trained, left out")
                continue
            say(f"[{number}/{len(plan.runs)}] {run.words}: training")
            train_run(run, plan, request.out, say, device=request.device)
        runs.append(run)
    hashes = Hashes(request.out / "hashes.json")
    slices, surface, device = request.paper_slices, request.surface, request.device
    return [score_run(run, hashes, say, paper_slices=slices, surface=surface, device=device) for run in runs]


def _warn(plan: Plan) -> None:
    leaked = {name for run in plan.runs for name in run.leaked}
    if leaked:
        notice(
            plan.name,
            f"{len(leaked)} test cases of {TITLES[plan.reported.data]} are of patients in the training set, so this is no "
            "test on unseen patients; the table marks it (--protocol lits_clean leaves LiTS 28-47 out of training)",
        )
