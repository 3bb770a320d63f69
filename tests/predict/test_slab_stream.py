"""The search over slices: what it computes depends on what is there, not on order or batch."""

import itertools

import numpy as np
import pytest

from rmaunet.predict.slab_stream import Search


def run(there, batch, spacing_mm=2.0, behind=False):
    """Slices computed when the answer comes at once, or a call later as in the pipeline."""
    search = Search(len(there), spacing_mm=spacing_mm)
    computed, untold = [], []
    while indices := search.take(batch):
        computed += indices
        untold.append(indices)
        if behind and len(untold) < 2:
            continue
        search.tell([z for z in untold.pop(0) if there[z]])
    for indices in untold:
        search.tell([z for z in indices if there[z]])
    while indices := search.take(batch):
        computed += indices
        search.tell([z for z in indices if there[z]])
    assert len(computed) == len(set(computed))
    return set(computed)


@pytest.mark.parametrize("seed", range(8))
def test_the_set_is_the_coarse_slices_and_all_near_a_found_one(seed):
    rng = np.random.default_rng(seed)
    there = np.zeros(int(rng.integers(160, 400)), bool)
    for _ in range(rng.integers(0, 4)):
        start = int(rng.integers(0, len(there)))
        there[start : start + int(rng.integers(1, 60))] = True
    there &= rng.random(len(there)) > 0.2
    expected = set(range(0, len(there), 10)) | {len(there) - 1}
    while True:
        grown = expected | {near for z in expected if there[z] for near in range(max(0, z - 6), min(len(there), z + 7))}
        if grown == expected:
            break
        expected = grown
    found = {frozenset(run(there, batch, behind=behind)) for batch, behind in itertools.product((1, 3, 4, 64), (0, 1))}
    assert found == {frozenset(expected)}


@pytest.mark.parametrize("start", range(0, 190, 7))
def test_a_liver_of_20_mm_is_found_wherever_it_lies(start):
    there = np.zeros(200, bool)
    there[start : start + 10] = True
    assert set(np.flatnonzero(there)) <= run(there, 4)


@pytest.mark.parametrize("depth", [1, 2, 3, 11])
@pytest.mark.parametrize("spacing_mm", [0.3, 1.0, 5.0, 30.0])
def test_any_depth_and_spacing(depth, spacing_mm):
    assert run(np.ones(depth, bool), 4, spacing_mm) == set(range(depth))
    assert run(np.zeros(depth, bool), 4, spacing_mm) == set(range(depth))  # too short to skip anything


def test_every_slice_in_order():
    search = Search(7, spacing_mm=1.0, every=True)
    assert [search.take(3), search.take(3), search.take(3), search.take(3)] == [[0, 1, 2], [3, 4, 5], [6], []]
