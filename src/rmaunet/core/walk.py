"""A walk through a folder that follows linked folders, and says what it could not reach."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rmaunet.core.notices import notice

__all__ = ["Identity", "Walk", "identity_of", "say_unreached", "walk"]

Identity = tuple[int, int]


@dataclass
class Walk:
    """What lies below a folder.

    Attributes:
        files: Everything that is not a folder, sorted by path; linked files under the link's name.
        folders: The folders, sorted; linked ones under the link's name.
        dangling: Links that lead nowhere or back to themselves. They are among the files, too.
        unreadable: Folders that could not be listed.
    """

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    dangling: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)


def walk(root: Path, *, hidden: bool = True, leave_out: Path | None = None) -> Walk:
    """List what lies at any depth below a folder.

    Each real folder is visited once: a link back to a folder above it ends there, and of two ways to one folder the one
    without links wins, so that the result does not depend on the order of names.

    Args:
        root: The folder; may be a link.
        hidden: If False, names that begin with a dot are passed over.
        leave_out: A folder that is not entered, whatever it is called here.

    Returns:
        Files and folders; nothing is resolved, every path begins with ``root``.
    """
    result = Walk()
    seen: set[Identity] = set()
    if leave_out is not None and (place := identity_of(leave_out)) is not None:
        seen.add(place)
    links = [root]
    while links:  # a round of links begins once all that is reached without them has been visited
        waiting, links = links, []
        for folder in waiting:
            _visit(folder, hidden, seen, result, links)
        links.sort()
    result.files.sort()
    result.dangling.sort()
    result.unreadable.sort()
    result.folders = sorted(folder for folder in result.folders if folder != root)
    return result


def _visit(top: Path, hidden: bool, seen: set[Identity], result: Walk, links: list[Path]) -> None:
    stack = [top]
    while stack:
        folder = stack.pop()
        place = identity_of(folder)
        if place is None or place in seen:
            continue
        seen.add(place)
        result.folders.append(folder)
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError:
            result.unreadable.append(folder)
            continue
        for entry in found:
            if not hidden and entry.name.startswith("."):
                continue
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                stack.append(path)
            elif entry.is_symlink() and _is_folder(path):
                links.append(path)
            else:
                result.files.append(path)
                if entry.is_symlink() and identity_of(path) is None:
                    result.dangling.append(path)


def identity_of(path: Path) -> Identity | None:
    """Device and number of what a path leads to, which all of its names and links share; None if there is nothing."""
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def say_unreached(root: Path, dangling: Sequence[Path], unreadable: Sequence[Path]) -> None:
    """Name in one warning each the links that lead nowhere and the folders that cannot be read.

    Args:
        root: The folder that was walked.
        dangling: See :class:`Walk`.
        unreadable: See :class:`Walk`.
    """
    for paths, problem in (
        (dangling, "left out for leading nowhere"),
        (unreadable, "left out for lack of rights to read it"),
    ):
        if paths:
            kind = ("link" if paths is dangling else "folder") + "s" * (len(paths) > 1)
            names = ", ".join(str(path.relative_to(root)) for path in paths[:5])
            more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
            notice(root, f"{len(paths)} {kind} {problem}: {names}{more}")
