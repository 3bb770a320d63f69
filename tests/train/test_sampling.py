from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rmaunet.core.errors import InputError
from rmaunet.datasets.store.slice_store import StoredCase
from rmaunet.preprocess import from_bytes
from rmaunet.train.augment.transforms import NONE, Augmentation, Draw, draw
from rmaunet.train.sampling import Sampler, Sampling


def case(name, liver, tumor):
    return StoredCase(name, name, (len(liver), 4, 4), (1.0, 1.0, 1.0), 0, "", (0, 0), tuple(liver), tuple(tumor))


LONG = case("long", [0] * 50 + [5] * 40 + [9] * 10, [0] * 90 + [3] * 10)
SHORT = case("short", [0, 4], [0, 0])


def test_liver_slices_only_and_each_once_an_epoch():
    sampler = Sampler([LONG, SHORT], Sampling(), seed=0)
    assert len(sampler) == 51
    for epoch in range(2):
        seen = [sampler.draw(epoch * 51 + i) for i in range(51)]
        assert len(set(seen)) == 51
    assert [sampler.draw(i) for i in range(51)] != [sampler.draw(51 + i) for i in range(51)]


def test_a_long_scan_weighs_no_more_than_a_short_one():
    sampler = Sampler([LONG, SHORT], Sampling(slices="all", balance="case", tumor_share=0.4, liver_share=0.3), seed=0)
    drawn = [sampler.draw(i) for i in range(4000)]
    counts = Counter(ref.case for ref in drawn)
    assert abs(counts["long"] - 2000) < 130  # 4 standard deviations
    kinds = Counter(
        "tumor" if LONG.tumor[r.z] else "liver" if LONG.liver[r.z] else "rest" for r in drawn if r.case == "long"
    )
    share = counts["long"]
    assert abs(kinds["tumor"] / share - 0.4) < 0.05
    assert abs(kinds["liver"] / share - 0.3) < 0.05


def test_a_patient_with_many_scans_weighs_no_more_than_one_with_one():
    repeats = [replace(case(f"repeat-{k}", [5, 9], [0, 3]), patient="often scanned") for k in range(4)]
    for balance, expected in (("case", 1 / 5), ("patient", 1 / 2)):
        sampler = Sampler([*repeats, SHORT], Sampling(slices="all", balance=balance), seed=0)
        drawn = [sampler.draw(i).case for i in range(2000)]
        assert abs(drawn.count("short") / 2000 - expected) < 4 * (expected * (1 - expected) / 2000) ** 0.5
        assert len(set(drawn)) == 5
    donors = [*repeats, case("other", [9], [3])]
    sampler = Sampler(donors, Sampling(slices="all", balance="patient"), seed=0)
    rng = np.random.default_rng(0)
    drawn = [sampler.lesion(rng).case for _ in range(1000)]
    assert abs(drawn.count("other") / 1000 - 0.5) < 0.07


def test_a_small_lesion_is_drawn_as_often_as_a_large_one():
    scan = replace(case("scan", [9] * 50, [3] * 40 + [0] * 9 + [1]), lesions=((0, 39), (49, 49)))
    settings = Sampling(slices="all", balance="case", tumor_share=1.0, liver_share=0.0)
    for tumor_by, expected in (("slice", 1 / 41), ("lesion", 1 / 2)):
        sampler = Sampler([scan], replace(settings, tumor_by=tumor_by), seed=0)
        drawn = [sampler.draw(i).z for i in range(2000)]
        assert abs(drawn.count(49) / 2000 - expected) < 4 * (expected * (1 - expected) / 2000) ** 0.5
        assert {z for z in drawn if z != 49} == set(range(40))


def test_a_store_without_lesions_is_refused_where_they_are_needed():
    settings = Sampling(slices="all", balance="case", tumor_by="lesion")
    with pytest.raises(InputError, match=r"lesions.*rmaunet prepare"):
        Sampler([LONG], settings, seed=0)


def test_draws_depend_on_seed_and_position_only():
    one, two = (Sampler([LONG, SHORT], Sampling(slices="all", balance="case"), seed=3) for _ in range(2))
    assert [one.draw(i) for i in range(20)] == [two.draw(i) for i in reversed(range(20))][::-1]


def test_nothing_to_train_on_is_said():
    with pytest.raises(InputError, match="no slice"):
        Sampler([case("empty", [0, 0], [0, 0])], Sampling(), seed=0)


