"""Other lesions than the patients have: another patient's lesion, or a drawn one, set into this patient's liver; or fewer.

Twenty patients hold a hundred lesions, each in one place of one liver; a network learns them by heart and misses those it has
not seen. A lesion is kept as its difference from the liver around it, so that it suits any liver. Set outside the liver and
left unmarked it is a distractor: what looks like a lesion in a kidney, a muscle or the bowel is none. And where liver from
elsewhere covers a lesion it is healed, so that knowing its place by heart is no use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from rmaunet.core.labels import LIVER, TUMOR, liver_mask, parenchyma_mask, tumor_mask
from rmaunet.core.volume.box import grow_box, union_box
from rmaunet.train.augment.liver_contrast import soft

__all__ = [
    "DISTRACTOR",
    "LARGE",
    "LESION",
    "Lesion",
    "Look",
    "cut_lesion",
    "draw_lesion",
    "heal_lesions",
    "set_distractor",
    "set_lesion",
]

Floats: TypeAlias = NDArray[np.float32]
Mask: TypeAlias = NDArray[np.bool_]
Place: TypeAlias = tuple[slice, slice]

MARGIN = 3
"""Pixels kept around a lesion, over which it fades."""
TRIES = 8
COVER_TRIES = 24
"""A lesion takes a piece of liver as large as itself, which is seldom found at once."""
HALO = 2
"""Pixels around a lesion that are covered with it: its soft border."""
SMALLEST_SHARE = 0.5
"""Of a lesion in its middle slice that must lie in the liver, or a distractor in soft tissue."""
SMALLEST_PIXELS = 4
SMALLEST_DIFFERENCE = 0.05
"""In half windows; what cannot be seen against the liver teaches a network to guess."""
SOFT_TISSUE = -0.8
"""Brighter than this, in half windows around the window's centre; fat and air are darker."""


@dataclass(frozen=True)
class Lesion:
    """A lesion apart from its liver.

    Attributes:
        difference: (C, h, w) from the liver's mean, in half windows; around the lesion, too.
        inside: (C, h, w), whether a pixel is lesion.
        opacity: (C, h, w) in [0, 1], how much of the liver it hides.
    """

    difference: Floats
    inside: NDArray[np.bool_]
    opacity: Floats


@dataclass(frozen=True)
class Look:
    """What drawn lesions look like.

    Attributes:
        smallest_mm: Smallest radius.
        largest_mm: Largest radius.
        bright_share: Of them that are brighter than what is around them.
        strongest: Largest difference from it, in half windows.
        uneven: Largest SD between a lesion's parts, in half windows.
    """

    smallest_mm: float = 2.5
    largest_mm: float = 25.0
    bright_share: float = 0.07
    strongest: float = 0.6
    uneven: float = 0.0


LESION = Look()
DISTRACTOR = Look(largest_mm=50.0, bright_share=0.4, strongest=1.5)
"""Bowel with its contents, cysts and masses of the kidneys."""
LARGE = Look(smallest_mm=15.0, largest_mm=60.0, uneven=0.15)
"""Few training patients have one, and of unseen ones a network marks half."""


def cut_lesion(image: Floats, labels: NDArray[np.uint8], rng: np.random.Generator) -> Lesion | None:
    """Cut one of a patch's lesions out.

    Args:
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}.
        rng: Chooses the lesion.

    Returns:
        The lesion; None if the middle channel has none that can be seen, or no liver to compare it with.
    """
    middle = len(labels) // 2
    count, parts = cv2.connectedComponents(tumor_mask(labels[middle]).astype(np.uint8))
    parenchyma = parenchyma_mask(labels[middle])
    if count < 2 or not parenchyma.any():
        return None
    chosen = parts == rng.integers(1, count)
    rows, columns = grow_box(union_box(chosen, chosen), (MARGIN, MARGIN))
    inside = tumor_mask(labels[:, rows, columns])
    mean = np.float32(image[middle][parenchyma].mean())
    difference = image[:, rows, columns] - mean
    if chosen.sum() < SMALLEST_PIXELS or abs(image[middle][chosen].mean() - mean) < SMALLEST_DIFFERENCE:
        return None
    return Lesion(difference, inside, np.stack([soft(plane) for plane in inside]))


