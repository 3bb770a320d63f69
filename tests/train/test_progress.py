import math

import torch

from rmaunet.train.progress import Overlap, Speaker, overlaps


def test_overlap_by_hand():
    logits = torch.full((2, 2, 1, 4), -1.0)
    logits[0, 0, 0, :3] = 1.0  # liver: three pixels guessed
    targets = torch.zeros(2, 2, 1, 4)
    targets[0, 0, 0, 1:] = 1.0  # three true, two common
    targets[1, 0, 0, 0] = 1.0  # and one missed in the other slice
    liver, tumor = overlaps(logits, targets)
    assert (liver.common, liver.total) == (2, 7)
    assert liver.dice == 4 / 7
    assert math.isnan(tumor.dice)


def test_tumor_outside_the_predicted_liver_may_be_left_out():
    logits, targets = torch.full((1, 2, 1, 4), 1.0), torch.ones(1, 2, 1, 4)
    logits[0, 0, 0, 0] = -1.0  # no liver here: no tumor in the mask
    assert overlaps(logits, targets)[1] == Overlap(4, 8)
    assert overlaps(logits, targets, tumor_inside_liver=True)[1] == Overlap(3, 7)


def test_the_line_pools_the_steps_since_the_last_one():
    said: list[str] = []
    speaker = Speaker(said.append, steps=10)
    speaker.heard(0.5, (Overlap(1, 2), Overlap(0, 3)), 8)
    speaker.heard(0.7, (Overlap(0, 6), Overlap(0, 0)), 8)
    speaker.speak(2, 1e-3)
    assert said[0].startswith("step 2/10 loss 0.6000 dice liver 0.250, tumor 0.000 lr 1.00e-03 ")
    speaker.heard(0.1, (Overlap(3, 6), Overlap(0, 0)), 8)
    speaker.speak(3, 1e-3)
    assert said[1].startswith("step 3/10 loss 0.1000 dice liver 1.000, tumor nan lr")
