"""Generated CTs with a known truth: organs from shapes in millimetres, exact volumes, any grid and orientation.

A phantom stands in for a patient in tests, examples and benchmarks, and in the demo without a network. It is not
anatomy: it has what the software must tell apart (air, fat, muscle, bone, contrast-filled organs, gas, table) at the
places and HU where a portal-venous CT has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rmaunet.core.errors import UsageError
from rmaunet.core.labels import LIVER, TUMOR
from rmaunet.core.volume import Volume, make_volume
from rmaunet.datasets.phantoms.shapes import Ellipsoid, Grid, TaperedEllipsoid, Tube, paint

__all__ = ["Kind", "Lesion", "Phantom", "phantom"]

Kind = Literal["abdomen", "chest", "pelvis", "head"]

_AIR, _FAT, _LUNG, _MUSCLE, _FLUID = -1000, -100, -850, 50, 10
_FIELD_OF_VIEW_MM = (256.0, 384.0, 384.0)


@dataclass(frozen=True)
class Lesion:
    """A spherical lesion.

    Attributes:
        center_mm: World position (x, y, z) in LPS mm.
        radius_mm: Its radius.
        hu: Its mean HU before noise.
    """

    center_mm: tuple[float, float, float]
    radius_mm: float
    hu: float

    @property
    def volume_ml(self) -> float:
        """Exact volume."""
        return 4 / 3 * np.pi * self.radius_mm**3 / 1000


@dataclass(frozen=True)
class Phantom:
    """A generated CT, its reference mask, and the truth behind both.

    Attributes:
        ct: int16 HU.
        mask: uint8, 0 background, 1 liver, 2 tumor, on the grid of ``ct``.
        kind: Body part.
        seed: What it was drawn from; equal arguments give equal voxels.
        liver_ml: Exact volume of the liver with its lesions (0 where there is none). The mask's volume approaches it
            with finer voxels, if the grid holds the whole liver.
        liver_hu: Mean HU of the parenchyma before noise (NaN where there is none).
        lesions: One entry a lesion; they neither overlap nor leave the liver.
    """

    ct: Volume
    mask: Volume
    kind: Kind
    seed: int
    liver_ml: float
    liver_hu: float
    lesions: tuple[Lesion, ...]

    @property
    def tumor_ml(self) -> float:
        """Exact volume of all lesions together."""
        return sum(lesion.volume_ml for lesion in self.lesions)

    def turned(self, orientation: str = "HPL", *, oblique_deg: float = 0.0) -> Phantom:
        """The same patient and grid, turned together about the space diagonal, with the axes in another order.

        Args:
            orientation: Order and direction of the array's axes, in highdicom's letters; "HPL" is axial.
            oblique_deg: Angle, for affines without zeros.

        Returns:
            A phantom with the same voxels.
        """
        axis = np.full(3, 3**-0.5)
        cross = np.cross(np.eye(3), axis)
        angle = np.deg2rad(oblique_deg)
        turn = np.eye(4)
        turn[:3, :3] -= np.sin(angle) * cross - (1 - np.cos(angle)) * cross @ cross
        ct, mask = (
            make_volume(volume.array, turn @ np.asarray(volume.affine)).to_patient_orientation(orientation)
            for volume in (self.ct, self.mask)
        )
        centers = [turn[:3, :3] @ one.center_mm for one in self.lesions]
        lesions = tuple(
            replace(one, center_mm=(float(x), float(y), float(z)))
            for one, (x, y, z) in zip(self.lesions, centers, strict=True)
        )
        return replace(self, ct=ct, mask=mask, lesions=lesions)


def phantom(
    kind: Kind = "abdomen",
    *,
    seed: int,
    shape: tuple[int, int, int] = (64, 96, 96),
    spacing_mm: tuple[float, float, float] | None = None,
    lesions: int = 3,
    lesion_radius_mm: tuple[float, float] = (7.0, 20.0),
    noise_hu: float = 10.0,
) -> Phantom:
    """Draw a patient and scan it.

    The patient (sizes, places, HU, gas) depends on ``kind``, ``seed`` and the lesion arguments, never on the grid: the
    same seed at another shape or spacing is the same patient scanned again.

    Args:
        kind: Body part. "chest", "pelvis" and "head" hold no liver, and their mask is empty.
        seed: Draws the patient and the noise.
        shape: Voxels of the axial grid: slices, rows, columns.
        spacing_mm: Of the axial grid: between slices, rows, columns. By default the field of view is
            256 x 384 x 384 mm whatever the shape; a given spacing is kept, and a grid too small for the body cuts it.
        lesions: How many; 0 is allowed.
        lesion_radius_mm: Smallest and largest radius; one that finds no room is drawn smaller.
        noise_hu: Standard deviation of the noise.

    Returns:
        CT, mask and facts. The middle of the axial grid is the world's origin.

    Raises:
        UsageError: If the kind is unknown or a size makes no sense.

    Example:
        >>> made = phantom(seed=0, shape=(32, 48, 48))
        >>> made.ct.spatial_shape, str(made.ct.dtype), made.mask.array.max().item()
        ((32, 48, 48), 'int16', 2)
    """
    _check(kind, shape, spacing_mm, lesions, lesion_radius_mm, noise_hu)
    spacing = spacing_mm or tuple(mm / n for mm, n in zip(_FIELD_OF_VIEW_MM, shape, strict=True))
    grid = Grid.centered(shape, (spacing[0], spacing[1], spacing[2]))
    ct = np.full(shape, _AIR, np.float32)
    mask = np.zeros(shape, np.uint8)
    patient = np.random.default_rng([seed, get_args(Kind).index(kind)])
    draw = {"chest": _draw_chest, "pelvis": _draw_pelvis, "head": _draw_head}
    liver_ml, liver_hu, found = 0.0, float("nan"), []
    if kind == "abdomen":
        liver, liver_hu = _draw_abdomen(ct, grid, patient)
        found = _place_lesions(liver, liver_hu, lesions, lesion_radius_mm, patient)
        paint(mask, grid, liver, LIVER)
        liver_ml = liver.volume_ml
        for shape_, hu in found:
            paint(ct, grid, shape_, hu)
            paint(mask, grid, shape_, TUMOR)
    else:
        draw[kind](ct, grid, patient)
    noise = np.random.default_rng([seed, 4, *shape]).standard_normal(shape, np.float32)
    ct = np.clip(np.rint(ct + noise_hu * noise), -1024, 3071).astype(np.int16)
    affine = np.eye(4)
    affine[:3, :3] = np.diag([spacing[2], spacing[1], spacing[0]])[:, ::-1]
    affine[:3, 3] = grid.x_mm[0], grid.y_mm[0], grid.z_mm[0]
    return Phantom(
        ct=make_volume(ct, affine),
        mask=make_volume(mask, affine),
        kind=kind,
        seed=seed,
        liver_ml=liver_ml,
        liver_hu=liver_hu,
        lesions=tuple(_fact(shape_, hu) for shape_, hu in found),
    )


def _check(
    kind: str,
    shape: tuple[int, ...],
    spacing_mm: tuple[float, ...] | None,
    lesions: int,
    radius_mm: tuple[float, float],
    noise_hu: float,
) -> None:
    if kind not in get_args(Kind):
        raise UsageError("phantom", "kind", kind, "is unknown", f"choose one of {', '.join(get_args(Kind))}")
    if len(shape) != 3 or min(shape) < 1:
        raise UsageError("phantom", "shape", shape, "is not three positive counts", "give (slices, rows, columns)")
    if spacing_mm is not None and (len(spacing_mm) != 3 or not all(0 < s < np.inf for s in spacing_mm)):
        raise UsageError(
            "phantom", "spacing_mm", spacing_mm, "is not three positive lengths", "give (dz, dy, dx) in mm"
        )
    if lesions < 0 or not 0 < radius_mm[0] <= radius_mm[1] or noise_hu < 0:
        value = (lesions, radius_mm, noise_hu)
        raise UsageError(
            "phantom", "lesions, lesion_radius_mm, noise_hu", value, "is negative or reversed", "correct it"
        )


def _fact(shape: Ellipsoid, hu: float) -> Lesion:
    z, y, x = shape.center_mm
    return Lesion((float(x), float(y), float(z)), shape.half_mm[0], hu)


def _draw_torso(ct: NDArray[np.float32], grid: Grid, rng: np.random.Generator) -> tuple[float, float]:
    """Table, skin, fat, muscle wall, fat of the cavity, spine; returns the cavity's half axes (y, x) in mm."""
    half_x, half_y = rng.uniform(148, 174), rng.uniform(100, 118)
    fat, wall = rng.uniform(8, 22), rng.uniform(8, 13)
    power = rng.uniform(2.1, 2.6)
    paint(ct, grid, Tube((half_y + 24, 0), (9, 190), power=4), -300)
    paint(ct, grid, Tube((0, 0), (half_y, half_x), power=power), 20)
    paint(ct, grid, Tube((0, 0), (half_y - 2, half_x - 2), power=power), _FAT)
    paint(ct, grid, Tube((0, 0), (half_y - fat, half_x - fat), power=power), _MUSCLE)
    inner_y, inner_x = half_y - fat - wall, half_x - fat - wall
    paint(ct, grid, Tube((0, 0), (inner_y, inner_x), power=power), _FAT)
    spine_y = inner_y - 24
    for side in (-1, 1):  # muscles beside the spine
        paint(ct, grid, Tube((spine_y + 4, side * 42), (20, 26)), _MUSCLE)
    step, start = rng.uniform(28, 34), rng.uniform(0, 30)
    paint(ct, grid, Tube((spine_y, 0), (17, 21)), 90)  # discs, then vertebrae between them
    for low in np.arange(-420 + start, 420, step):
        paint(ct, grid, Tube((spine_y, 0), (17, 21), (low, low + step - 6)), 420)
        paint(ct, grid, Tube((spine_y, 0), (14, 18), (low + 3, low + step - 9)), 260)
        paint(ct, grid, Tube((spine_y + 29, 0), (8, 4), (low + 4, low + step - 12)), 450)
    paint(ct, grid, Tube((spine_y + 21, 0), (7, 9)), 30)
    return inner_y, inner_x


