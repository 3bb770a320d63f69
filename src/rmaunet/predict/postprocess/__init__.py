"""From probabilities to a clean label map."""

from __future__ import annotations

from rmaunet.predict.postprocess.clean_labels import Postprocessing, labels_from_probabilities, postprocess

__all__ = ["Postprocessing", "labels_from_probabilities", "postprocess"]
