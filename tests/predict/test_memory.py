"""Memory said beforehand, and kept to a limit."""

import subprocess
import sys

import numpy as np
import pytest

from rmaunet.core.errors import UsageError
from rmaunet.core.volume import make_volume
from rmaunet.predict.memory import Needs, fitting_batch, peak_bytes, predicted_bytes, size_in_bytes
from rmaunet.predict.predictor import Predictor
from rmaunet.predict.weights import load_weights
from rmaunet.preprocess import Preprocessing, prepare


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


NARROW = Needs()


def test_prediction_grows_with_voxels_and_batch():
    one = predicted_bytes(prepared(10), 1, NARROW)
    voxels = 64 * 64
    assert predicted_bytes(prepared(20), 1, NARROW) - one == 10 * voxels * 3  # int16 and the mask
    longer, short = (predicted_bytes(prepared(depth, np.float32), 1, NARROW) for depth in (20, 10))
    assert longer - short == 10 * voxels * 5
    assert predicted_bytes(prepared(10), 3, NARROW) - one == 2 * (predicted_bytes(prepared(10), 2, NARROW) - one)


def test_prediction_grows_with_the_networks():
    scan = prepared(10)
    one = predicted_bytes(scan, 1, NARROW)
    slab = predicted_bytes(scan, 2, NARROW) - one
    assert predicted_bytes(scan, 1, Needs(width=32)) - one == slab
    assert predicted_bytes(scan, 1, Needs(parameters=1000)) - one == 16000
    assert predicted_bytes(scan, 1, Needs(keeps_maps=True)) - one == 10 * 64 * 64 // 2


def test_two_networks_are_known_to_both_and_their_tensors_stay_in_their_files():
    accurate = load_weights("accurate", at_once=False)
    predictor = Predictor(accurate, device="cpu", runtime="torch")
    sizes = [one.size for one in (accurate, accurate.locator)]
    assert predictor.needs == Needs(width=32, parameters=sum(size // 2 for size in sizes), keeps_maps=True)
    assert predictor.locator.needs == predictor.needs
    counted = sum(tensor.numel() for tensor in accurate.state.values())
    assert accurate.parameters == pytest.approx(counted, rel=0.05)


def test_a_limit_lowers_the_batch_and_refuses_what_cannot_be():
    scan = prepared(10)

    def needed(batch):
        return predicted_bytes(scan, batch, NARROW)

    assert fitting_batch(scan, 4, None, NARROW) == 4
    assert fitting_batch(scan, 4, needed(4), NARROW) == 4
    assert fitting_batch(scan, 4, needed(4) - 1, NARROW) == 3
    assert fitting_batch(scan, 4, needed(1), NARROW) == 1
    with pytest.raises(UsageError, match=r"--max-memory = .*are needed for this scan"):
        fitting_batch(scan, 4, needed(1) - 1, NARROW)


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_the_peak_is_at_least_what_is_touched():
    block = np.ones(64 << 20, np.uint8)
    assert peak_bytes() > block.nbytes


@pytest.mark.skipif(sys.platform != "linux", reason="getrusage alone tells elsewhere")
def test_the_peak_is_not_that_of_the_process_that_started_this_one():
    block = np.ones(256 << 20, np.uint8)
    code = "from rmaunet.predict.memory import peak_bytes; print(peak_bytes())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < block.nbytes