def _draw_abdomen(ct: NDArray[np.float32], grid: Grid, rng: np.random.Generator) -> tuple[TaperedEllipsoid, float]:
    inner_y, inner_x = _draw_torso(ct, grid, rng)
    size = rng.uniform(0.98, 1.16)
    liver_hu = float(rng.uniform(100, 120))
    for side in (-1, 1):
        lung = Ellipsoid((rng.uniform(125, 145), 5, side * inner_x * 0.5), (100, inner_y * 0.92, inner_x * 0.46))
        paint(ct, grid, lung, _LUNG)
        kidney = Ellipsoid((rng.uniform(-85, -65) + 8 * side, inner_y * 0.5, side * 58), (52, 27, 27))
        paint(ct, grid, kidney, rng.uniform(150, 185))
        paint(ct, grid, Ellipsoid(kidney.center_mm, (30, 9, 9)), _FLUID)
    for _ in range(14):  # bowel below the liver, some of it with gas
        at = rng.uniform([-140, -inner_y * 0.7, -inner_x * 0.7], [-60, 10, inner_x * 0.7])
        radius = rng.uniform(12, 22)
        loop = Ellipsoid((at[0], at[1], at[2]), (radius, radius, radius * 1.3))
        paint(ct, grid, loop, rng.uniform(20, 60))
        if rng.random() < 0.4:
            paint(ct, grid, Ellipsoid((at[0], at[1] - 4, at[2]), (radius * 0.6, radius * 0.5, radius)), -950)
    stomach = (rng.uniform(0, 25), -inner_y * 0.35, inner_x * 0.5)
    paint(ct, grid, Ellipsoid(stomach, (48, 36, 42)), rng.uniform(15, 45))
    paint(ct, grid, Ellipsoid((stomach[0], stomach[1] - 14, stomach[2]), (36, 18, 30)), -950)
    spleen = Ellipsoid((rng.uniform(10, 30), inner_y * 0.35, inner_x * 0.72), (50, 38, 26))
    paint(ct, grid, spleen, rng.uniform(105, 128))
    vessel = rng.uniform(150, 200)
    paint(ct, grid, Tube((inner_y - 54, 9), (11, 11)), vessel)
    paint(ct, grid, Tube((inner_y - 56, -20), (10, 12)), vessel - 25)
    liver = TaperedEllipsoid(
        center_mm=(rng.uniform(-8, 8), -inner_y * 0.08, -inner_x * 0.36),
        half_mm=(60 * size, inner_y * 0.58 * size, inner_x * 0.6),
        taper=rng.uniform(0.25, 0.4),
        tilt=rng.uniform(0.12, 0.28),
        bend_mm=-rng.uniform(0, 12),
    )
    paint(ct, grid, liver, liver_hu)
    return liver, liver_hu


