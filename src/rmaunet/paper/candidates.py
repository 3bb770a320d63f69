"""Candidates for the released weights: a ladder from the paper's way up, each step short enough for two cores.

A screening run sees as many pixels as 6400 slices of 128 x 128. What helps here is tried at full length; ``docs/weights.md``
keeps the log.
"""

from __future__ import annotations

from dataclasses import replace

from rmaunet.networks.build import NetworkSettings
from rmaunet.train.augment.transforms import Augmentation
from rmaunet.train.experiment import Experiment, Stage, Training
from rmaunet.train.presets import FIRST

__all__ = ["CANDIDATES", "SCREEN"]

SCREEN = replace(
    FIRST,
    name="screen",
    preprocessing=replace(FIRST.preprocessing, spacing_mm=3.0, size=128),
    training=Training(
        steps=800,
        optimiser="adamw",
        learning_rate=3e-3,
        schedule="one_cycle",
        weight_decay=1e-2,
        gradient_clip=1.0,
        ema_decay=0.99,
    ),
)
"""The paper's network and loss on whole slices of 3 mm pixels; 800 steps of 8 slices, float32."""

_CONTEXT = replace(
    SCREEN, name="screen-context", preprocessing=replace(SCREEN.preprocessing, context_slices=1, context_mm=5.0)
)
_CONTRAST = replace(
    SCREEN.augmentation,
    liver_shift=0.6,
    liver_texture=(0.3, 1.8),
    tumor_shift=0.25,
    contrast_probability=0.5,
    noise=0.25,
)

# 420 steps on parts of slices of 128 pixels of 2 mm, then 170 on whole slices of 192: as many pixels as 800 steps at 128. The
# rate stays up after the change, because normalisation and attention pool over what is seen.
_PARTS = replace(
    SCREEN,
    name="screen-parts",
    preprocessing=replace(FIRST.preprocessing, spacing_mm=2.0, size=192),
    training=replace(
        SCREEN.training,
        steps=590,
        schedule="trapezoid",
        decay_share=0.25,
        stages=(Stage(420 / 590, 128, 8, view="part"), Stage(170 / 590, 192, 8)),
    ),
)
# Around the liver only, at the finest pixels the data has: a whole slice of 256 pixels costs twice as much, and most of it is
# not liver. Begins more coarsely, as FIRST does.
_REFINE = replace(
    SCREEN,
    name="refine",
    preprocessing=replace(
        SCREEN.preprocessing, grid="liver", spacing_mm=1.5, size=192, context_slices=1, context_mm=5.0
    ),
    sampling=replace(SCREEN.sampling, slices="near", tumor_share=0.45, liver_share=0.4, tumor_by="lesion"),
    training=replace(
        SCREEN.training,
        steps=2400,
        schedule="trapezoid",
        decay_share=0.4,
        ema_decay=0.995,
        precision="bfloat16",
        stages=(Stage(0.3, 96, 16), Stage(0.7, 192, 8)),
    ),
)
_INSTANCE = replace(SCREEN.network, options={"norm": "instance"})
_INSIDE = replace(SCREEN.postprocessing, tumor_inside_liver=True)
# For a graphics card, or days on a processor: whole slices at the finest pixels the data has ...
_WHOLE = replace(
    SCREEN,
    name="whole",
    preprocessing=replace(SCREEN.preprocessing, spacing_mm=1.5, size=256, context_slices=1, context_mm=5.0),
    network=_INSTANCE,
    augmentation=replace(_CONTRAST, noise=0.35),
    sampling=replace(SCREEN.sampling, tumor_share=0.4, liver_share=0.3, tumor_by="lesion", negative_share=0.1),
    training=replace(
        SCREEN.training,
        steps=12000,
        stages=(Stage(0.3, 192, 16), Stage(0.7, 256, 16)),
        learning_rate=2e-3,
        schedule="trapezoid",
        decay_share=0.5,
        weight_decay=2e-2,
        ema_decay=0.999,
        precision="bfloat16",
    ),
)
# ... and twice as wide a network around the liver that the first one finds, with four slices around each.
_AROUND = replace(
    _WHOLE,
    name="around",
    preprocessing=replace(_REFINE.preprocessing, context_slices=2, context_mm=2.5),
    network=replace(_INSTANCE, base=32),
    augmentation=replace(_CONTRAST, noise=0.35, flip_horizontal=0.3, flip_vertical=0.3, rotation_degrees=(-30.0, 30.0)),
    sampling=_REFINE.sampling,
    training=replace(_WHOLE.training, batch=16, stages=()),
)

# The schedule's end, from weights whose run was stopped before it (`rmaunet train --start`).
_END = replace(_WHOLE.training, steps=400, learning_rate=5e-4, decay_share=0.9, ema_decay=0.99, batch=16, stages=())
_HEALED = replace(_END, learning_rate=1e-3, decay_share=0.7)


