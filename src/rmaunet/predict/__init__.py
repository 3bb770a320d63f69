"""From a volume to a mask with given weights."""

from __future__ import annotations

from rmaunet.predict.postprocess import Postprocessing, labels_from_probabilities, postprocess
from rmaunet.predict.predictor import Prediction, Predictor, Watch
from rmaunet.predict.runtime import Runtime
from rmaunet.predict.weights import (
    ModelCard,
    Weights,
    fingerprint_file,
    load_card,
    load_weights,
    save_weights,
    shipped_weights,
)

__all__ = [
    "ModelCard",
    "Postprocessing",
    "Prediction",
    "Predictor",
    "Runtime",
    "Watch",
    "Weights",
    "fingerprint_file",
    "labels_from_probabilities",
    "load_card",
    "load_weights",
    "postprocess",
    "save_weights",
    "shipped_weights",
]
