"""Names of devices, checked before anything is read or computed."""

from __future__ import annotations

import re

from rmaunet.core.errors import UsageError

__all__ = ["check_device"]

_NAME = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def check_device(command: str, name: str, *, auto: bool = True) -> None:
    """Refuse a name that is no device, and a device that PyTorch cannot use on this machine.

    Args:
        command: For the message.
        name: "cpu", "cuda", "cuda:1", "mps", or "auto".
        auto: If False, "auto" is refused.

    Raises:
        UsageError: With the devices that can be named.
    """
    known = ["auto"] * auto + ["cpu", "cuda", "cuda:N", "mps"]
    if not _NAME.fullmatch(name) or (name == "auto" and not auto):
        meant = "did you mean cuda? " if name.lower().startswith(("gpu", "nvidia", "cuda")) else ""
        raise UsageError(
            command, "--device", name, "is no device", f"{meant}use {', '.join(known[:-1])} or {known[-1]}"
        )
    if name in ("auto", "cpu"):
        return
    import torch

    if name == "mps":
        problem = "" if torch.backends.mps.is_available() else "PyTorch finds no Apple GPU"
    elif not torch.cuda.is_available():
        problem = "PyTorch finds no CUDA card"
    else:
        count, index = torch.cuda.device_count(), int(name.partition(":")[2] or 0)
        problem = "" if index < count else f"there are {count} CUDA cards, numbered from 0"
    if problem:
        raise UsageError(command, "--device", name, f"cannot be used here ({problem})", "use --device cpu")
