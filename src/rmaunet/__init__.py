"""rmaunet: liver and liver-tumor segmentation in CT around RMAU-Net (Jiang et al., 2023).

Names are loaded when first used: importing rmaunet takes no time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
