"""CT volume to mask: prepare, network, restore, postprocess. Training validates through the same class."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import ModelError
from rmaunet.core.volume import Volume, axial
from rmaunet.predict.cascade import Place, liver_place
from rmaunet.predict.choose_runtime import choose_runtime
from rmaunet.predict.compute import Compute
from rmaunet.predict.memory import Needs, fitting_batch, predicted_bytes
from rmaunet.predict.postprocess.clean_labels import Postprocessing, postprocess
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.slab_stream import Mix, Search, SlabStream, Stopwatch, Watch
from rmaunet.predict.weights import ModelCard, Weights, load_weights
from rmaunet.preprocess import Prepared, Preprocessing, prepare, restore
from rmaunet.preprocess.slice_grid import MULTIPLE
from rmaunet.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Prediction", "Predictor", "Watch"]

_logger = logging.getLogger("rmaunet")


@dataclass(frozen=True)
class Prediction:
    """Result of a prediction.

    Attributes:
        mask: uint8 labels {0, 1, 2} on the CT's own grid.
        prepared: The CT as the network saw it; that of the second network if there are two and the first found a liver.
        seconds: Time of each step; prepare, network and restore overlap, so their sum may exceed the wall time.
        computed: Slices that the networks computed.
        batch: Slices per call.
        predicted_bytes: Estimated peak memory.
        mix: Function of slice index and the second network's probabilities that mixes in those of the locator; None if
            the locator has no share.
    """

    mask: Volume
    prepared: Prepared
    seconds: dict[str, float] = field(default_factory=dict)
    computed: int = 0
    batch: int = 0
    predicted_bytes: int = 0
    mix: Mix | None = None


class Predictor:
    """Segments CTs with one set of weights. Load it once, use it for many scans.

    Args:
        weights: Name of released weights, a folder with weights, or loaded weights.
        compute: How the network is computed. None for the defaults.
        **options: Fields of :class:`~rmaunet.predict.compute.Compute`, instead of ``compute``: ``device="cpu"``.

    Attributes:
        card: Model card of the weights.
        runtime: Computes probabilities.
        why: Why this runtime was chosen, for manifests.
        preprocessing: Preprocessing that the network expects.
        postprocessing: Applied to the probabilities.
        compute: How the network is computed.
        locator: Finds the liver first, if the weights look only around a liver; else None.
        locator_share: Share of the locator's probabilities in the mean of both; 0 to ignore them.
        folder: Folder of the weights; None if they were not read from one.

    Raises:
        ModelError: If the weights cannot be used, or look around a liver and contain no locator.
        UsageError: If a requested device, library or precision cannot be used on this machine.

    Example:
        >>> predictor = Predictor("fast", device="cpu")  # doctest: +SKIP
        >>> predictor.predict(read_scan("ct.nii.gz").volume).mask  # doctest: +SKIP
    """

    folder: Path | None

    def __init__(self, weights: str | Path | Weights = "fast", compute: Compute | None = None, **options: Any) -> None:
        self.compute = compute or Compute.of(**options)
        loaded = weights if isinstance(weights, Weights) else load_weights(weights, at_once=False)
        card = loaded.card
        locator = Predictor(loaded.locator, self.compute) if loaded.locator is not None else None
        if locator is None and card.preprocessing.grid == "liver":
            remedy = "join them with weights that find it: `rmaunet models cascade`"
            raise ModelError(card.name, "locator", None, "these weights look around a liver found before", remedy)
        choice = choose_runtime(loaded, self.compute)
        self._set(choice.runtime, card.preprocessing, card.postprocessing, locator)
        self.card, self.folder, self.why = card, loaded.folder, choice.why
        self.locator_share, self.multiple_of = card.locator_share, card.network.multiple_of
        self.needs = _needs(loaded)
        if locator is not None:
            locator.needs = self.needs

    @classmethod
    def from_runtime(
        cls,
        runtime: Runtime,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        *,
        locator: Predictor | None = None,
        **options: Any,
    ) -> Predictor:
        """A predictor of anything that computes probabilities, without a card.

        Args:
            runtime: Computes probabilities.
            preprocessing: Preprocessing that the network expects.
            postprocessing: Applied to the probabilities.
            locator: Finds the liver first. Needed if the grid is "liver".
            **options: ``batch``, ``all_slices`` and ``max_memory`` of :class:`~rmaunet.predict.compute.Compute`.

        Raises:
            ValueError: If a locator is missing or not needed.
        """
        made = cls.__new__(cls)
        made.compute = Compute.of(**options)
        made._set(runtime, preprocessing, postprocessing, locator)
        return made

    @classmethod
    def from_network(
        cls,
        network: nn.Module,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        **options: Any,
    ) -> Predictor:
        """A predictor of a PyTorch network as it is; the network is put into evaluation mode and onto the device."""
        from rmaunet.runtimes.torch_runtime import TorchRuntime

        chosen = Compute.of(**options)
        device = "cpu" if chosen.device == "auto" else chosen.device
        precision = "float32" if chosen.precision == "auto" else chosen.precision
        runtime = TorchRuntime(network, device=device, precision=precision)
        return cls.from_runtime(runtime, preprocessing, postprocessing, **options)

    def _set(
        self,
        runtime: Runtime,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        locator: Predictor | None,
    ) -> None:
        if (preprocessing.grid == "liver") != (locator is not None):
            raise ValueError(f"grid = {preprocessing.grid!r}: 'liver' needs a locator, and no other grid takes one")
        self.runtime, self.preprocessing, self.postprocessing = runtime, preprocessing, postprocessing
        self.locator = locator
        self.locator_share = 0.0
        self.multiple_of = MULTIPLE
        self.card = ModelCard("unnamed", preprocessing=preprocessing, postprocessing=postprocessing)
        self.folder = None
        self.why = "given by the caller"
        self.needs = Needs()

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
            progress: Called with (slices_done, slices_total); the total is twice the depth if there are two networks.
            watch: Called with (index, probabilities) of each computed slice, in any order and from another thread: index
                in axial orientation, and float32 (2, H, W) on the CT's own pixels. Skipped slices are empty. The
                locator's probabilities are not passed on.

        Returns:
            Mask on the CT's grid, with times and memory.

        Raises:
            UsageError: If one slice at a time would take more than ``max_memory``.
        """
        if self.locator is None:
            return self._predict(ct, None, progress, watch)
        depth = axial(ct).spatial_shape[0]
        kept = KeptMaps(axial(ct).spatial_shape) if self.locator_share else None
        first = kept.watch if kept else None
        found = self.locator.predict(ct, progress=lambda done, _: progress(done, 2 * depth), watch=first)
        upright = axial(found.mask)
        place = liver_place(np.asarray(upright.array), slice_mm=upright.spacing[0])
        if place is None:
            progress(2 * depth, 2 * depth)
            return found
        mix = self._mixed_with(kept) if kept else None
        return _both(found, self._predict(ct, place, lambda done, _: progress(depth + done, 2 * depth), watch, mix))

    def _mixed_with(self, first: KeptMaps) -> Mix:
        share = np.float32(self.locator_share)
        return lambda index, maps: share * first.plane(index) + (1 - share) * maps

    def _predict(
        self,
        ct: Volume,
        place: Place | None,
        progress: Callable[[int, int], None],
        watch: Watch | None,
        mix: Mix | None = None,
    ) -> Prediction:
        """One network over the scan, or over a place in it."""
        stopwatch = Stopwatch()
        with stopwatch("prepare"):
            prepared = prepare(ct, self.preprocessing, liver=place.box if place else None, multiple=self.multiple_of)
            batch = fitting_batch(prepared, self.compute.batch, self.compute.memory_bytes, self.needs)
            expected = predicted_bytes(prepared, batch, self.needs)
            _logger.info("about %.2f GiB of memory at most, %d slices a call", expected / 2**30, batch)
            mask, labels = _empty_mask(ct, prepared)
        only = place.slices if place else None
        search = Search(len(prepared), spacing_mm=prepared.ct.spacing[0], every=self.compute.all_slices, only=only)
        stream = SlabStream(prepared, self.runtime, self.postprocessing, batch=batch, stopwatch=stopwatch)
        computed = stream.fill(labels, search, progress=progress, watch=watch, mix=mix)
        with stopwatch("postprocess"):
            upright = prepared.ct
            postprocess(labels, self.postprocessing, spacing_mm=upright.spacing, ct=upright.array)
        with stopwatch("restore"):
            mask = mask or restore(labels, prepared)
        return Prediction(mask, prepared, stopwatch.seconds, computed, batch, expected, mix)


def _needs(weights: Weights) -> Needs:
    """Memory requirements of these weights and their locator."""
    both = (weights, weights.locator) if weights.locator else (weights,)
    return Needs(
        width=max(one.card.network.base for one in both),
        parameters=sum(one.parameters for one in both),
        keeps_maps=weights.card.locator_share > 0,
    )


def _both(first: Prediction, second: Prediction) -> Prediction:
    """The second network's prediction with the times and counts of both."""
    seconds = {name: first.seconds.get(name, 0.0) + taken for name, taken in second.seconds.items()}
    return replace(
        second,
        seconds=seconds,
        computed=first.computed + second.computed,
        predicted_bytes=max(first.predicted_bytes, second.predicted_bytes),
    )


def _empty_mask(ct: Volume, prepared: Prepared) -> tuple[Volume | None, NDArray[np.uint8]]:
    """An empty mask on the CT's grid and its axial view; both share memory, so nothing has to be copied."""
    mask = ct.with_array(np.zeros(ct.spatial_shape, np.uint8))
    labels = np.asarray(axial(mask).array)
    if labels.shape == prepared.ct.spatial_shape and np.may_share_memory(labels, mask.array):
        return mask, labels
    return None, np.zeros(prepared.ct.spatial_shape, np.uint8)
