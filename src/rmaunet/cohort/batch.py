"""A folder of scans: weights are loaded once, failed scans are listed, a second run segments what is missing."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rmaunet.cohort.find_scans import Item
from rmaunet.cohort.prefetch import read_ahead, read_in_turn
from rmaunet.cohort.scan_outputs import planned_files
from rmaunet.cohort.segment_request import Request
from rmaunet.cohort.segment_scan import Job, segment_scan
from rmaunet.core.errors import OutputError, RmaunetError
from rmaunet.core.files import make_folder, read_json, sha256, write_csv
from rmaunet.core.formats import one_line, without_folders
from rmaunet.core.output_checks import check_name
from rmaunet.core.runs import locked
from rmaunet.core.settings import to_dict
from rmaunet.core.walk import walk
from rmaunet.io import read_scan
from rmaunet.io.raster.read_raster import data_files
from rmaunet.io.scan import Scan
from rmaunet.predict import ModelCard, Predictor
from rmaunet.predict.weights_record import recorded_identity

__all__ = ["Summary", "segment_folder"]

FAILURE_COLUMNS = ("name", "kind", "exit_code", "error")


@dataclass
class Summary:
    """Result of a batch run.

    Attributes:
        done: Names segmented in this run.
        kept: Names whose earlier results are still valid.
        failures: Rows of failures.csv.
    """

    done: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)


def segment_folder(
    items: Sequence[Item],
    out: Path,
    predictor: Predictor,
    request: Request,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int, str, int, int], None] = lambda done, of, name, slices, depth: None,
) -> Summary:
    """Segment many scans into one folder.

    Args:
        items: The scans.
        out: Folder of the results: ``NAME_seg.nii.gz`` and its companions, cohort.csv, failures.csv.
        predictor: Network with weights, used for all.
        request: What to write for each.
        overwrite: If True, segment scans again that have results.
        progress: Called with (scans_done, scans_total, name, slices_done, slices_total of this scan).

    Returns:
        Names done, kept and failed; cohort.csv and failures.csv hold the numbers and reasons.

    Raises:
        OutputError: If the folder cannot be written, is in use by another run, or the disk is full.
    """
    make_folder(out)
    summary = Summary()
    with locked(out):
        for left in out.glob(".partial-*"):  # of a run that was killed; ours alone write here while the lock is held
            left.unlink()
        work = _missing(items, out, predictor.card, request, summary, overwrite=overwrite)
        # The memory estimate does not cover a prefetched scan, so prefetching is off under --max-memory.
        reading = read_ahead if predictor.compute.memory_bytes is None else read_in_turn
        try:
            with closing(reading(work, _read)) as scans:
                for one, scan in scans:
                    progress(one.index, len(items), one.item.name, 0, 0)
                    _one(one, scan, len(items), out, predictor, summary, progress)
        finally:
            _write_tables(items, out, summary)
    return summary


@dataclass(frozen=True)
class _Work:
    """A scan to segment, and its request."""

    index: int
    item: Item
    request: Request
    extra: dict[str, Any]


def _missing(
    items: Sequence[Item], out: Path, card: ModelCard, request: Request, summary: Summary, *, overwrite: bool
) -> Iterator[_Work]:
    """Scans without valid earlier results; the others are noted as kept."""
    for index, item in enumerate(items):
        extra = {"source": _signature(item, out), "request": to_dict(request)}
        if not overwrite and _holds(out / f"{item.name}_run.json", card, extra):
            summary.kept.append(item.name)
        else:
            yield _Work(index, item, replace(request, series=item.series), extra)


def _read(work: _Work) -> Scan:
    wanted = work.request
    return read_scan(work.item.path, series=wanted.series, volume=wanted.volume, hu_offset=wanted.hu_offset)


def _one(
    work: _Work,
    scan: Callable[[], Scan],
    count: int,
    out: Path,
    predictor: Predictor,
    summary: Summary,
    progress: Callable[[int, int, str, int, int], None],
) -> None:
    item = work.item
    try:
        # A name that the file system cannot hold costs this scan alone, unlike a full disk.
        for path in planned_files(item.name, partial(_mask_path, out, item), work.request).values():
            check_name(path)
    except OutputError as error:
        _note_failure(summary, item, error)
        return
    (out / f"{item.name}_run.json").unlink(missing_ok=True)
    try:
        segment_scan(
            Job(item.path, partial(_mask_path, out, item), scan, work.extra),
            predictor,
            work.request,
            progress=lambda done, of: progress(work.index, count, item.name, done, of),
        )
        summary.done.append(item.name)
    except OutputError:
        raise
    except RmaunetError as error:
        _note_failure(summary, item, error)
    except Exception as error:  # an internal error in one scan must not end the batch
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} (in {where.name}): internal error (please report)"
        summary.failures.append({"name": item.name, "kind": "defect", "exit_code": 1, "error": one_line(text)})


def _mask_path(out: Path, item: Item, _: str, suffix: str) -> Path:
    return out / f"{item.name}_seg{suffix}"


def _note_failure(summary: Summary, item: Item, error: RmaunetError) -> None:
    told = without_folders(str(error), item.path)  # folders may name people
    summary.failures.append(
        {"name": item.name, "kind": type(error).__name__, "exit_code": error.exit_code, "error": told}
    )


def _signature(item: Item, out: Path) -> list[list[Any]]:
    """Names, sizes and times of a scan's files. A result is valid as long as they are unchanged."""
    if item.path.is_dir():
        files = walk(item.path, leave_out=out).files  # results may lie among the slices
    else:
        files = [item.path, *data_files(item.path)]
        if item.path.suffix.lower() == ".img":  # its header has the same stem
            stem = item.path.name[: -len("img")]
            files += [path for path in item.path.parent.iterdir() if path.name.startswith(stem) and path != item.path]
    facts = [(file, file.stat()) for file in sorted(files) if file.is_file()]
    return [[file.name, stat.st_size, stat.st_mtime_ns] for file, stat in facts]


def _holds(manifest: Path, card: ModelCard, extra: dict[str, Any]) -> bool:
    try:
        content = read_json(manifest)
        same = all(content[key] == json.loads(json.dumps(value)) for key, value in extra.items())
        whole = all(sha256(manifest.parent / name) == digest for name, digest in content["outputs"].items())
        return bool(same and whole and recorded_identity(content) == card.identity)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _write_tables(items: Sequence[Item], out: Path, summary: Summary) -> None:
    rows = []
    finished = {*summary.done, *summary.kept}
    for item in items:
        if item.name in finished:
            content = read_json(out / f"{item.name}_run.json")
            rows.append({"name": item.name, **content["cohort"], "seconds": round(content["seconds"]["total"], 3)})
    write_csv(out / "cohort.csv", rows, None if rows else ("name",))
    write_csv(out / "failures.csv", summary.failures, FAILURE_COLUMNS)