def draw_lesion(
    channels: int, *, between_mm: float, pixel_mm: float, rng: np.random.Generator, look: Look = LESION
) -> Lesion:
    """Draw a lesion that nobody has: a lobed ellipsoid with texture, seldom with a rim or brighter than the liver.

    Args:
        channels: Slices.
        between_mm: Distance of two of them.
        pixel_mm: Of the patch.
        rng: Draws it.
        look: Size and brightness.

    Returns:
        The lesion.
    """
    radius = float(np.exp(rng.uniform(np.log(look.smallest_mm), np.log(look.largest_mm))))  # mm
    axes = radius * rng.uniform(0.7, 1.3, 3)
    half = int(np.ceil(1.6 * axes[1:].max() / pixel_mm)) + MARGIN
    side = np.arange(-half, half + 1, dtype=np.float32) * np.float32(pixel_mm)
    z = (np.arange(channels) - channels // 2)[:, None, None] * between_mm + rng.uniform(-0.5, 0.5) * axes[0]
    turn = rng.uniform(0, np.pi)
    y, x = side[None, :, None], side[None, None, :]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    lobes = _waves((channels, len(side), len(side)), 0.5 * radius / pixel_mm, rng)
    distance = np.sqrt((z / axes[0]) ** 2 + (along / axes[1]) ** 2 + (across / axes[2]) ** 2) + 0.15 * lobes
    inside = distance <= 1
    depth = rng.uniform(0.08, look.strongest) * (1 if rng.random() < look.bright_share else -1)
    texture = _waves(inside.shape, rng.uniform(0.7, 3), rng) * rng.uniform(0.02, 0.12)
    difference = np.full(inside.shape, depth) + texture
    if look.uneven > 0:
        parts = _waves(inside.shape, rng.uniform(0.15, 0.4) * radius / pixel_mm, rng)
        difference += parts * rng.uniform(0, look.uneven)
    if rng.random() < 0.3:  # a core more unlike the liver, or a rim
        difference += np.where(distance < rng.uniform(0.4, 0.7), rng.uniform(-0.2, 0.1), 0)
    if rng.random() < 0.15:
        difference += np.where((distance > 0.8) & inside, rng.uniform(0.05, 0.3), 0)
    edge = rng.uniform(0.6, 2.0)
    opacity = np.stack([soft(plane, edge) for plane in inside])
    return Lesion(difference.astype(np.float32), inside, opacity)


def set_lesion(
    image: Floats, labels: NDArray[np.uint8], lesion: Lesion, rng: np.random.Generator, *, bulging: bool = False
) -> bool:
    """Set a lesion somewhere into a patch's liver, in place.

    Args:
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}.
        lesion: With as many channels.
        rng: Chooses the place.
        bulging: Whether what lies beyond the liver's surface is lesion, too, in place of what was there.

    Returns:
        Whether there was room: half of the lesion's middle slice must lie in liver that is no tumor.
    """
    liver = parenchyma_mask(labels)
    place = _find_place(liver[len(liver) // 2], lesion, rng)
    if place is None:
        return False
    rooms = ~tumor_mask(labels) if bulging else liver
    _blend(image, rooms, lesion, place, like=liver)
    there, part = ((slice(None), *one) for one in place)
    labels[there][rooms[there] & lesion.inside[part]] = TUMOR
    return True


def set_distractor(image: Floats, labels: NDArray[np.uint8], lesion: Lesion, rng: np.random.Generator) -> bool:
    """Set a lesion somewhere into a patch's soft tissue outside the liver, in place and unmarked.

    Args:
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}.
        lesion: With as many channels.
        rng: Chooses the place.

    Returns:
        Whether there was room: half of the lesion's middle slice must lie in soft tissue.
    """
    rooms = (image > SOFT_TISSUE) & ~liver_mask(labels)
    place = _find_place(rooms[len(rooms) // 2], lesion, rng)
    if place is None:
        return False
    nearby = np.zeros_like(rooms)
    nearby[(slice(None), *place[0])] = rooms[(slice(None), *place[0])]
    _blend(image, rooms, lesion, place, like=nearby)
    return True


def heal_lesions(image: Floats, labels: NDArray[np.uint8], share: float, rng: np.random.Generator) -> int:
    """Cover lesions of a patch with its own liver from elsewhere, in place.

    Args:
        image: (C, H, W) in [-1, 1].
        labels: (C, H, W) in {0, 1, 2}.
        share: Of the lesions to be covered, each by chance.
        rng: Chooses the lesions and what covers them.

    Returns:
        How many were covered; a large one often finds no piece of liver without lesions that is as large.
    """
    count, parts = cv2.connectedComponents(np.asarray(tumor_mask(labels).any(axis=0), np.uint8))
    parenchyma = np.asarray(parenchyma_mask(labels).all(axis=0), np.uint8)
    room = cv2.erode(parenchyma, np.ones((3, 3), np.uint8)).view(np.bool_)
    healed = 0
    for number in range(1, count):
        if rng.random() < share and _cover(image, labels, parts == number, room, rng):
            healed += 1
    return healed


def _cover(image: Floats, labels: NDArray[np.uint8], lesion: Mask, room: Mask, rng: np.random.Generator) -> bool:
    """Lay liver over a lesion (H, W) in all channels, in place; ``room`` is where all of them are liver without tumor."""
    footprint = _grown(lesion, HALO)
    fading = _grown(footprint, MARGIN)
    box = union_box(fading, fading)
    inside = footprint[box]
    (height, width), (rows, columns) = inside.shape, room.shape
    places = np.argwhere(room)
    for _ in range(COVER_TRIES if len(places) else 0):
        top, left = places[rng.integers(len(places))] - (height // 2, width // 2)
        if not (0 <= top <= rows - height and 0 <= left <= columns - width):
            continue
        source = slice(top, top + height), slice(left, left + width)
        if not room[source][inside].all():
            continue
        for plane, marked in zip(image, labels, strict=True):
            # Beyond the liver's border the halo covers nothing.
            liver = liver_mask(marked[box])
            opacity = soft(inside) * soft(liver)
            opacity[tumor_mask(marked[box]) & lesion[box]] = 1
            plane[box] += opacity * (plane[source] - plane[box])
            marked[box][lesion[box] & liver] = LIVER
        return True
    return False


def _grown(mask: Mask, pixels: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)).view(np.bool_)


def _find_place(room: Mask, lesion: Lesion, rng: np.random.Generator) -> tuple[Place, Place] | None:
    """Where in a patch's middle slice a lesion has room: there, and the part of the lesion that is in the patch."""
    middle = lesion.inside[len(lesion.inside) // 2]
    places = np.flatnonzero(room)
    if not len(places) or not middle.any():
        return None
    for _ in range(TRIES):
        row, column = divmod(int(places[rng.integers(len(places))]), room.shape[1])
        there, part = _overlap((row, column), middle.shape, room.shape)
        if (room[there] & middle[part]).sum() >= SMALLEST_SHARE * middle.sum():
            return there, part
    return None


def _blend(image: Floats, rooms: Mask, lesion: Lesion, place: tuple[Place, Place], *, like: Mask) -> None:
    """Lay a lesion over a patch where there is room, in place; its difference is from the mean of ``like`` (C, H, W)."""
    there, part = place
    for plane, room, base, difference, opacity in zip(
        image, rooms, like, lesion.difference, lesion.opacity, strict=True
    ):
        if not base.any():
            continue
        mean = np.float32(plane[base].mean())
        plane[there] += opacity[part] * soft(room[there]) * (mean + difference[part] - plane[there])
        np.clip(plane, -1, 1, out=plane)


def _overlap(place: tuple[int, int], size: tuple[int, ...], patch: tuple[int, ...]) -> tuple[Place, Place]:
    """Where in the patch a box of ``size`` around ``place`` lies, and which part of the box that is."""
    there, part = [], []
    for at, length, whole in zip(place, size, patch, strict=True):
        first = at - length // 2
        low, high = max(0, first), min(whole, first + length)
        there.append(slice(low, high))
        part.append(slice(low - first, high - first))
    return (there[0], there[1]), (part[0], part[1])


def _waves(shape: tuple[int, ...], sd: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of SD 1, alike in neighbouring channels."""
    common, own = rng.standard_normal(shape[1:], np.float32), rng.standard_normal(shape, np.float32)
    planes = np.stack([cv2.GaussianBlur(common + np.float32(0.5) * plane, (0, 0), max(sd, 0.3)) for plane in own])
    return np.asarray(planes / max(float(planes.std()), 1e-6), np.float32)