def _more(one: Experiment, *, distractors: float) -> Augmentation:
    return replace(one.augmentation, more_lesions=0.5, distractors=distractors)


def _healed(one: Experiment) -> Augmentation:
    return replace(one.augmentation, more_lesions=0.7, distractors=0.4, healed_lesions=0.6)


def _large(one: Experiment) -> Augmentation:
    return replace(_healed(one), large_lesions=0.4, bulging_lesions=0.3)


CANDIDATES: dict[str, Experiment] = {
    one.name: one
    for one in (
        SCREEN,
        # Others at the same budget in slices; nnU-Net's network costs 5 % more multiplications a slice.
        replace(SCREEN, name="screen-unet", network=NetworkSettings("unet", base=16)),
        replace(SCREEN, name="screen-nnunet2d", network=NetworkSettings("nnunet2d", base=16)),
        # Cross-entropy, whose gradient does not vanish where a tumor is missed with confidence, in the focal loss's place.
        replace(SCREEN, name="screen-ce", loss="ce_dice"),
        # The tumor's channel learns tumor given liver; the mask takes tumor inside the liver only.
        replace(SCREEN, name="screen-conditional", loss="ce_dice_conditional", postprocessing=_INSIDE),
        # Three slices 5 mm apart as channels: the paper's stated limit is the lack of context along z.
        _CONTEXT,
        # And livers, tumors and noise that the patients at hand do not have.
        replace(_CONTEXT, name="screen-contrast", augmentation=_CONTRAST),
        # With instance norm: each slice against its own mean and spread, as in nnU-Net's network.
        replace(_CONTEXT, name="screen-instance", augmentation=_CONTRAST, network=_INSTANCE),
        # From the weights before, at a lower rate: heads, pelves and chests to leave empty, and more noise.
        replace(
            _CONTEXT,
            name="screen-negatives",
            augmentation=replace(_CONTRAST, noise=0.5),
            network=_INSTANCE,
            sampling=replace(SCREEN.sampling, negative_share=0.15),
            training=replace(SCREEN.training, steps=300, learning_rate=1e-3),
        ),
        # A lesion is drawn first and then a slice through it, so that small ones are seen.
        replace(SCREEN, name="screen-lesions", sampling=replace(SCREEN.sampling, tumor_by="lesion")),
        # Parts of slices at finer resolution and without the air around, whole slices at the end; also with the loss above.
        _PARTS,
        replace(_PARTS, name="screen-parts-conditional", loss="ce_dice_conditional", postprocessing=_INSIDE),
        # A second network around the liver that another one has found (`rmaunet models cascade`).
        _REFINE,
        # The same at length, with instance norm, contrast, and the paper's flips: what it must tell apart is texture.
        replace(
            _REFINE,
            name="refine-instance",
            network=_INSTANCE,
            augmentation=replace(_CONTRAST, flip_horizontal=0.3, flip_vertical=0.3, rotation_degrees=(-30.0, 30.0)),
            training=replace(_REFINE.training, steps=3000),
        ),
        _WHOLE,
        _AROUND,
        replace(_WHOLE, name="whole-end", training=_END),
        # The same with more lesions than the patients have ...
        replace(_WHOLE, name="whole-lesions", training=_END, augmentation=_more(_WHOLE, distractors=0.0)),
        # ... from there, with what looks like lesions outside the liver too; and the same for the network around the liver.
        replace(
            _WHOLE,
            name="whole-distractors",
            training=replace(_END, steps=250),
            augmentation=_more(_WHOLE, distractors=0.4),
        ),
        replace(
            _AROUND,
            name="around-distractors",
            training=replace(_END, steps=300),
            augmentation=_more(_AROUND, distractors=0.4),
        ),
        # From there, with more of both, and the patients' own lesions healed in part, at twice the rate.
        replace(_WHOLE, name="whole-healed", training=_HEALED, augmentation=_healed(_WHOLE)),
        replace(_AROUND, name="around-healed", training=replace(_HEALED, steps=300), augmentation=_healed(_AROUND)),
        # From there, with lesions as large as few patients have, and such as hang out of the liver.
        replace(_WHOLE, name="whole-large", training=_HEALED, augmentation=_large(_WHOLE)),
        replace(_AROUND, name="around-large", training=replace(_HEALED, steps=300), augmentation=_large(_AROUND)),
        # From there, with fewer of those, patients drawn alike often, volume 117 among them (lab/scripts/add_volume_117.py).
        replace(
            _WHOLE,
            name="whole-varied",
            seed=1,
            training=_HEALED,
            sampling=replace(_WHOLE.sampling, balance="patient"),
            augmentation=replace(_healed(_WHOLE), large_lesions=0.25, bulging_lesions=0.1),
        ),
    )
}
