"""The machine: what it is, and how many cores this process may use."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from rmaunet import __version__

__all__ = ["available_cores", "machine", "network_threads"]

_CGROUPS = Path("/sys/fs/cgroup")


def machine() -> dict[str, str | int]:
    """Versions, processor and cores, for manifests; nothing that identifies a person or a path."""
    return dict(_machine())


@functools.cache
def _machine() -> dict[str, str | int]:
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {
        "rmaunet": __version__,
        "commit": _commit(),
        "python": sys.version.split()[0],
        "torch": metadata.version("torch"),
        "system": platform.system(),
        "processor": model or platform.machine(),
        "cores": os.cpu_count() or 0,
        "usable_cores": available_cores(),
    }


def _commit() -> str:
    """Commit of the working tree this package is installed from; "" elsewhere."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        words = ["git", "describe", "--always", "--dirty"]
        here = Path(__file__).parent
        return subprocess.run(words, cwd=here, capture_output=True, text=True, timeout=10, check=False).stdout.strip()
    return ""


def available_cores(cgroups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Cores that this process may use: its affinity, limited by a container's share of processor time.

    Args:
        cgroups: Where control groups are mounted. Version 2 (``cpu.max``) and version 1 (``cpu/cpu.cfs_quota_us``) are read.
        own: File that names the process's own groups; groups between it and the mount count as well.

    Returns:
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min([cores, *_quotas(cgroups, own)]))


def _quotas(cgroups: Path, own: Path) -> Iterator[int]:
    """Whole cores that each control group of this process allows."""
    for folder in _groups(cgroups, own):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            share, period = (folder / "cpu.max").read_text().split()
            yield math.ceil(int(share) / int(period))
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            quota = int((folder / "cpu.cfs_quota_us").read_text())
            if quota > 0:  # -1 is no limit
                yield math.ceil(quota / int((folder / "cpu.cfs_period_us").read_text()))


def _groups(cgroups: Path, own: Path) -> Iterator[Path]:
    """Folders of the process's control groups, from the mount down to its own, for versions 1 and 2."""
    roots = {"": [cgroups], "cpu": [cgroups / "cpu", cgroups / "cpu,cpuacct"]}
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = own.read_text().splitlines()
    paths = {"": "/", "cpu": "/"}
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers:
            paths[""] = path
        elif "cpu" in controllers.split(","):
            paths["cpu"] = path
    for kind, mounts in roots.items():
        for mount in mounts:
            folder = mount
            yield folder
            for part in Path(paths[kind]).parts[1:]:
                folder = folder / part
                yield folder


def network_threads(asked: int = 0) -> int:
    """Threads for the network.

    Args:
        asked: Number chosen by the user; 0 for none.

    Returns:
        ``asked`` if it is set; else ``OMP_NUM_THREADS``, so that one variable makes several runs share a machine; else one
        per available core.
    """
    if asked > 0:
        return asked
    named = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    cores = available_cores()
    return max(1, min(int(named), cores)) if named.isdigit() else cores
