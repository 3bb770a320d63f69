"""Which trainings are finished, and the stores and trainings that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rmaunet.core.errors import InputError
from rmaunet.core.files import read_json, write_json
from rmaunet.core.settings import from_dict, to_dict
from rmaunet.datasets.case import Case
from rmaunet.datasets.store.build_store import prepare_store
from rmaunet.datasets.store.slice_store import Store
from rmaunet.paper.reproduce.plan import Plan, Run
from rmaunet.preprocess import Preprocessing
from rmaunet.train import HowToTrain, train
from rmaunet.train.experiment import Experiment

__all__ = ["STORE_SIZE", "finished", "prepared_store", "store_folder", "train_run"]

STORE_SIZE = 256
"""Side of the stored slices; smaller patches are cut from them."""

Say = Callable[[str], None]


def finished(run: Run) -> bool:
    """Whether a run's folder holds this very training, done.

    Args:
        run: The run.

    Returns:
        False if it is not there, or only begun.

    Raises:
        InputError: If the folder holds another experiment, or one trained on other cases.
    """
    folder = run.folder
    stored = _json(folder / "experiment.json")
    if stored is None:
        return False
    found = from_dict(Experiment, stored, subject=str(folder / "experiment.json"))
    for name, mine in to_dict(run.experiment).items():
        theirs = to_dict(found)[name]
        if name != "name" and theirs != mine:
            what = f"{name} = {_shown(theirs, mine)}"
            raise InputError(folder, "experiment.json", what, "is not what this table asks for", "use another -o")
    manifest, card = _json(folder / "manifest.json") or {}, _json(folder / "weights" / "card.json") or {}
    cases = manifest.get("cases")
    if isinstance(cases, list) and sorted(map(str, cases)) != sorted(run.train):
        odd = sorted({*map(str, cases)} ^ {*run.train})
        raise InputError(
            folder, "training cases", ", ".join(odd[:3]), "differ from this table's", "use another -o, or the same data"
        )
    training = card.get("training")
    steps = training.get("steps") if isinstance(training, dict) else None
    return isinstance(steps, int) and steps > 0 and steps == manifest.get("steps")


def _shown(theirs: Any, mine: Any) -> str:
    """The part of a setting that differs."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        odd = [f"{k}: {theirs.get(k)} for {mine.get(k)}" for k in {**theirs, **mine} if theirs.get(k) != mine.get(k)]
        return ", ".join(odd)[:120]
    return f"{theirs} for {mine}"


def _json(path: Path) -> dict[str, Any] | None:
    try:
        content = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(path, "content", None, f"cannot be read ({error})", "remove the run's folder") from error
    if not isinstance(content, dict):
        raise InputError(path, "content", None, "is no JSON object", "remove the run's folder")
    return content


def store_folder(out: Path, run: Run) -> Path:
    """Where the store of a run's data set and window stands."""
    low, high = run.experiment.preprocessing.window_hu
    return out / "stores" / f"{run.data}_{low:g}_{high:g}"


def prepared_store(folder: Path, cases: Sequence[Case], window_hu: tuple[float, float], say: Say) -> Store:
    """Open a store, or make it if it is missing or made of other files.

    Args:
        folder: Of the store.
        cases: What belongs in it.
        window_hu: Of its slices.
        say: Told the progress.

    Returns:
        The store, its checksums compared.

    Raises:
        InputError: If a case cannot be used (naming the first and how many more); no store is left then.
        OutputError: If it cannot be written.
    """
    signature = [_signature(case) for case in cases]
    source = folder / "source.json"
    if (folder / "index.json").is_file():
        made_from = _json(source)
        if made_from is None or made_from == {"cases": signature}:
            return _opened(folder, cases, window_hu)
        say(f"store {folder.name}: made of other files, made again")
    settings = Preprocessing(window_hu=window_hu, size=STORE_SIZE)
    failures = prepare_store(
        cases,
        folder,
        settings,
        progress=lambda done, of, name: say(f"store {folder.name}: [{done + 1}/{of}] {name}") if name else None,
    )
    if failures:
        for file in ("index.json", "images.u8", "labels.u8"):
            (folder / file).unlink(missing_ok=True)
        more = f" (and {len(failures) - 1} more cases)" if len(failures) > 1 else ""
        error = failures[0][1]
        raise InputError(error.subject, error.field, error.value, f"{error.problem}{more}", error.remedy) from error
    write_json(source, {"cases": signature})
    return Store(folder)


def _opened(folder: Path, cases: Sequence[Case], window_hu: tuple[float, float]) -> Store:
    """A store that is there, perhaps not made here (then it is never replaced)."""
    store = Store(folder, check=True)
    if store.preprocessing.window_hu != window_hu:
        raise InputError(folder, "window_hu", store.preprocessing.window_hu, f"is not {window_hu}", "remove the store")
    missing = sorted({case.name for case in cases} - {case.name for case in store.cases})
    if missing:
        shown = f"{len(missing)}, first {', '.join(missing[:3])}"
        raise InputError(folder, "missing cases", shown, "the data hold more", "remove the store; it is made again")
    return store


def _signature(case: Case) -> dict[str, Any]:
    """Name, and names, sizes and times of the files."""
    files = [path for path in (case.image, case.label) if path is not None]
    facts = [(path.name, path.stat()) for path in files]
    return {"case": case.name, "files": [[name, stat.st_size, stat.st_mtime_ns] for name, stat in facts]}


def train_run(run: Run, plan: Plan, out: Path, say: Say, *, device: str = "cpu") -> None:
    """Train a run, or go on where it stopped.

    Args:
        run: An unfinished run.
        plan: The table it belongs to.
        out: Folder of the stores.
        say: Told the progress.
        device: See :func:`rmaunet.train.train`.

    Raises:
        InputError: If a case cannot be used or the folder holds another training.
        OutputError: If another process trains here, or nothing can be written.
        TrainingError: If the loss stays non-finite.
        KeyboardInterrupt: On Ctrl-C or SIGTERM, after a checkpoint.
    """
    store = prepared_store(store_folder(out, run), plan.data[run.data], run.experiment.preprocessing.window_hu, say)
    how = HowToTrain(device=device)
    train(run.experiment, store, run.train, run.folder, say=lambda text: say(f"{run.words}: {text}"), how=how)
