from .colors import LIVER_RGB, TUMOR_RGB
from .overlay import overlay_figure, save_figure
from .page import write_report

__all__ = ["LIVER_RGB", "TUMOR_RGB", "overlay_figure", "save_figure", "write_report"]