def _place_lesions(
    liver: TaperedEllipsoid, liver_hu: float, count: int, radius_mm: tuple[float, float], rng: np.random.Generator
) -> list[tuple[Ellipsoid, float]]:
    """Spheres inside the liver, at least 3 mm apart and 2 mm under its surface."""
    steps = np.arange(200)
    z = 1 - (2 * steps + 1) / 200  # points spread evenly over the unit sphere
    turn = steps * np.pi * (3 - 5**0.5)
    sphere = np.stack([z, np.sqrt(1 - z**2) * np.sin(turn), np.sqrt(1 - z**2) * np.cos(turn)])
    low, reach = np.array(liver.center_mm), np.array(liver.half_mm) * 1.3
    placed: list[tuple[Ellipsoid, float]] = []
    for _ in range(count):
        radius = float(rng.uniform(*radius_mm))
        hu = liver_hu - float(rng.uniform(40, 65))
        while True:
            at = low + rng.uniform(-reach, reach)
            surface = at[:, None] + (radius + 2) * sphere
            apart = all(np.linalg.norm(at - s.center_mm) > radius + s.half_mm[0] + 3 for s, _ in placed)
            if apart and bool((liver.level(*surface) <= 1).all()):
                break
            radius *= 0.99
        placed.append((Ellipsoid((at[0], at[1], at[2]), (radius, radius, radius)), hu))
    return placed


