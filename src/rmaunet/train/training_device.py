"""Where a network is trained, and what is best there."""

from __future__ import annotations

import torch

from rmaunet.core.errors import UsageError
from rmaunet.core.machine import available_cores
from rmaunet.runtimes.devices import check_device

__all__ = ["feeding_threads", "usable_device"]


def usable_device(name: str, command: str = "train") -> torch.device:
    """A device that computes here.

    Args:
        name: "cpu", "cuda", "cuda:1", "mps".
        command: For the message.

    Returns:
        The device, after one number was put there and back.

    Raises:
        UsageError: If it cannot be used here, with the reason in a line.
    """
    check_device(command, name, auto=False)
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(command, "--device", name, f"cannot be used here ({reason})", "use --device cpu") from error
    return device


def feeding_threads(device: torch.device, asked: int = 0) -> int:
    """Threads that make batches: as many as asked for, or one beside a processor that trains and up to four for a card."""
    if asked:
        return asked
    return 1 if device.type == "cpu" else max(1, min(4, available_cores() - 1))
