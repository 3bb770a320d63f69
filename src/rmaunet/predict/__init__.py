"""From a volume to a mask with given weights."""

from __future__ import annotations

from rmaunet.predict.postprocess import Postprocessing
from rmaunet.predict.predictor import Prediction, Predictor, Watch
from rmaunet.predict.weights import (
    ModelCard,
    Weights,
    fingerprint_file,
    load_card,
    load_weights,
    save_weights,
    shipped_weights,
)
from rmaunet.runtimes.runtime import Runtime

__all__ = [
    "ModelCard",
    "Postprocessing",
    "Prediction",
    "Predictor",
    "Runtime",
    "Watch",
    "Weights",
    "fingerprint_file",
    "load_card",
    "load_weights",
    "save_weights",
    "shipped_weights",
]
