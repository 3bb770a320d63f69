"""Augmentation: parameters are drawn apart from being applied; scale, rotation and flips are one interpolation.

The defaults are the paper's (section 4.3): scale 0.8 to 1.2 with probability 0.5, rotation 0 to 30 degrees with 0.3,
horizontal and vertical flip with 0.3 each. Everything below "not in the paper" is off by default.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.preprocess import from_bytes
from rmaunet.train.augment.liver_contrast import PLAIN, Contrast, change_contrast

__all__ = ["Augmentation", "Draw", "change_intensity", "cut", "draw"]


@dataclass(frozen=True)
class Augmentation:
    """What may happen to a training slice.

    Attributes:
        scale: Lowest and highest magnification.
        scale_probability: How often it is drawn.
        rotation_degrees: Lowest and highest angle, counter-clockwise as displayed. The paper says "between 0 and 30"; a
            symmetric range is what a common library's RandomRotation(30) would do.
        rotation_probability: How often it is drawn.
        flip_horizontal: Probability of mirroring left and right.
        flip_vertical: Probability of mirroring front and back.
        shift: Largest shift along each axis as a share of the patch. Not in the paper, like all that follows.
        gain: Largest relative change of contrast around the window's centre.
        bias: Largest shift of intensity, in half windows (1 is half the window's width).
        gamma: Largest exponent of a gamma curve over the window; drawn between 1/gamma and gamma. 1 is none.
        noise: Largest SD of added noise, in half windows.
        intensity_probability: How often each of gain, bias, gamma and noise is drawn.
        liver_shift: Largest shift of the liver's intensity against its surroundings, in half windows; see
            :mod:`rmaunet.train.augment.liver_contrast`.
        liver_texture: Lowest and highest factor on the differences inside the liver.
        tumor_shift: Largest shift of the tumors' intensity against the liver, in half windows.
        contrast_probability: How often each of these three is drawn.
        more_lesions: How often a slice is given up to three lesions more; see :mod:`rmaunet.train.augment.synthetic_lesions`.
        distractors: How often up to three are set outside the liver, unmarked.
        drawn_lesions: Share of both that are drawn; the others are of the training patients.
        large_lesions: Share of those drawn into the liver that are large, of 15 to 60 mm in radius.
        bulging_lesions: Share of the lesions added to the liver that may reach beyond its surface.
        healed_lesions: Share of the patients' own lesions that liver from elsewhere covers, in half of the slices.
    """

    scale: tuple[float, float] = (0.8, 1.2)
    scale_probability: float = 0.5
    rotation_degrees: tuple[float, float] = (0.0, 30.0)
    rotation_probability: float = 0.3
    flip_horizontal: float = 0.3
    flip_vertical: float = 0.3
    shift: float = 0.0
    gain: float = 0.0
    bias: float = 0.0
    gamma: float = 1.0
    noise: float = 0.0
    intensity_probability: float = 0.5
    liver_shift: float = 0.0
    liver_texture: tuple[float, float] = (1.0, 1.0)
    tumor_shift: float = 0.0
    contrast_probability: float = 0.5
    more_lesions: float = 0.0
    distractors: float = 0.0
    drawn_lesions: float = 0.5
    large_lesions: float = 0.0
    bulging_lesions: float = 0.0
    healed_lesions: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range (ValueError)."""
        shares = ("scale_probability", "rotation_probability", "flip_horizontal", "flip_vertical", "shift", "gain")
        organs = ("intensity_probability", "contrast_probability", "more_lesions", "distractors", "drawn_lesions")
        for name in (*shares, *organs, "large_lesions", "bulging_lesions", "healed_lesions"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} = {getattr(self, name)}: must lie between 0 and 1")
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale = {self.scale}: must be two positive numbers, the smaller first")
        if not -360 <= self.rotation_degrees[0] <= self.rotation_degrees[1] <= 360:
            raise ValueError(f"rotation_degrees = {self.rotation_degrees}: must be two angles, the smaller first")
        if not 0 <= self.liver_texture[0] <= self.liver_texture[1]:
            raise ValueError(f"liver_texture = {self.liver_texture}: must be two factors, the smaller first")
        ranges = (("gamma", 1, 10), ("bias", 0, 2), ("noise", 0, 2), ("liver_shift", 0, 2), ("tumor_shift", 0, 2))
        for name, low, high in ranges:
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} = {getattr(self, name)}: must lie between {low} and {high}")


NONE = Augmentation(
    scale_probability=0.0, rotation_probability=0.0, flip_horizontal=0.0, flip_vertical=0.0, intensity_probability=0.0
)


@dataclass(frozen=True)
class Draw:
    """One slice's parameters.

    Attributes:
        scale: Magnification.
        degrees: Rotation, counter-clockwise as displayed.
        flip_x: Mirror left and right.
        flip_y: Mirror front and back.
        shift: (row, column) as shares of the patch.
        gain: Factor on the intensities around 0.
        bias: Added to the intensities.
        gamma: Exponent over the window.
        noise: SD of added noise.
        seed: Of the noise.
        contrast: Of liver and tumors.
    """

    scale: float = 1.0
    degrees: float = 0.0
    flip_x: bool = False
    flip_y: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0
    bias: float = 0.0
    gamma: float = 1.0
    noise: float = 0.0
    seed: int = 0
    contrast: Contrast = PLAIN


