"""Training: slices a second of a step, and what making a batch costs beside it."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from bench.network import SIDE, timed
from rmaunet.core.volume import axial
from rmaunet.datasets.phantoms.phantom import Phantom, phantom
from rmaunet.datasets.store.slice_store import Store, StoreWriter
from rmaunet.networks.build import NetworkSettings, build_network
from rmaunet.preprocess import Preprocessing, to_bytes, window
from rmaunet.runtimes.denormals import flushed_denormals
from rmaunet.train.batches import Batches
from rmaunet.train.experiment import Experiment
from rmaunet.train.presets import FIRST, WHOLE, WHOLE_HEALED
from rmaunet.train.sampling import Sampler
from rmaunet.train.schedule import make_plan

__all__ = ["feeding_rows", "patient", "phantom_store", "training_rows"]


def patient(seed: int, side: int) -> Phantom:
    """A synthetic patient with lesions large enough to be learned: 32 slices of ``side`` x ``side`` pixels."""
    return phantom("abdomen", seed=seed, shape=(32, side, side), lesion_radius_mm=(12.0, 28.0))


def phantom_store(root: Path, settings: Preprocessing, *, count: int, side: int) -> Store:
    """A store of synthetic patients with lesions, 32 slices each.

    Args:
        root: Its folder, created.
        settings: Preprocessing; its window is applied.
        count: Patients, "phantom-0" and on; the number is the seed.
        side: Pixels of a slice along each axis.

    Returns:
        The store.
    """
    with StoreWriter(root, settings) as writer:
        for number in range(count):
            made = patient(number, side)
            ct, mask = axial(made.ct), axial(made.mask)
            images = to_bytes(window(np.asarray(ct.array), settings.window_hu))
            writer.add(f"phantom-{number}", images, np.asarray(mask.array), spacing_mm=ct.spacing)
    return Store(root, check=True)


def training_rows(*, base: int, batch: int, threads: int, steps: int = 3) -> list[dict[str, Any]]:
    """Slices a second of a training step: eager float32, channels last, and bfloat16 with both.

    Args:
        base: Base channels.
        batch: Slices a step.
        threads: For PyTorch.
        steps: Timed steps of each.

    Returns:
        One row a way, with median, lowest and highest slices a second.
    """
    torch.set_num_threads(threads)
    rows = []
    for name, last, half in (
        ("eager float32", False, False),
        ("channels last float32", True, False),
        ("channels last bfloat16", True, True),
    ):
        torch.manual_seed(0)
        order = torch.channels_last if last else torch.contiguous_format
        network = build_network(NetworkSettings(base=base)).to(memory_format=order)  # type: ignore[call-overload]
        optimiser = torch.optim.Adam(network.parameters(), fused=True)
        images = torch.rand(batch, 1, SIDE, SIDE).to(memory_format=order)

        def step(network: Any = network, optimiser: Any = optimiser, images: Any = images, half: bool = half) -> None:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
                logits = network(images)
            optimiser.zero_grad(set_to_none=True)
            logits.float().square().mean().backward()
            optimiser.step()

        with flushed_denormals():
            seconds = timed(step, steps)
        speed = [batch / second for second in seconds]
        rows.append(
            {
                "way": name,
                "threads": threads,
                "slices_a_second": statistics.median(speed),
                "lowest": min(speed),
                "highest": max(speed),
            }
        )
    return rows


def feeding_rows(*, batch: int, steps: int = 12) -> list[dict[str, Any]]:
    """Processor time of making a batch, from store to tensor, with three kinds of augmentation.

    Args:
        batch: Slices of 256 x 256 a step.
        steps: Batches timed of each.

    Returns:
        One row a kind: median, lowest and highest ms a slice, in one thread.
    """
    kinds: dict[str, Experiment] = {
        "scale, rotation, shift, intensity": FIRST,
        "the same, organs against their surroundings": replace(FIRST, augmentation=WHOLE.augmentation),
        "the same, and neighboring slices": WHOLE,
        "the same, more lesions and distractors": WHOLE_HEALED,
    }
    rows = []
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        store = phantom_store(Path(folder) / "store", FIRST.preprocessing, count=3, side=SIDE)
        for name, experiment in kinds.items():
            training = replace(experiment.training, steps=1 + steps, batch=batch, stages=())
            sampler = Sampler(store.cases, experiment.sampling, seed=0)
            plan = make_plan(training, slices=len(sampler), size=SIDE)
            batches = Batches(store, experiment, plan, sampler)
            batches.make(0)
            ms = []
            for step in range(1, 1 + steps):
                began = time.thread_time()
                batches.make(step)
                ms.append((time.thread_time() - began) / batch * 1e3)
            rows.append({"augmentation": name, "ms": statistics.median(ms), "lowest": min(ms), "highest": max(ms)})
    return rows
