"""Candidates for the released weights, each one change away from ``SCREEN``, short enough for three folds on two cores.

A screening run sees 6400 slices at 3 mm pixels. What helps here is tried at full length; ``docs/weights.md`` keeps the log.
"""

from __future__ import annotations

from dataclasses import replace

from rmaunet.experiments.experiment import Experiment, Stage, Training
from rmaunet.experiments.presets import FAST
from rmaunet.networks.build import NetworkSettings

__all__ = ["CANDIDATES", "SCREEN"]

SCREEN = replace(
    FAST,
    name="screen",
    preprocessing=replace(FAST.preprocessing, spacing_mm=3.0, size=128),
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
"""The recipe of ``fast``, shortened: one patch size, 3 mm pixels, 800 steps of 8 slices, float32."""

_CONTEXT = replace(SCREEN.preprocessing, context_slices=1, context_mm=5.0)
_BY_LESION = replace(SCREEN.sampling, tumor_by="lesion")
_TVERSKY = replace(SCREEN, name="screen-tversky", loss="ce_tversky")
# 4800 parts of slices of 128 pixels of 1.5 mm, then 400 whole slices of 256: as many pixels as 6400 slices of 128.
_PARTS = replace(
    SCREEN,
    name="screen-parts",
    preprocessing=FAST.preprocessing,
    training=replace(
        SCREEN.training, steps=650, stages=(Stage(600 / 650, 128, 8, view="part"), Stage(50 / 650, 256, 8))
    ),
)
_CONDITIONAL = replace(
    SCREEN,
    name="screen-conditional",
    loss="ce_dice_conditional",
    postprocessing=replace(SCREEN.postprocessing, tumor_inside_liver=True),
)
_TVERSKY_CONTEXT = replace(_TVERSKY, name="screen-tversky-context", preprocessing=_CONTEXT)

CANDIDATES: dict[str, Experiment] = {
    one.name: one
    for one in (
        SCREEN,
        # Three slices 5 mm apart as channels: the paper's stated limit is the lack of context along z.
        replace(SCREEN, name="screen-context", preprocessing=_CONTEXT),
        # Cross-entropy, whose gradient does not vanish where a tumor is missed with confidence, in the focal loss's place.
        replace(SCREEN, name="screen-ce", loss="ce_dice"),
        # Focal Tversky with cross-entropy: small lesions weigh more.
        _TVERSKY,
        # The tumor's channel learns tumor given liver; the mask takes tumor inside the liver only.
        _CONDITIONAL,
        # Most of the training on parts of slices, at full resolution and without the air around.
        _PARTS,
        replace(_PARTS, name="screen-parts-ce", loss="ce_dice"),
        replace(
            _PARTS, name="screen-parts-conditional", loss=_CONDITIONAL.loss, postprocessing=_CONDITIONAL.postprocessing
        ),
        # A lesion is drawn first and then a slice through it, so that small ones are seen.
        replace(SCREEN, name="screen-lesions", sampling=_BY_LESION),
        # What was added to the loss, then context, then lesions: the ladder to the released weights.
        _TVERSKY_CONTEXT,
        replace(_TVERSKY_CONTEXT, name="screen-tversky-context-lesions", sampling=_BY_LESION),
        # Twice as many steps of half the slices: the budget in slices stays.
        replace(SCREEN, name="screen-batch-4", training=replace(SCREEN.training, batch=4, steps=1600)),
        # Others at the same budget in slices; nnU-Net's network costs 5 % more multiplications a slice.
        replace(SCREEN, name="screen-unet", network=NetworkSettings("unet", base=16)),
        replace(SCREEN, name="screen-nnunet2d", network=NetworkSettings("nnunet2d", base=16)),
    )
}
