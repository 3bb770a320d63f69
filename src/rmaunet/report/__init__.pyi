from .overlay import overlay_figure, save_figure
from .page import write_report

__all__ = ["overlay_figure", "save_figure", "write_report"]
