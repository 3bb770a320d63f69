"""Experiments by name. ``PAPER`` is the paper's protocol; the others are ours and say so."""

from __future__ import annotations

from dataclasses import replace

from rmaunet.networks.build import NetworkSettings
from rmaunet.predict.postprocess.clean_labels import Postprocessing
from rmaunet.preprocess import Preprocessing
from rmaunet.train.augment.transforms import Augmentation
from rmaunet.train.experiment import Experiment, Stage, Training
from rmaunet.train.sampling import Sampling

__all__ = ["AROUND", "AROUND_HEALED", "FIRST", "PAPER", "PAPER_SIZES", "WHOLE", "WHOLE_HEALED"]

PAPER = Experiment(name="paper")
"""RMAU-Net as in the paper (sections 3, 4.2, 4.3): every default is the paper's or,
where the paper leaves it open, the reading that docs/concepts/network.md gives."""

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
"""Base 16 on two cores: a training of hours that finds livers."""

_CONTRAST = replace(
    FIRST.augmentation,
    noise=0.35,
    liver_shift=0.6,
    liver_texture=(0.3, 1.8),
    tumor_shift=0.25,
    contrast_probability=0.5,
)

WHOLE = Experiment(
    name="whole",
    network=NetworkSettings(base=16, options={"norm": "instance"}),
    preprocessing=replace(FIRST.preprocessing, context_slices=1, context_mm=5.0),
    augmentation=_CONTRAST,
    sampling=replace(FIRST.sampling, tumor_by="lesion", negative_share=0.1),
    training=replace(
        FIRST.training,
        steps=12000,
        stages=(Stage(0.3, 192, 16), Stage(0.7, 256, 16)),
        decay_share=0.5,
        weight_decay=2e-2,
        ema_decay=0.999,
    ),
    postprocessing=FIRST.postprocessing,
)
"""First run of ``fast``: whole slices of 1.5 mm pixels with their neighbors, varied contrast, liver-free cases."""

AROUND = replace(
    WHOLE,
    name="around",
    network=replace(WHOLE.network, base=32),
    preprocessing=replace(WHOLE.preprocessing, grid="liver", size=192, context_slices=2, context_mm=2.5),
    augmentation=replace(_CONTRAST, flip_horizontal=0.3, flip_vertical=0.3, rotation_degrees=(-30.0, 30.0)),
    sampling=replace(FIRST.sampling, slices="near", tumor_share=0.45, liver_share=0.4, tumor_by="lesion"),
    training=replace(WHOLE.training, batch=16, stages=()),
)
"""First run of the refiner of ``accurate``: twice as wide, around the liver that ``fast`` finds, two neighbors on each side."""

_END = replace(WHOLE.training, steps=400, learning_rate=1e-3, decay_share=0.7, ema_decay=0.99, batch=16, stages=())

WHOLE_HEALED = replace(
    WHOLE,
    name="whole-healed",
    training=_END,
    augmentation=replace(WHOLE.augmentation, more_lesions=0.7, distractors=0.4, healed_lesions=0.6),
)
"""Last run of ``fast``, from earlier weights (``train --start``): more lesions, distractors, healed lesions."""

AROUND_HEALED = replace(
    AROUND,
    name="around-healed",
    training=replace(_END, steps=300),
    augmentation=replace(AROUND.augmentation, more_lesions=0.7, distractors=0.4, healed_lesions=0.6),
)
"""Last run of the refiner of ``accurate``, from earlier weights."""
