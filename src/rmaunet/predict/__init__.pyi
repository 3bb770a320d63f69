from .compute import Compute
from .postprocess import Postprocessing
from .predictor import Prediction, Predictor, Watch
from .weights import (
    ModelCard,
    Weights,
    fingerprint_file,
    load_card,
    load_weights,
    save_weights,
    shipped_weights,
)

__all__ = [
    "Compute",
    "ModelCard",
    "Postprocessing",
    "Prediction",
    "Predictor",
    "Watch",
    "Weights",
    "fingerprint_file",
    "load_card",
    "load_weights",
    "save_weights",
    "shipped_weights",
]
