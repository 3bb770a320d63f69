"""Volume in, mask out: prepare, network, restore, postprocess. Training validates through the same class."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rmaunet.predict.choose import PrecisionName, RuntimeName, choose_runtime
from rmaunet.predict.postprocess import Postprocessing, labels_from_probabilities, postprocess
from rmaunet.predict.runtime import Runtime
from rmaunet.predict.torch_runtime import TorchRuntime
from rmaunet.predict.weights import Weights
from rmaunet.preprocess import Preprocessing, prepare, restore
from rmaunet.volume import Volume

__all__ = ["Prediction", "Predictor", "Watch"]

Watch = Callable[[int, NDArray[np.float32]], None]


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
        runtime: Computes probabilities.
        preprocessing: What it expects.
        postprocessing: What is done to its output.
        batch: Slices a call.
        why: Why this runtime, for manifests.
    """

    def __init__(
        self,
        runtime: Runtime,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        *,
        batch: int = 4,
        why: str = "given by the caller",
    ) -> None:
        self.runtime = runtime
        self.why = why
        self.preprocessing = preprocessing
        self.postprocessing = postprocessing
        self.batch = batch

    @classmethod
    def from_network(
        cls,
        network: nn.Module,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        *,
        device: str = "cpu",
        batch: int = 4,
        precision: str = "float32",
    ) -> Predictor:
        """A predictor of a PyTorch network as it is; the network is put into evaluation mode and onto the device."""
        runtime = TorchRuntime(network, device=device, precision=precision)
        return cls(runtime, preprocessing, postprocessing, batch=batch)

    @classmethod
    def from_weights(
        cls,
        weights: Weights,
        *,
        runtime: RuntimeName = "auto",
        device: str = "auto",
        batch: int = 4,
        precision: PrecisionName = "auto",
        threads: int = 0,
    ) -> Predictor:
        """A predictor of loaded weights with the settings of their card.

        Args:
            weights: Card and tensors.
            runtime: See :func:`~rmaunet.predict.choose.choose_runtime`, as for device, precision and threads.
            device: "cpu", "cuda", "cuda:1", "mps" or "auto".
            batch: Slices a call.
            precision: "float32", "bfloat16" or "auto".
            threads: For the network; 0 for one a core.

        Raises:
            UsageError: If what was asked for by name cannot be used here.
        """
        choice = choose_runtime(weights, runtime=runtime, device=device, precision=precision, threads=threads)
        card = weights.card
        return cls(choice.runtime, card.preprocessing, card.postprocessing, batch=batch, why=choice.why)

    def predict(
        self,
        ct: Volume,
        *,
        progress: Callable[[int, int], None] = lambda done, of: None,
        watch: Watch | None = None,
    ) -> Prediction:
        """Segment a CT.

        Args:
            ct: (D, H, W), HU, any orientation.
            progress: Told (slices done, slices in all).
            watch: Shown every slice's probabilities on the CT's own pixels as they stream by, in order: the index of
                the slice in axial orientation (``volume.axial``), and float32 (2, H, W), zeros where nothing was
                computed. It must copy what it keeps, and may be called from another thread than the caller's.

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
            probabilities = self.runtime(slab)
            clock.lap("network")
            for index, maps in enumerate(probabilities):
                native = prepared.grid.backward(maps)
                labels[start + index] = labels_from_probabilities(native, self.postprocessing)
                if watch:
                    watch(start + index, native)
            clock.lap("restore")
            progress(stop, len(prepared))
        dz, dy, dx = prepared.ct.spacing
        postprocess(labels, self.postprocessing, spacing_mm=(dz, dy, dx))
        clock.lap("postprocess")
        mask = restore(labels, prepared)
        clock.lap("restore")
        return Prediction(mask, clock.seconds)


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now
