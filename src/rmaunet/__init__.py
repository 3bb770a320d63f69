"""rmaunet: liver and liver-tumor segmentation in CT around RMAU-Net (Jiang et al., 2023)."""

__version__ = "0.1.0"

__all__ = ["__version__"]
