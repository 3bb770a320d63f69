"""Experiments by name. ``PAPER`` is the paper's protocol; the others are ours and say so."""

from __future__ import annotations

from dataclasses import replace

from rmaunet.networks.build import NetworkSettings
from rmaunet.predict.postprocess.clean_labels import Postprocessing
from rmaunet.preprocess import Preprocessing
from rmaunet.train.augment.transforms import Augmentation
from rmaunet.train.experiment import Experiment, Stage, Training
from rmaunet.train.sampling import Sampling

__all__ = ["FIRST", "PAPER", "PAPER_SIZES"]

PAPER = Experiment(name="paper")
"""RMAU-Net as in the paper (sections 3, 4.2, 4.3): every default is the paper's or,
where the paper leaves it open, the reading that docs/network.md gives."""

PAPER_SIZES = tuple(replace(PAPER, name=f"paper-{base}", network=NetworkSettings(base=base)) for base in (32, 16))
"""The paper's protocol with a smaller network."""

FIRST = Experiment(
    name="first",
    network=NetworkSettings(base=16),
    # The shared form of LiTS reaches from -40 to 160 HU only; 256 pixels of 1.5 mm hold a whole abdomen.
    preprocessing=Preprocessing(window_hu=(-40.0, 160.0), grid="spacing", spacing_mm=1.5, size=256),
    augmentation=Augmentation(
        # No left-right flip: the liver's side tells it from the spleen, and orientation comes from the header.
        scale=(0.7, 1.4),
        scale_probability=0.9,
        rotation_degrees=(-20.0, 20.0),
        rotation_probability=0.5,
        flip_horizontal=0.0,
        flip_vertical=0.0,
        shift=0.12,
        gain=0.25,
        bias=0.2,
        gamma=1.4,
        noise=0.1,
    ),
    sampling=Sampling(slices="all", balance="case", tumor_share=0.4, liver_share=0.3),
    training=Training(
        steps=6000,
        optimiser="adamw",
        learning_rate=2e-3,
        schedule="trapezoid",
        decay_share=0.3,
        weight_decay=1e-2,
        gradient_clip=1.0,
        ema_decay=0.998,
        precision="bfloat16",
        stages=(Stage(0.35, 128, 16), Stage(0.4, 192, 8), Stage(0.25, 256, 8)),
    ),
    postprocessing=Postprocessing(largest_liver=True, tumor_inside_liver=False, fill_holes=True),
)
"""What the first released weights were trained with: base 16, on two cores. What ships now: docs/weights.md."""
