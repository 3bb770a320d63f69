"""``rmaunet COMMAND ...``: find the command, run it, turn what went wrong into one line and an exit code.

Nothing heavy is imported here, so that ``rmaunet --help`` answers at once.
"""

from __future__ import annotations

import errno
import importlib
import logging
import sys
from dataclasses import dataclass

from rmaunet import __version__
from rmaunet.cli.streams import let_go_of_stdout, prepare_streams
from rmaunet.core.advice import set_options
from rmaunet.core.errors import RmaunetError
from rmaunet.core.formats import one_line

__all__ = ["COMMANDS", "main", "run"]

EXIT_CODES = """\
exit codes: 0 done, 1 internal error, 2 usage, 3 input (some cases failed), 4 output, 5 model, 130 interrupted
"""


@dataclass(frozen=True)
class Command:
    """A command's place in the help: its group and its one sentence."""

    group: str
    summary: str


# The module of command "data-check" is rmaunet.cli.data_check; each has main(argv) -> exit code.
COMMANDS: dict[str, Command] = {
    "segment": Command("Scans", "Segment liver and tumors in a CT, or in a folder of them."),
    "demo": Command("Scans", "Segment a real example CT and show the result."),
    "measure": Command("Scans", "Volumes, lesion table and picture of any mask."),
    "report": Command("Scans", "One self-contained HTML page of any mask: findings, lesions, pictures, viewer."),
    "convert": Command("Scans", "Turn a mask of any format into any other."),
    "info": Command("Scans", "What a file or folder holds, and what would be refused and why."),
    "figures": Command("Research", "Box plots, Bland-Altman, dice by size, contour panels: PNG and PDF."),
    "evaluate": Command("Research", "Masks against references: dice, distances, lesions; per case, mean, interval."),
    "data": Command("Research", "Check and repair a data set; find the same patient twice."),
    "prepare": Command("Research", "Turn a labelled data set into a slice store for training."),
    "train": Command("Research", "Train a network; resumes where it stopped."),
    "reproduce": Command("Research", "Make a table or figure of the paper: train, predict, evaluate, write."),
    "models": Command("Weights", "List, show, verify and import weights."),
    "doctor": Command("Machine", "What this machine and installation have, and a check on a phantom."),
}


def _help() -> str:
    lines = [
        f"rmaunet {__version__}: liver and liver-tumor segmentation in CT. Research use only.",
        "",
        "usage: rmaunet COMMAND [options]        rmaunet COMMAND --help for one command",
    ]
    groups = dict.fromkeys(command.group for command in COMMANDS.values())
    for group in groups:
        lines += ["", f"{group}:"]
        lines += [f"  {name:<10} {c.summary}" for name, c in COMMANDS.items() if c.group == group]
    lines += [
        "",
        "every command: --debug shows the traceback of an error, --quiet hides warnings",
        "rmaunet never opens a network connection, except `rmaunet demo`, which fetches an example CT.",
        EXIT_CODES.strip(),
    ]
    return "\n".join(lines)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


def _log_to_stderr(*, quiet: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    logger = logging.getLogger("rmaunet")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.ERROR if quiet else logging.INFO)
    logger.propagate = False


def _nearest(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"did you mean `{close[0]}`?" if close else "see `rmaunet --help`"


def main(argv: list[str]) -> int:
    """Run one command.

    Args:
        argv: The words after ``rmaunet``.

    Returns:
        The process's exit code.
    """
    debug = "--debug" in argv
    try:
        code = _run(argv, debug=debug)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output went away (`| head`)
        let_go_of_stdout()
        return 0
    except OSError as error:
        if debug or error.errno not in FULL:
            raise
        let_go_of_stdout()
        reason = error.strerror or "cannot be written"
        print(
            f"error: standard output: write = {reason}: cannot be written; free space or choose another",
            file=sys.stderr,
        )
        return 4
    finally:
        set_options(None)
    return code


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What a full device says. Files of results report it themselves, as an OutputError."""


def _run(argv: list[str], *, debug: bool) -> int:
    quiet = "--quiet" in argv
    words = [word for word in argv if word not in ("--debug", "--quiet")]
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if words else 2
    if words[0] in ("-V", "--version", "version"):
        print(f"rmaunet {__version__}")
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        print(f"error: rmaunet: command = {name!r}: is no command; {_nearest(name)}", file=sys.stderr)
        return 2
    _log_to_stderr(quiet=quiet)
    return _call(name, rest, debug=debug)


def _call(name: str, words: list[str], *, debug: bool) -> int:
    """Run a command and turn its errors into exit codes."""
    try:
        module = importlib.import_module(f"rmaunet.cli.{name.replace('-', '_')}")
        return int(module.main(words))
    except RmaunetError as error:
        if debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except SystemExit as stop:  # the argument parser's way out
        return stop.code if isinstance(stop.code, int) else 2
    except Exception as error:
        if debug or (isinstance(error, OSError) and error.errno in FULL):
            raise
        text = one_line(f"{type(error).__name__}: {error}")
        print(f"error: {text}: internal error (please report); run again with --debug", file=sys.stderr)
        return 1


def run() -> None:
    """Entry point of the ``rmaunet`` script."""
    prepare_streams()
    sys.exit(main(sys.argv[1:]))
