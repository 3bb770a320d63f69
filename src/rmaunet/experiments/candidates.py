"""Candidates for the released weights, each one change away from ``SCREEN``, short enough for three folds on two cores.

A screening run sees 6400 slices at 3 mm pixels. What helps here is tried at full length; ``docs/weights.md`` keeps the log.
"""

from __future__ import annotations

from dataclasses import replace

from rmaunet.experiments.experiment import Experiment, Training
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
        learning_rate=1e-3,
        schedule="one_cycle",
        weight_decay=1e-2,
        gradient_clip=1.0,
        ema_decay=0.99,
    ),
)
"""The recipe of ``fast``, shortened: one patch size, 3 mm pixels, 800 steps of 8 slices, float32."""

_CONTEXT = replace(SCREEN.preprocessing, context_slices=1, context_mm=5.0)

CANDIDATES: dict[str, Experiment] = {
    "screen": SCREEN,
    # Three slices 5 mm apart as channels: the paper's stated limit is the lack of context along z.
    "screen-context": replace(SCREEN, name="screen-context", preprocessing=_CONTEXT),
    # Focal Tversky with cross-entropy: small lesions weigh more.
    "screen-tversky": replace(SCREEN, name="screen-tversky", loss="ce_tversky"),
    # A lesion is drawn first and then a slice through it, so that small ones are seen.
    "screen-lesions": replace(SCREEN, name="screen-lesions", sampling=replace(SCREEN.sampling, tumor_by="lesion")),
    # U-Net at the same budget.
    "screen-unet": replace(SCREEN, name="screen-unet", network=NetworkSettings("unet", base=16)),
}
