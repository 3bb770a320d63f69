"""Frozen settings as JSON and back: every setting is a dataclass owned by its room, stored beside what it produced.

Reading is strict: an unknown key is an error that names the nearest known one, and a value of another type is refused.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from rmaunet.core.errors import InputError

__all__ = ["from_dict", "nearest", "read_json", "to_dict"]

MAX_BYTES = 16 << 20
"""No settings are larger; what is, is not read."""

T = TypeVar("T")


def nearest(name: object, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the known one that is spelled most like it, or all of them."""
    names = list(known)
    near = difflib.get_close_matches(str(name), names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def read_json(path: Path) -> Any:
    """Read a JSON file that somebody handed over.

    Args:
        path: The file.

    Returns:
        Its content. Numbers may still be NaN or infinite: :func:`from_dict` refuses them by name.

    Raises:
        InputError: If it is no regular file, too large, no JSON, nested absurdly, or tells a key twice.
    """
    remedy = "give a JSON file as rmaunet writes it"
    try:
        if path.exists() and not path.is_file():
            raise InputError(path, "file", None, "is no regular file", remedy)
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(path, "bytes", size, f"are more than the {MAX_BYTES} that settings may have", remedy)
        return json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=lambda pairs: _once(path, pairs))
    except OSError as error:
        raise InputError(path, "file", error.strerror, "cannot be read", remedy) from error
    except UnicodeDecodeError as error:
        raise InputError(path, "content", None, f"is no UTF-8 text (byte {error.start})", remedy) from error
    except RecursionError as error:
        raise InputError(path, "content", None, "is nested too deeply", remedy) from error
    except ValueError as error:
        raise InputError(path, "content", None, f"is not valid JSON ({str(error)[:120]})", remedy) from error


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(path, key[:60], None, "duplicate key", "keep one of them")
        found[key] = value
    return found


def to_dict(settings: Any) -> dict[str, Any]:
    """A dataclass as nested dictionaries and lists, ready for JSON.

    Args:
        settings: An instance of a dataclass made of dataclasses, tuples, numbers, strings, booleans and None.

    Returns:
        The same content; :func:`from_dict` undoes it.
    """
    return {field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_dict(kind: type[T], data: Mapping[str, Any], *, subject: str, at: str = "") -> T:
    """Make a dataclass from :func:`to_dict`'s output.

    Args:
        kind: The dataclass.
        data: Its fields; missing ones take their defaults.
        subject: The file read, for error messages.
        at: Where in the file ``data`` stands, as a dotted prefix.

    Returns:
        An instance; its own ``__post_init__`` checks ranges.

    Raises:
        InputError: For an unknown key, a missing one without default, or a value of another type or out of range.
    """
    if not isinstance(data, Mapping):
        raise InputError(subject, at.rstrip(".") or "content", _shown(data), "is not a JSON object", "write {...}")
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    data = _without_retired(kind, data, subject, at)
    for key in data:
        if key not in fields:
            raise InputError(subject, f"{at}{str(key)[:60]}", None, "unknown setting", nearest(key, fields))
    absent = [
        name
        for name, field in fields.items()
        if name not in data and field.default is field.default_factory is dataclasses.MISSING
    ]
    if absent:
        raise InputError(subject, f"{at}{absent[0]}", None, "is missing", "write it")
    values = {key: _typed(hints[key], value, subject, f"{at}{key}") for key, value in data.items()}
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise InputError(subject, at.rstrip(".") or "settings", None, str(error), "correct it") from error


def _without_retired(kind: type[Any], data: Mapping[str, Any], subject: str, at: str) -> Mapping[str, Any]:
    """Drop settings that no longer exist and had no effect; files of older versions then still read.

    A dataclass lists them in ``retired``: name to the value without effect.
    """
    retired: Mapping[str, Any] = getattr(kind, "retired", {})
    for key, neutral in retired.items():
        if key in data and data[key] != neutral:
            raise InputError(subject, f"{at}{key}", _shown(data[key]), "is no longer supported", f"use {neutral!r}")
    return {key: value for key, value in data.items() if key not in retired}


def _typed(hint: Any, value: Any, subject: str, at: str) -> Any:
    """Check a value against its type hint, and convert lists to tuples, numbers to float, text to Path."""
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(hint, value, subject, at)
    if origin is Literal:
        return _choice(hint, value, subject, at)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type[Any], hint), value, subject=subject, at=f"{at}.")
    if origin is tuple:
        return _tuple(hint, value, subject, at)
    if origin in (dict, Mapping) or hint in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        return _mapping(hint, value, subject, at)
    return _plain_value(hint, value, subject, at)


def _wrong(hint: Any, value: Any, subject: str, at: str) -> InputError:
    return InputError(subject, at, _shown(value), f"is not {_name(hint)}", "correct it")


def _one_of(hint: Any, value: Any, subject: str, at: str) -> Any:
    for option in typing.get_args(hint):
        try:
            return _typed(option, value, subject, at)
        except InputError:
            continue
    raise _wrong(hint, value, subject, at)


def _choice(hint: Any, value: Any, subject: str, at: str) -> Any:
    choices = typing.get_args(hint)
    if value not in choices:
        raise InputError(subject, at, _shown(value), "unknown value", f"choose from {', '.join(map(repr, choices))}")
    return value


def _tuple(hint: Any, value: Any, subject: str, at: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _wrong(hint, value, subject, at)
    args = typing.get_args(hint)
    kinds = [args[0]] * len(value) if len(args) == 2 and args[1] is Ellipsis else list(args)
    if len(kinds) != len(value):
        raise _wrong(hint, value, subject, at)
    return tuple(_typed(k, v, subject, f"{at}[{i}]") for i, (k, v) in enumerate(zip(kinds, value, strict=True)))


def _mapping(hint: Any, value: Any, subject: str, at: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(hint, value, subject, at)
    args = typing.get_args(hint)
    return {str(k): _typed(args[1], v, subject, f"{at}.{k}") if args else v for k, v in value.items()}


def _plain_value(hint: Any, value: Any, subject: str, at: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise InputError(subject, at, value, "is not a finite number", "correct it")
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is Any or (hint is type(None) and value is None):
        return value
    plain = isinstance(hint, type) and isinstance(value, hint)
    if plain and not (hint is int and isinstance(value, bool)):
        return value
    raise _wrong(hint, value, subject, at)


def _shown(value: Any) -> str:
    """A value as it may stand in a line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _name(hint: Any) -> str:
    return getattr(hint, "__name__", None) or str(hint).replace("typing.", "")
