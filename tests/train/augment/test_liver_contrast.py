"""The liver of a slice changes against its surroundings, which stay as they are."""

from dataclasses import replace

import numpy as np
import pytest

from rmaunet.preprocess import from_bytes
from rmaunet.train.augment.liver_contrast import Contrast, change_contrast
from rmaunet.train.augment.transforms import NONE, Augmentation, draw


def slices():
    """A liver of 0.2 with a vessel of 0.6 and a tumor of -0.1 in surroundings of 0; in the second slice it is smaller."""
    labels = np.zeros((2, 40, 40), np.uint8)
    labels[0, 5:35, 5:35] = 1
    labels[1, 5:35, 5:15] = 1
    image = np.where(labels > 0, np.float32(0.2), np.float32(0))
    image[0, 10:14, 10:14] = 0.6
    labels[0, 22:30, 22:30] = 2
    image[0, 22:30, 22:30] = -0.1
    return image, labels


def test_the_liver_moves_and_the_rest_stays():
    image, labels = slices()
    out = change_contrast(image, labels, Contrast(liver=0.5))
    assert out[0, 18, 18] == pytest.approx(0.7, abs=1e-3)
    assert out[0, 26, 26] == pytest.approx(0.4, abs=1e-3)  # the tumor goes with it
    assert out[0, 1, 1] == 0
    assert out[1, 20, 25] == 0  # liver in the first slice only
    assert out[1, 20, 10] == pytest.approx(0.7, abs=1e-3)


def test_texture_scales_differences_from_the_livers_mean():
    image, labels = slices()
    mean = image[0][labels[0] == 1].mean()
    out = change_contrast(image, labels, Contrast(texture=0.5))
    assert out[0, 11, 11] == pytest.approx(mean + 0.5 * (0.6 - mean), abs=2e-3)
    assert out[0, 26, 26] == pytest.approx(mean + 0.5 * (-0.1 - mean), abs=2e-3)


def test_tumors_move_against_the_liver():
    image, labels = slices()
    out = change_contrast(image, labels, Contrast(tumor=-0.3))
    assert out[0, 26, 26] == pytest.approx(-0.4, abs=1e-3)
    assert out[0, 18, 18] == pytest.approx(0.2, abs=1e-3)
    assert np.array_equal(out[1], image[1])


def test_a_slice_without_liver_and_a_liver_all_tumor():
    image, labels = slices()
    assert np.array_equal(change_contrast(image, labels * 0, Contrast(0.5, 2.0, 0.5)), image)
    assert np.isfinite(change_contrast(image, (labels > 0).astype(np.uint8) * 2, Contrast(0.5, 2.0, 0.5))).all()


def test_it_is_drawn_as_often_and_as_far_as_stated_and_leaves_other_draws_alone():
    settings = Augmentation(liver_shift=0.6, liver_texture=(0.3, 1.8), tumor_shift=0.2, contrast_probability=0.25)
    drawn = [draw(settings, seed=1, position=i) for i in range(3000)]
    plain = [draw(Augmentation(), seed=1, position=i) for i in range(3000)]
    assert all(
        a.scale == b.scale and a.degrees == b.degrees and a.seed == b.seed for a, b in zip(drawn, plain, strict=True)
    )
    assert all(one.contrast.nothing for one in plain)
    shifts = [one.contrast.liver for one in drawn if one.contrast.liver]
    textures = [one.contrast.texture for one in drawn if one.contrast.texture != 1]
    assert abs(len(shifts) / 3000 - 0.25) < 0.04
    assert abs(len(textures) / 3000 - 0.25) < 0.04
    assert -0.6 <= min(shifts) < -0.5
    assert 0.5 < max(shifts) <= 0.6
    assert 0.3 <= min(textures) < 0.4
    assert 1.7 < max(textures) <= 1.8
    with pytest.raises(ValueError, match="liver_texture"):
        Augmentation(liver_texture=(2.0, 1.0))
    with pytest.raises(ValueError, match="tumor_shift = 3"):
        Augmentation(tumor_shift=3.0)


def test_a_patch_has_it_and_stays_in_the_window(augmented):
    labels = np.zeros((32, 32, 1), np.uint8)
    labels[8:24, 8:24] = 1
    image = np.where(labels > 0, 160, 120).astype(np.uint8)
    dark = replace(draw(NONE, seed=0, position=0), contrast=Contrast(liver=-2.0), gamma=1.3)
    assert augmented(dark, image, labels, size=32)[0].min() == -1  # a gamma curve of less than -1 would be no number
    drawn = replace(draw(NONE, seed=0, position=0), contrast=Contrast(liver=2.0))
    out, marked = augmented(drawn, image, labels, size=32)
    assert out.max() == 1
    assert out[0, 16, 16] == 1
    assert out[0, 2, 2] == from_bytes(image)[2, 2, 0]
    assert np.array_equal(marked[0], labels[..., 0])
