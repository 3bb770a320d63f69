"""Memory said beforehand, and kept to a limit."""

import sys

import numpy as np
import pytest

from rmaunet.errors import UsageError
from rmaunet.predict.memory import fitting_batch, peak_bytes, predicted_bytes, size_in_bytes
from rmaunet.preprocess import Preprocessing, prepare
from rmaunet.volume import make_volume


def prepared(depth, dtype=np.int16):
    return prepare(make_volume(np.zeros((depth, 64, 64), dtype)), Preprocessing())


@pytest.mark.parametrize(
    ("text", "size"),
    [("1500M", 1500 << 20), ("1.5G", 3 << 29), ("2gib", 2 << 30), ("700 kB", 700 << 10), ("123456", 123456)],
)
def test_amounts(text, size):
    assert size_in_bytes(text) == size


@pytest.mark.parametrize("text", ["", "lots", "-1G", "0", "nan", "inf", "1T2", "1e999G"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(UsageError, match="--max-memory"):
        size_in_bytes(text)


def test_prediction_grows_with_voxels_and_batch():
    one = predicted_bytes(prepared(10), 1)
    voxels = 64 * 64
    assert predicted_bytes(prepared(20), 1) - one == 10 * voxels * 3  # int16 and the mask
    assert (
        predicted_bytes(prepared(20, np.float32), 1) - predicted_bytes(prepared(10, np.float32), 1) == 10 * voxels * 5
    )
    assert predicted_bytes(prepared(10), 3) - one == 2 * (predicted_bytes(prepared(10), 2) - one)


def test_a_limit_lowers_the_batch_and_refuses_what_cannot_be():
    scan = prepared(10)
    assert fitting_batch(scan, 4, None) == 4
    assert fitting_batch(scan, 4, predicted_bytes(scan, 4)) == 4
    assert fitting_batch(scan, 4, predicted_bytes(scan, 4) - 1) == 3
    assert fitting_batch(scan, 4, predicted_bytes(scan, 1)) == 1
    with pytest.raises(UsageError, match=r"--max-memory = .*are needed for this scan"):
        fitting_batch(scan, 4, predicted_bytes(scan, 1) - 1)


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_the_peak_is_at_least_what_is_touched():
    block = np.ones(64 << 20, np.uint8)
    assert peak_bytes() > block.nbytes
