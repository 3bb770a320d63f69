"""What every command checks of its inputs and of ``-o`` before it computes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from rmaunet.core.errors import UsageError
from rmaunet.core.output_checks import check_outputs, looks_like_a_file

__all__ = ["check_folder", "check_folder_of_weights", "refuse_inputs"]


def check_folder(command: str, path: Path, argv: Sequence[str], *, option: str = "-o", instead: str = "") -> None:
    """Refuse a folder for results whose name ends like a file's, since a file was probably meant.

    Args:
        command: For the message.
        path: The folder.
        argv: The command's words: a name typed with "/" at its end is meant as a folder.
        option: For the message.
        instead: What could be given, for the message.

    Raises:
        UsageError: If it does not exist, ends like a file and was typed without "/".
    """
    typed = any(word.endswith(("/", os.sep)) and Path(word.partition("=")[2] or word) == path for word in argv)
    if looks_like_a_file(path) and not typed:
        problem = f"ends in {path.suffix}, and the results are a folder"
        remedy = f"{instead}{', or ' if instead else ''}end it in / for a folder of that name"
        raise UsageError(command, option, str(path), problem, remedy)


def refuse_inputs(outputs: Iterable[Path], inputs: Iterable[Path | None], *, folder: Path | None = None) -> None:
    """Refuse outputs that are inputs by any name or link; see :func:`rmaunet.core.output_checks.check_outputs`.

    Args:
        outputs: Files that will be written.
        inputs: Paths of scans, masks and tables; what else reading them reads is found here.
        folder: Folder of the results that must not be a folder of inputs.
    """
    from rmaunet.io.read import files_read

    given = [file for path in inputs if path is not None for file in files_read(path)]
    check_outputs(outputs, given, folder=folder)


def check_folder_of_weights(
    command: str, folder: Path, argv: Sequence[str], names: Iterable[str], *files: Path
) -> None:
    """Refuse a folder for weights that is one of the weights read, or whose files are read.

    Args:
        command: For the message.
        folder: Where the new weights go.
        argv: See :func:`check_folder`.
        names: Weights that are read.
        files: Other files that are read.

    Raises:
        UsageError: With another name as the way out.
        ModelError: If weights that are read do not exist.
    """
    from rmaunet.predict.weights import weights_files

    check_folder(command, folder, argv)
    written = [folder / name for name in ("card.json", "model.safetensors", "fingerprints.json")]
    written += [folder / "locator" / path.name for path in written[:2]]
    check_outputs(written, [*files, *(path for name in names for path in weights_files(name))])
