"""Volume in, mask out: prepare, network, restore, postprocess. Training validates through the same class."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rmaunet.predict.postprocess import Postprocessing, labels_from_probabilities, postprocess
from rmaunet.predict.weights import Weights
from rmaunet.preprocess import Preprocessing, prepare, restore
from rmaunet.volume import Volume

__all__ = ["Prediction", "Predictor"]


@dataclass(frozen=True)
class Prediction:
    """What came out.

    Attributes:
        mask: uint8 labels {0, 1, 2} on the CT's own grid.
        seconds: Wall time of each step of the way.
    """

    mask: Volume
    seconds: dict[str, float] = field(default_factory=dict)


class Predictor:
    """Segments CTs with one set of weights.

    Args:
        network: In evaluation mode; logits (N, 2, H, W) from slices (N, C, H, W).
        preprocessing: What it expects.
        postprocessing: What is done to its output.
        device: "cpu", "cuda", "cuda:1", "mps".
        batch: Slices a call.
        precision: "float32" (the reference) or "bfloat16".
    """

    def __init__(
        self,
        network: nn.Module,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        *,
        device: str = "cpu",
        batch: int = 4,
        precision: str = "float32",
    ) -> None:
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.preprocessing = preprocessing
        self.postprocessing = postprocessing
        self.device = torch.device(device)
        self.batch = batch
        self.precision = precision

    @classmethod
    def from_weights(
        cls, weights: Weights, *, device: str = "cpu", batch: int = 4, precision: str = "float32"
    ) -> Predictor:
        """A predictor of loaded weights, with the settings of their card."""
        card = weights.card
        network = weights.network()
        return cls(network, card.preprocessing, card.postprocessing, device=device, batch=batch, precision=precision)

    def predict(
        self,
        ct: Volume,
        *,
        progress: Callable[[int, int], None] = lambda done, of: None,
        watch: Callable[[int, NDArray[np.float32]], None] | None = None,
    ) -> Prediction:
        """Segment a CT.

        Args:
            ct: (D, H, W), HU, any orientation.
            progress: Told (slices done, slices in all).
            watch: Shown (index of the axial slice, probabilities (2, H, W) on the CT's own in-plane grid) of each slice.

        Returns:
            The mask on the CT's grid, and the time each step took.
        """
        clock = _Clock()
        prepared = prepare(ct, self.preprocessing)
        labels = np.zeros(prepared.ct.spatial_shape, np.uint8)
        clock.lap("prepare")
        for start in range(0, len(prepared), self.batch):
            stop = min(start + self.batch, len(prepared))
            slab = prepared.slices(start, stop)
            clock.lap("prepare")
            probabilities = self.probabilities(slab)
            clock.lap("network")
            for index, maps in enumerate(probabilities):
                native = prepared.grid.backward(maps)
                labels[start + index] = labels_from_probabilities(native, self.postprocessing)
                if watch is not None:
                    watch(start + index, native)
            clock.lap("restore")
            progress(stop, len(prepared))
        dz, dy, dx = prepared.ct.spacing
        postprocess(labels, self.postprocessing, spacing_mm=(dz, dy, dx))
        clock.lap("postprocess")
        mask = restore(labels, prepared)
        clock.lap("restore")
        return Prediction(mask, clock.seconds)

    def probabilities(self, slab: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, 2, H, W) in [0, 1] of prepared slices (N, C, H, W)."""
        images = torch.from_numpy(slab).to(self.device, memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            logits = self.network(images)
        result: NDArray[np.float32] = torch.sigmoid(logits.float()).cpu().numpy()
        return result


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
