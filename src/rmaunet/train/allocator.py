"""What a training step frees stays in the process for the next one."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]


def keep_freed_memory() -> bool:
    """Let the C library keep large freed blocks for the next step instead of handing them back to the kernel.

    PyTorch allocates and frees every activation in every step; without this each of their pages is faulted in again.
    ``lab/benchmarks/malloc.py`` measures what that costs. It holds for the whole process, so commands call it and the
    library does
    not; glibc only.

    Returns:
        Whether it was done.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    trim, mmap = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    largest = (1 << 31) - 1
    return all(mallopt(option, value) == 1 for option, value in ((trim, largest), (mmap, 1 << 30)))
