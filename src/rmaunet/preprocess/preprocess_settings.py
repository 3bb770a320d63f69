"""What is done to a CT before the network sees it; kept with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = ["Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """Settings of :func:`~rmaunet.preprocess.prepared_slices`.

    Attributes:
        window_hu: Lowest and highest HU; mapped to -1 and 1, values outside are clipped. The paper's is (-200, 200).
        grid: How a slice comes to the network's size. "matrix": the whole matrix is resized to ``size``, our
            reading of the paper's "cropped to 256 x 256" (section 4.2, docs/concepts/network.md);
            "spacing": resampled to ``spacing_mm``, whatever the size; "centre_crop": the central ``size`` pixels, its
            literal reading; "liver": around the liver's box, which another network has found, ``size`` pixels of
            ``spacing_mm``, more where the liver is larger.
        size: Side of the network's slice in pixels, a multiple of 16; not used by "spacing".
        spacing_mm: Side of a pixel for "spacing" and "liver".
        context_slices: Neighbouring slices on each side given as further channels; 0 in the paper.
        context_mm: Distance of neighbours along z; 0 takes the adjacent slices.
    """

    window_hu: tuple[float, float] = (-200.0, 200.0)
    grid: Literal["matrix", "spacing", "centre_crop", "liver"] = "matrix"
    size: int = 256
    spacing_mm: float = 1.5
    context_slices: int = 0
    context_mm: float = 0.0

    retired: ClassVar[Mapping[str, Any]] = {"normalise": "window"}

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ValueError: Naming the setting, its value and what is expected.
        """
        low, high = self.window_hu
        if not low < high:
            raise ValueError(f"window_hu = {self.window_hu}: the first value must be below the second")
        if not 16 <= self.size <= 4096 or self.size % 16:
            raise ValueError(f"size = {self.size}: must be a positive multiple of 16 up to 4096")
        if not 0.1 <= self.spacing_mm <= 20:
            raise ValueError(f"spacing_mm = {self.spacing_mm}: must lie between 0.1 and 20")
        if not 0 <= self.context_slices <= 8:
            raise ValueError(f"context_slices = {self.context_slices}: must lie between 0 and 8")
        if not 0 <= self.context_mm <= 50:
            raise ValueError(f"context_mm = {self.context_mm}: must lie between 0 and 50")

    @property
    def channels(self) -> int:
        """Channels of the network's input."""
        return 2 * self.context_slices + 1
