"""A run's folder: one process at a time, and what a manifest says of the machine."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from rmaunet import __version__
from rmaunet.core.errors import OutputError
from rmaunet.core.files import make_folder, read_json
from rmaunet.core.notices import notice

__all__ = ["locked", "machine"]

LOCK = "run.lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Hold a folder so that no second run writes to it.

    Args:
        folder: Created if need be.

    Yields:
        The folder.

    Raises:
        OutputError: If another live process holds it, naming its pid and host. A lock left by a process that is gone from
            this host is taken over.
    """
    make_folder(folder)
    path = folder / LOCK
    with _one_at_a_time(folder):
        if path.exists():
            holder = _holder(path)
            if holder is not None and not _gone(holder):
                who = f"process {holder.get('pid')} on {holder.get('host')}"
                raise OutputError(
                    folder, LOCK, who, "another run uses this folder", "wait, stop it, or choose another folder"
                )
            notice(folder, "a lock left by a run that is gone was removed")
            path.unlink(missing_ok=True)
        _take(path)
    try:
        yield folder
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Between processes of this host: else two could both find an old lock, and the slower remove the faster's new one."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system that knows no such locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _take(path: Path) -> None:
    """Make the lock, whole from the start, unless another host has just made it."""
    content = json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
    whole = path.with_name(f".partial-{LOCK}-{os.getpid()}")
    try:
        whole.write_text(content, encoding="utf-8")
        try:
            os.link(whole, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            with path.open("x") as file:
                file.write(content)
    except FileExistsError:
        raise OutputError(
            path.parent, LOCK, None, "another run took this folder just now", "choose another folder"
        ) from None
    except OSError as error:
        raise OutputError(path, "lock", error.strerror, "cannot be written", "check space and permissions") from error
    finally:
        whole.unlink(missing_ok=True)


def _holder(path: Path) -> dict[str, Any] | None:
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _gone(holder: Mapping[str, Any]) -> bool:
    if holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(int(holder.get("pid", -1)), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


def machine() -> dict[str, str | int]:
    """What ran this: versions and processor, nothing that identifies a person or a path."""
    return dict(_machine())


@functools.cache
def _machine() -> dict[str, str | int]:
    commit = ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        here = Path(__file__).parent
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        ).stdout.strip()
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "rmaunet": __version__,
        "commit": commit,
        "python": sys.version.split()[0],
        "torch": metadata.version("torch"),
        "system": platform.system(),
        "processor": model or platform.machine(),
        "cores": os.cpu_count() or 0,
    }
