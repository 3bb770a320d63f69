"""How many threads a network may take."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["available_cores", "network_threads"]

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cores(quota: Path = _QUOTA) -> int:
    """Cores this process may use: what the system lets it run on, and a container's share of time (cgroup 2).

    Args:
        quota: The file that holds the share as "MICROSECONDS PERIOD" or "max PERIOD"; ignored where it is not there.

    Returns:
        At least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        share, period = quota.read_text().split()
        cores = min(cores, math.ceil(int(share) / int(period)))
    except (OSError, ValueError):
        pass
    return max(1, cores)


def network_threads(asked: int = 0) -> int:
    """Threads for the network.

    Args:
        asked: The user's number; 0 for none.

    Returns:
        What was asked for; else ``OMP_NUM_THREADS`` where it is set, so that several runs beside each other can be told
        to share a machine in one place; else one a core that is available.
    """
    if asked > 0:
        return asked
    named = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    cores = available_cores()
    return max(1, min(int(named), cores)) if named.isdigit() else cores
