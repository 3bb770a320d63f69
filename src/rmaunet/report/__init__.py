"""From a CT and a mask to numbers, tables and pictures, for any mask and without torch.

Names are imported when first used: measuring does not wait for matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmaunet.report.colors import LIVER_RGB as LIVER_RGB
    from rmaunet.report.colors import TUMOR_RGB as TUMOR_RGB
    from rmaunet.report.overlay import overlay_figure as overlay_figure
    from rmaunet.report.overlay import save_figure as save_figure

_HOME = {
    "LIVER_RGB": "colors",
    "TUMOR_RGB": "colors",
    "overlay_figure": "overlay",
    "save_figure": "overlay",
}

__all__ = ["LIVER_RGB", "TUMOR_RGB", "overlay_figure", "save_figure"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