def _draw_chest(ct: NDArray[np.float32], grid: Grid, rng: np.random.Generator) -> None:
    inner_y, inner_x = _draw_torso(ct, grid, rng)
    for side in (-1, 1):
        paint(ct, grid, Ellipsoid((-20, -4, side * inner_x * 0.5), (190, inner_y * 0.9, inner_x * 0.46)), _LUNG)
    heart = Ellipsoid((-60, -inner_y * 0.3, 25), (70, 48, rng.uniform(55, 65)))
    paint(ct, grid, heart, rng.uniform(110, 150))
    paint(ct, grid, Tube((inner_y - 56, 14), (13, 13)), 180)
    paint(ct, grid, Tube((inner_y - 84, -4), (8, 9), (20, 400)), _AIR)  # trachea


def _draw_pelvis(ct: NDArray[np.float32], grid: Grid, rng: np.random.Generator) -> None:
    inner_y, inner_x = _draw_torso(ct, grid, rng)
    for side in (-1, 1):
        wing = Ellipsoid((10, inner_y * 0.3, side * inner_x * 0.66), (80, inner_y * 0.5, 22))
        paint(ct, grid, wing, 480)
        paint(ct, grid, Ellipsoid(wing.center_mm, (74, inner_y * 0.5 - 7, 15)), 220)
        paint(ct, grid, Ellipsoid((-90, 5, side * inner_x * 0.62), (28, 26, 26)), 500)  # femoral head
    paint(ct, grid, Ellipsoid((-60, -inner_y * 0.35, 0), (36, 32, rng.uniform(35, 48))), _FLUID)  # bladder
    for _ in range(18):
        at = rng.uniform([-20, -inner_y * 0.6, -inner_x * 0.45], [130, 10, inner_x * 0.45])
        radius = rng.uniform(10, 18)
        paint(ct, grid, Ellipsoid((at[0], at[1], at[2]), (radius, radius, radius)), rng.choice([40.0, -900.0]))


def _draw_head(ct: NDArray[np.float32], grid: Grid, rng: np.random.Generator) -> None:
    half = np.array([105, 95, 74]) * rng.uniform(0.94, 1.06)
    for inset, hu in ((0, 30), (5, 900), (12, 36)):  # scalp, skull, brain
        paint(ct, grid, Ellipsoid((0, 0, 0), (half[0] - inset, half[1] - inset, half[2] - inset)), hu)
    for side in (-1, 1):
        paint(ct, grid, Ellipsoid((10, 0, side * 14), (12, rng.uniform(26, 38), 7)), 6)  # ventricles
        paint(ct, grid, Ellipsoid((-45, -half[1] + 16, side * 30), (13, 13, 13)), 15)  # eyes
    paint(ct, grid, Tube((20, 0), (50, 50), (-400, -90)), 45)  # neck