def test_no_augmentation_is_the_slice_itself(augmented):
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 256, (16, 16, 1)).astype(np.uint8), rng.integers(0, 3, (16, 16, 1)).astype(np.uint8)
    out, mask = augmented(draw(NONE, seed=0, position=0), image, labels, size=16)
    assert np.array_equal(out[0], from_bytes(image[..., 0]))
    assert np.array_equal(mask[0], labels[..., 0])


@pytest.mark.parametrize(
    ("drawn", "turn"),
    [
        (Draw(flip_x=True), lambda a: a[:, ::-1]),
        (Draw(flip_y=True), lambda a: a[::-1]),
        (Draw(degrees=90.0), lambda a: np.rot90(a, 1)),
        (Draw(degrees=180.0), lambda a: a[::-1, ::-1]),
    ],
)
def test_flips_and_quarter_turns_move_image_and_labels_together(augmented, drawn, turn):
    rng = np.random.default_rng(2)
    image, labels = rng.integers(0, 256, (17, 17, 2)).astype(np.uint8), rng.integers(0, 3, (17, 17, 2)).astype(np.uint8)
    out, mask = augmented(drawn, image, labels, size=17)
    assert np.allclose(out[1], turn(from_bytes(image[..., 1])), atol=1.1 / 127.5)
    for channel in range(2):
        assert np.array_equal(mask[channel], turn(labels[..., channel]))


def test_scale_magnifies_about_the_middle(augmented):
    labels = np.zeros((64, 64, 1), np.uint8)
    labels[24:40, 24:40] = 1
    for scale in (0.5, 1.5, 2.0):
        _, mask = augmented(Draw(scale=scale), labels * 255, labels, size=64)
        assert abs(np.sqrt(mask.sum()) - 16 * scale) <= 1
        rows, columns = np.nonzero(mask[0])
        assert abs(rows.mean() - 31.5) <= 0.5
        assert abs(columns.mean() - 31.5) <= 0.5


def test_a_coarse_patch_averages_instead_of_aliasing(augmented):
    stripes = np.zeros((64, 64, 1), np.uint8)
    stripes[::2] = 255
    out, _ = augmented(Draw(), stripes, np.zeros_like(stripes), size=32, step=(2.0, 2.0))
    assert np.abs(out).max() < 0.02


def test_outside_is_air_and_background(augmented):
    out, mask = augmented(Draw(), np.full((8, 8, 1), 200, np.uint8), np.ones((8, 8, 1), np.uint8), size=16)
    assert out[0, 0, 0] == -1
    assert mask[0, 0, 0] == 0
    assert mask.sum() == 64


def test_draws_have_the_stated_ranges_and_probabilities():
    drawn = [draw(Augmentation(), seed=1, position=i) for i in range(3000)]
    scaled = [d.scale for d in drawn if d.scale != 1]
    turned = [d.degrees for d in drawn if d.degrees]
    assert abs(len(scaled) / 3000 - 0.5) < 0.04
    assert abs(len(turned) / 3000 - 0.3) < 0.04
    assert min(scaled) >= 0.8
    assert max(scaled) <= 1.2
    assert min(turned) >= 0
    assert max(turned) <= 30
    assert abs(sum(d.flip_x for d in drawn) / 3000 - 0.3) < 0.04
    assert draw(Augmentation(), seed=1, position=7) == drawn[7]


def test_intensities_stay_in_the_window(augmented):
    settings = Augmentation(gain=0.5, bias=0.5, gamma=2.0, noise=0.3, intensity_probability=1.0)
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 1)).astype(np.uint8)
    for position in range(20):
        out, _ = augmented(draw(settings, seed=0, position=position), image, np.zeros_like(image), size=16)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 1


def test_near_takes_the_liver_and_slices_close_to_it():
    one = case("volume-1", liver=[0, 0, 0, 0, 5, 0, 0, 0], tumor=[0] * 8)
    for balance in ("none", "case"):
        sampler = Sampler([one], Sampling(slices="near", balance=balance, near_mm=2.5), seed=0)
        drawn = {sampler.draw(position).z for position in range(200)}
        assert drawn == {2, 3, 4, 5, 6}
    with pytest.raises(ValueError, match="near_mm = -1"):
        Sampling(near_mm=-1)
