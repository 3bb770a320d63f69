"""A command's words to its options, the same way for every command."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import tyro

from rmaunet.core.advice import set_options
from rmaunet.core.errors import InputError, OutputError, UsageError
from rmaunet.core.output_checks import check_name

__all__ = ["option_names", "parse"]

T = TypeVar("T")

MAY_BE_EMPTY = {"--title"}
OUTPUTS = {"output", "fix", "save"}
"""Options that name what is written."""


def parse(kind: type[T], argv: Sequence[str], prog: str) -> T:
    """Read the words of a command.

    Args:
        kind: Dataclass of its options.
        argv: The words.
        prog: What the user typed before them, e.g. "rmaunet measure".

    Returns:
        The options.

    Raises:
        UsageError: If a value is empty: an empty path would mean the current folder.
        InputError: If the name of an input is longer than the file system allows.
        OutputError: The same for an output.
        SystemExit: If a word is not understood, or help was asked for.
    """
    set_options(option_names(kind))
    option = "argument"
    for word in argv:
        name, sign, value = word.partition("=")
        if re.match(r"--?[a-zA-Z]", name):
            option = name
            empty = bool(sign) and not value.strip()
        else:
            empty = not word.strip()
        if empty and option not in MAY_BE_EMPTY:
            raise UsageError(prog.removeprefix("rmaunet "), option, "''", "is empty", "give a value, or leave it out")
    found = tyro.cli(kind, args=list(argv), prog=prog)
    for name, value in _values(found):
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path):
                _check_path(path, is_output=name in OUTPUTS)
    return found


def _check_path(path: Path, *, is_output: bool) -> None:
    try:
        check_name(path)
    except OutputError as error:
        if is_output:
            raise
        raise InputError(path, "name", error.value, error.problem, "check the path") from error


def option_names(kind: type) -> set[str]:
    """The options of a command.

    Args:
        kind: Its dataclass.

    Returns:
        Such as "--hu-offset", and "--no-overlay" for what can be switched off.
    """
    names = [name.replace("_", "-") for name in _field_names(kind)]
    return {f"--{name}" for name in names} | {f"--no-{name}" for name in names}


def _values(options: object) -> Iterator[tuple[str, Any]]:
    """Name and value of each option, those of nested dataclasses included."""
    for name, value in vars(options).items():
        if dataclasses.is_dataclass(value):
            yield from _values(value)
        else:
            yield name, value


def _field_names(kind: type) -> Iterator[str]:
    """Names of options, as :mod:`tyro` takes them; a nested dataclass adds its own without a prefix."""
    hints = get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        hint, *extras = (
            get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else (hints[field.name],)
        )
        if dataclasses.is_dataclass(hint):
            yield from _field_names(hint)  # type: ignore[arg-type]
        else:
            yield next((name for extra in extras if (name := getattr(extra, "name", None))), field.name)
