"""Volume in, mask out: prepare, network, restore, postprocess. Training validates through the same class."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import ModelError
from rmaunet.core.volume import Volume, axial
from rmaunet.predict.cascade import Place, liver_place
from rmaunet.predict.choose_runtime import PrecisionName, RuntimeName, choose_runtime
from rmaunet.predict.memory import Needs, fitting_batch, predicted_bytes
from rmaunet.predict.postprocess.clean_labels import Postprocessing, postprocess
from rmaunet.predict.probability_store import KeptMaps
from rmaunet.predict.slab_search import Search
from rmaunet.predict.slab_stream import Mix, Stopwatch, Watch, fill_labels
from rmaunet.predict.weights import Weights
from rmaunet.preprocess import Prepared, Preprocessing, prepare, restore
from rmaunet.preprocess.slice_grid import MULTIPLE
from rmaunet.runtimes.runtime import Runtime

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Prediction", "Predictor", "Watch"]

_logger = logging.getLogger("rmaunet")


@dataclass(frozen=True)
class Prediction:
    """What came out.

    Attributes:
        mask: uint8 labels {0, 1, 2} on the CT's own grid.
        prepared: The CT as the network saw it, the second one's where there are two and the first found a liver.
        seconds: Time of each step; prepare, network and restore overlap, so that their sum may exceed what passed.
        computed: Slices the network looked at, the first one's added where there are two.
        batch: Slices a call.
        predicted_bytes: Peak memory that was expected.
        mix: From a slice's index and the second network's probabilities to those that counted, where the first network's
            had a share in them.
    """

    mask: Volume
    prepared: Prepared
    seconds: dict[str, float] = field(default_factory=dict)
    computed: int = 0
    batch: int = 0
    predicted_bytes: int = 0
    mix: Mix | None = None


class Predictor:
    """Segments CTs with one set of weights.

    Args:
        runtime: Computes probabilities.
        preprocessing: What it expects.
        postprocessing: What is done to its output.
        batch: Slices a call.
        all_slices: Look at every slice instead of every few and then around what is found (:mod:`rmaunet.predict.slab_search`).
        max_memory: Bytes the process may take; the batch is made smaller to keep to it.
        why: Why this runtime, for manifests.
        multiple_of: Of what the sides of the network's slices must be multiples.
        locator: Finds the liver first; this one then looks around it only, at the pixels of its own preprocessing, and
            says what is liver and what is tumor. Needed where the preprocessing's grid is "liver".
        locator_share: Share of the locator's probabilities in the mean of both; 0 leaves the word to this one alone.
        needs: What the weights take of memory, the locator's among them; those of a network of base 16 by default.
    """

    def __init__(
        self,
        runtime: Runtime,
        preprocessing: Preprocessing,
        postprocessing: Postprocessing,
        *,
        batch: int = 4,
        all_slices: bool = False,
        max_memory: int | None = None,
        why: str = "given by the caller",
        locator: Predictor | None = None,
        locator_share: float = 0.0,
        multiple_of: int = MULTIPLE,
        needs: Needs | None = None,
    ) -> None:
        if (preprocessing.grid == "liver") != (locator is not None):
            raise ValueError(f"grid = {preprocessing.grid!r}: 'liver' needs a locator, and no other grid takes one")
        self.locator, self.locator_share = locator, locator_share
        self.folder: Path | None = None  # of the weights, for manifests
        self.multiple_of = multiple_of
        self.needs = needs or Needs()
        self.runtime = runtime
        self.why = why
        self.preprocessing = preprocessing
        self.postprocessing = postprocessing
        self.batch = batch
        self.all_slices = all_slices
        self.max_memory = max_memory

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
        all_slices: bool = False,
    ) -> Predictor:
        """A predictor of a PyTorch network as it is; the network is put into evaluation mode and onto the device."""
        from rmaunet.runtimes.torch_runtime import TorchRuntime

        runtime = TorchRuntime(network, device=device, precision=precision)
        return cls(runtime, preprocessing, postprocessing, batch=batch, all_slices=all_slices)

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
        all_slices: bool = False,
        max_memory: int | None = None,
    ) -> Predictor:
        """A predictor of loaded weights with the settings of their card.

        Args:
            weights: Card and tensors.
            runtime: See :func:`~rmaunet.predict.choose_runtime.choose_runtime`, as for device, precision and threads.
            device: "cpu", "cuda", "cuda:1", "mps" or "auto".
            batch: Slices a call.
            precision: "float32", "bfloat16" or "auto".
            threads: For the network; 0 for one a core.
            all_slices: See the class.
            max_memory: See the class.

        Raises:
            UsageError: If what was asked for by name cannot be used here.
            ModelError: If the weights look around a liver and none come with them that find it.
        """
        card, locator = weights.card, None
        if weights.locator is not None:
            locator = cls.from_weights(
                weights.locator,
                runtime=runtime,
                device=device,
                batch=batch,
                precision=precision,
                threads=threads,
                all_slices=all_slices,
                max_memory=max_memory,
            )
        elif card.preprocessing.grid == "liver":
            remedy = "join them with weights that find it: `rmaunet models cascade`"
            raise ModelError(card.name, "locator", None, "these weights look around a liver found before", remedy)
        needs = _needs(weights)
        if locator is not None:
            locator.needs = needs
        choice = choose_runtime(weights, runtime=runtime, device=device, precision=precision, threads=threads)
        predictor = cls(
            choice.runtime,
            card.preprocessing,
            card.postprocessing,
            batch=batch,
            all_slices=all_slices,
            max_memory=max_memory,
            why=choice.why,
            locator=locator,
            locator_share=card.locator_share,
            multiple_of=card.network.multiple_of,
            needs=needs,
        )
        predictor.folder = weights.folder
        return predictor

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
            progress: Told (slices done, slices of the scan, twice as many where there are two networks).
            watch: Shown the probabilities of each computed slice once, on the CT's own pixels, in any order: the index of
                the slice in axial orientation (``volume.axial``), and float32 (2, H, W). Slices that are not shown were
                skipped: nothing is there. It is called from another thread than the caller's. The locator's are not shown.

        Returns:
            The mask on the CT's grid, and what it took.

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
            batch = fitting_batch(prepared, self.batch, self.max_memory, self.needs)
            expected = predicted_bytes(prepared, batch, self.needs)
            _logger.info("about %.2f GiB of memory at most, %d slices a call", expected / 2**30, batch)
            mask, labels = _empty_mask(ct, prepared)
        only = place.slices if place else None
        search = Search(len(prepared), spacing_mm=prepared.ct.spacing[0], every=self.all_slices, only=only)
        computed = fill_labels(
            labels,
            prepared,
            self.runtime,
            self.postprocessing,
            search=search,
            batch=batch,
            progress=progress,
            watch=watch,
            mix=mix,
            stopwatch=stopwatch,
        )
        with stopwatch("postprocess"):
            upright = prepared.ct
            postprocess(labels, self.postprocessing, spacing_mm=upright.spacing, ct=upright.array)
        with stopwatch("restore"):
            mask = mask or restore(labels, prepared)
        return Prediction(mask, prepared, stopwatch.seconds, computed, batch, expected, mix)


def _needs(weights: Weights) -> Needs:
    """Of the weights and of those that find the liver for them."""
    both = (weights, weights.locator) if weights.locator else (weights,)
    return Needs(
        width=max(one.card.network.base for one in both),
        parameters=sum(one.parameters for one in both),
        keeps_maps=weights.card.locator_share > 0,
    )


def _both(first: Prediction, second: Prediction) -> Prediction:
    """The second network's prediction with what both took."""
    seconds = {name: first.seconds.get(name, 0.0) + taken for name, taken in second.seconds.items()}
    return replace(
        second,
        seconds=seconds,
        computed=first.computed + second.computed,
        predicted_bytes=max(first.predicted_bytes, second.predicted_bytes),
    )


def _empty_mask(ct: Volume, prepared: Prepared) -> tuple[Volume | None, NDArray[np.uint8]]:
    """A mask on the CT's grid and its axial view: what is written to the one is in the other, and nothing is copied."""
    mask = ct.with_array(np.zeros(ct.spatial_shape, np.uint8))
    labels = np.asarray(axial(mask).array)
    if labels.shape == prepared.ct.spatial_shape and np.may_share_memory(labels, mask.array):
        return mask, labels
    return None, np.zeros(prepared.ct.spatial_shape, np.uint8)