def draw(settings: Augmentation, *, seed: int, position: int) -> Draw:
    """Draw one slice's parameters; a pure function of its arguments.

    Args:
        settings: What may happen.
        seed: Of the run.
        position: Of the slice in the run.

    Returns:
        The parameters.
    """
    rng = np.random.default_rng((seed, 3, position))
    # Every number is drawn whether used or not, so that switching one part off leaves the others' draws alone.
    chance, value = rng.random(8), rng.random(9)
    organ_chance, organ_value = rng.random(3), rng.random(3)

    def between(index: int, low: float, high: float) -> float:
        return float(low + (high - low) * value[index])

    def of_organs(index: int, low: float, high: float, otherwise: float) -> float:
        drawn = organ_chance[index] < settings.contrast_probability
        return float(low + (high - low) * organ_value[index]) if drawn else otherwise

    p = settings.intensity_probability
    return Draw(
        scale=between(0, *settings.scale) if chance[0] < settings.scale_probability else 1.0,
        degrees=between(1, *settings.rotation_degrees) if chance[1] < settings.rotation_probability else 0.0,
        flip_x=bool(chance[2] < settings.flip_horizontal),
        flip_y=bool(chance[3] < settings.flip_vertical),
        shift=(between(2, -settings.shift, settings.shift), between(3, -settings.shift, settings.shift)),
        gain=1 + between(4, -settings.gain, settings.gain) if chance[4] < p else 1.0,
        bias=between(5, -settings.bias, settings.bias) if chance[5] < p else 0.0,
        gamma=float(settings.gamma ** between(6, -1, 1)) if chance[6] < p else 1.0,
        noise=between(7, 0, settings.noise) if chance[7] < p else 0.0,
        seed=int(value[8] * 2**31),
        contrast=Contrast(
            liver=of_organs(0, -settings.liver_shift, settings.liver_shift, 0.0),
            texture=of_organs(1, *settings.liver_texture, 1.0),
            tumor=of_organs(2, -settings.tumor_shift, settings.tumor_shift, 0.0),
        ),
    )


def _matrix(drawn: Draw, centre: tuple[float, float], size: int, step: tuple[float, float]) -> NDArray[np.float64]:
    """2 x 3 matrix from patch pixels (x, y) to source pixels.

    ``centre``: source pixel (y, x) in the patch's middle before the shift; ``step``: source pixels per patch pixel (y, x).
    """
    angle = np.deg2rad(drawn.degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / drawn.scale
    flip = np.diag([-1.0 if drawn.flip_x else 1.0, -1.0 if drawn.flip_y else 1.0])
    linear = np.diag([step[1], step[0]]) @ turn @ flip
    middle = (size - 1) / 2
    target = np.array([middle + drawn.shift[1] * size, middle + drawn.shift[0] * size])
    origin = np.array([centre[1], centre[0]]) - linear @ target
    return np.column_stack([linear, origin])


def cut(
    drawn: Draw,
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    size: int,
    step: tuple[float, float] = (1.0, 1.0),
    centre: tuple[float, float] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut the patch that the parameters ask for, its intensities as they are.

    Args:
        drawn: Parameters.
        image: (H, W, C) stored intensities; outside of it is air.
        labels: (H, W, C) in {0, 1, 2}, of each channel's own slice; outside is background.
        size: Side of the patch in pixels.
        step: Source pixels per patch pixel along (rows, columns) at scale 1.
        centre: Source pixel (row, column) around which the patch is cut; the slice's middle if None.

    Returns:
        The image and the labels (C, size, size), the image in [-1, 1]; labels by nearest neighbour, so no new value appears.
    """
    # A strong reduction would alias: average whole blocks of source pixels first.
    block = int(min(step) / drawn.scale + 0.35)
    middle = centre or ((image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2)
    if block > 1:
        rows, columns = image.shape[0] // block, image.shape[1] // block
        shrunk = cv2.resize(
            image[: rows * block, : columns * block], (columns, rows), interpolation=cv2.INTER_AREA
        ).reshape(rows, columns, -1)
        # Pixel p of the blocks has its middle at block * p + (block - 1) / 2 of the source.
        of_blocks = ((middle[0] + 0.5) / block - 0.5, (middle[1] + 0.5) / block - 0.5)
        inner = _matrix(drawn, of_blocks, size, (step[0] / block, step[1] / block))
    else:
        shrunk, inner = image, _matrix(drawn, middle, size, step)
    outer = _matrix(drawn, middle, size, step)
    patch = cv2.warpAffine(
        shrunk, inner, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=(0, 0, 0, 0)
    ).reshape(size, size, -1)
    mask = cv2.warpAffine(
        labels, outer, (size, size), flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderValue=(0, 0, 0, 0)
    ).reshape(size, size, -1)
    made = from_bytes(np.ascontiguousarray(patch.transpose(2, 0, 1)))
    return made, np.ascontiguousarray(mask.transpose(2, 0, 1), np.uint8)


def change_intensity(drawn: Draw, image: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Change a patch's intensities as the parameters ask.

    Args:
        drawn: Parameters.
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}, of each channel's own slice.

    Returns:
        (C, H, W) in [-1, 1].
    """
    if not drawn.contrast.nothing:
        image = change_contrast(image, labels, drawn.contrast)
    if drawn.gamma != 1:
        image = np.float32(2) * np.power((image + np.float32(1)) / np.float32(2), np.float32(drawn.gamma)) - np.float32(
            1
        )
    if drawn.gain != 1 or drawn.bias:
        image = image * np.float32(drawn.gain) + np.float32(drawn.bias)
    if drawn.noise:
        noise = np.random.default_rng(drawn.seed).standard_normal(image.shape, np.float32)
        image = image + noise * np.float32(drawn.noise)
    return np.asarray(np.clip(image, -1, 1), np.float32)
