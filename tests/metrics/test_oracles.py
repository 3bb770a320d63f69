"""The challenge's metrics against other people's code and against brute force, on small anisotropic grids."""

import itertools
import math

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage

from rmaunet.core.volume import make_volume
from rmaunet.metrics import (
    Counts,
    assd,
    dice,
    evaluate_case,
    hd95_larger,
    jaccard,
    match_lesions,
    msd,
    rmsd,
    rvd_lits,
    summarize_cohort,
    surface_dice,
    surface_distances,
    surface_voxels,
)

SPACING = (2.5, 0.8, 0.7)  # along d, h, w in mm
SHAPE = (8, 14, 16)


def blobs(seed: int, *, level: float = 0.55) -> np.ndarray:
    """A few smooth components of odd form."""
    noise = np.random.default_rng(seed).random(SHAPE)
    smooth = ndimage.gaussian_filter(noise, (0.7, 1.2, 1.2))
    low, high = smooth.min(), smooth.max()
    return np.asarray((smooth - low) / (high - low) > level)


def box(d: slice, h: slice, w: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[d, h, w] = True
    return mask


def image(mask: np.ndarray) -> SimpleITK.Image:
    made = SimpleITK.GetImageFromArray(mask.astype(np.uint8))
    made.SetSpacing(SPACING[::-1])
    return made


PAIRS = [(blobs(seed), np.roll(blobs(seed), (1, 2, 1), (0, 1, 2))) for seed in range(4)]
BOXES = (box(slice(1, 4), slice(2, 6), slice(1, 5)), box(slice(2, 7), slice(7, 12), slice(6, 15)))


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_overlap_is_simpleitks(one: np.ndarray, other: np.ndarray) -> None:
    found = SimpleITK.LabelOverlapMeasuresImageFilter()
    found.Execute(image(one), image(other))
    counts = Counts(int(one.sum()), int(other.sum()), int((one & other).sum()))
    assert dice(counts) == pytest.approx(found.GetDiceCoefficient())
    assert jaccard(counts) == pytest.approx(found.GetJaccardCoefficient())


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_surface_distances_are_simpleitks(one: np.ndarray, other: np.ndarray) -> None:
    """Each surface voxel's distance read from SimpleITK's map of the other surface."""
    first, second = surface_voxels(one), surface_voxels(other)

    def read(source: np.ndarray, target: np.ndarray) -> np.ndarray:
        distances = SimpleITK.SignedMaurerDistanceMap(
            image(target), insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )
        return np.maximum(SimpleITK.GetArrayFromImage(distances), 0)[source]  # negative inside the surface

    there, back = read(first, second), read(second, first)
    both = np.concatenate([there, back])
    mine = surface_distances(one, other, SPACING)
    assert assd(mine) == pytest.approx(both.mean(), rel=1e-5)
    assert rmsd(mine) == pytest.approx(math.sqrt((both**2).mean()), rel=1e-5)
    assert msd(mine) == pytest.approx(both.max(), rel=1e-5)
    assert hd95_larger(mine) == pytest.approx(max(np.percentile(d, 95) for d in (there, back)), rel=1e-5)
    for tolerance in (0.75, 2.0):
        assert surface_dice(mine, tolerance) == pytest.approx((both <= tolerance + 1e-5).mean())


def test_hausdorff_of_boxes_apart_is_simpleitks() -> None:
    """SimpleITK measures between whole masks; for convex ones apart that is between their surfaces."""
    found = SimpleITK.HausdorffDistanceImageFilter()
    found.Execute(*(image(mask) for mask in BOXES))
    assert msd(surface_distances(*BOXES, SPACING)) == pytest.approx(found.GetHausdorffDistance(), rel=1e-5)


@pytest.mark.filterwarnings("ignore:.*deprecated:FutureWarning")
def test_boxes_are_as_far_apart_as_monai_says() -> None:
    """On boxes MONAI's surface (6 neighbours) is ours (18)."""
    metrics, torch = pytest.importorskip("monai.metrics"), pytest.importorskip("torch")
    one, other = (torch.from_numpy(mask[None, None]).float() for mask in BOXES)
    mine = surface_distances(*BOXES, SPACING)
    options = {"include_background": True, "spacing": list(SPACING)}
    hausdorff = metrics.compute_hausdorff_distance(one, other, **options)
    assert msd(mine) == pytest.approx(float(hausdorff), rel=1e-5)
    percentile = metrics.compute_hausdorff_distance(one, other, percentile=95, **options)
    assert hd95_larger(mine) == pytest.approx(float(percentile), rel=1e-5)
    average = metrics.compute_average_surface_distance(one, other, symmetric=True, **options)
    assert assd(mine) == pytest.approx(float(average), rel=1e-5)
    share = metrics.compute_surface_dice(one, other, class_thresholds=[7.0], **options)
    assert surface_dice(mine, 7.0) == pytest.approx(float(share), rel=1e-5)


def slow_detection(reference: np.ndarray, prediction: np.ndarray, threshold: float) -> tuple[int, int, int] | None:
    """(detected groups, predicted lesions, reference lesions) with sets of voxels; None where a tie decides."""
    parts = [
        [set(map(tuple, np.argwhere(labels == n))) for n in range(1, count + 1)]
        for labels, count in (ndimage.label(mask) for mask in (reference, prediction))
    ]
    groups: dict[object, set] = {}
    for i, lesion in enumerate(parts[0]):
        shared = sorted((len(lesion & p), j) for j, p in enumerate(parts[1]))
        if len(shared) > 1 and shared[-1][0] == shared[-2][0] > 0:
            return None
        key: object = shared[-1][1] if shared and shared[-1][0] else f"alone {i}"
        groups[key] = groups.get(key, set()) | lesion
    matched: dict[object, set] = {key: set() for key in groups}
    for p in parts[1]:
        overlap = sorted(((len(p & voxels), str(key), key) for key, voxels in groups.items()), key=lambda x: x[:2])
        if len(overlap) > 1 and overlap[-1][0] == overlap[-2][0] > 0:
            return None
        if overlap and overlap[-1][0]:
            matched[overlap[-1][2]] |= p
    hits = sum(
        len(voxels & matched[key]) / len(voxels | matched[key]) > threshold
        for key, voxels in groups.items()
        if matched[key]
    )
    return hits, len(parts[1]), len(parts[0])


def test_lesion_detection_by_brute_force() -> None:
    checked = 0
    for seed, threshold in itertools.product(range(30), (0.5, 0.0)):
        reference, prediction = blobs(seed), blobs(seed, level=0.5) & ~blobs(seed + 100, level=0.7)
        slow = slow_detection(reference, prediction, threshold)
        if slow is None:
            continue
        hits, predicted, present = slow
        found = match_lesions(reference, prediction, SPACING)
        assert found.true_positives(threshold) == hits
        assert (len(found.prediction), len(found.reference)) == (predicted, present)
        assert found.precision(threshold) == pytest.approx(hits / predicted)
        assert found.recall(threshold) == pytest.approx(hits / present)
        checked += hits > 0
    assert checked > 20


def labels(liver: int, tumor: int) -> np.ndarray:
    flat = np.zeros(SHAPE, np.uint8)
    flat.reshape(-1)[: liver + tumor] = 1
    flat.reshape(-1)[:tumor] = 2
    return flat


def test_tumor_burden_by_hand() -> None:
    """Burdens 10/100 and 30/100 in the reference, 20/100 and 10/50 in the prediction."""
    pairs = [(labels(90, 10), labels(80, 20)), (labels(70, 30), labels(40, 10))]
    results = [
        evaluate_case(*(make_volume(m) for m in pair), name=str(i), surface=False) for i, pair in enumerate(pairs)
    ]
    pooled = summarize_cohort(results, resamples=1).pooled
    assert pooled["tumor_burden_rmse"] == pytest.approx(math.sqrt(((-0.1) ** 2 + 0.1**2) / 2))
    assert pooled["tumor_burden_max"] == pytest.approx(0.1)
    assert results[0].tumor_rvd_lits == rvd_lits(Counts(10, 20, 10)) == -0.5


def test_global_dice_is_of_the_whole_data_set() -> None:
    results = [
        evaluate_case(make_volume(labels(10, 0)), make_volume(labels(30, 0)), name="a", surface=False),
        evaluate_case(make_volume(labels(500, 0)), make_volume(labels(500, 0)), name="b", surface=False),
    ]
    found = summarize_cohort(results, resamples=1)
    assert found.pooled["liver_dice_global"] == pytest.approx(2 * 510 / (510 + 530))
    assert found["liver_dice"].mean == pytest.approx((0.5 + 1) / 2)


@pytest.mark.parametrize(("reference", "prediction"), [(0, 0), (0, 5), (5, 0)])
def test_no_tumor_on_one_side_or_both(reference: int, prediction: int) -> None:
    one = evaluate_case(make_volume(labels(50, reference)), make_volume(labels(50, prediction)), name="x")
    both = reference == prediction
    assert one.tumor_dice == (1.0 if both else 0.0)
    assert one.tumor_voe == (0.0 if both else 1.0)
    assert one.tumor_surface_dice == (1.0 if both else 0.0)
    for distance in (one.tumor_assd_mm, one.tumor_rmsd_mm, one.tumor_msd_mm, one.tumor_hd95_pooled_mm):
        assert math.isnan(distance)  # type: ignore[arg-type]
    pooled = summarize_cohort([one], resamples=1).pooled
    assert (pooled["lesion_precision"], pooled["lesion_recall"]) == (0, 0)  # nothing to divide by, as in LiTS
