"""What a scan does not need is not imported before its first slices."""

import os
from pathlib import Path

import pytest

from bench import startup
from rmaunet.core.errors import RmaunetError
from rmaunet.datasets.phantoms.phantom import phantom
from rmaunet.io import write_volume

NOT_YET = {"torch", "matplotlib", "scipy.ndimage", "scipy.spatial", "scipy.stats", "SimpleITK", "cc3d", "jinja2"}


@pytest.mark.timeout(600)  # the first start converts the network
def test_the_first_slices_wait_for_no_library_they_do_not_need(tmp_path):
    scan, cache = tmp_path / "scan.nii.gz", Path(os.environ["RMAUNET_CACHE"])
    write_volume(phantom("abdomen", seed=1, shape=(16, 64, 64)).ct, scan)
    startup.first_slice(scan, cache, "--threads", "1")
    found = startup.first_slice(scan, cache, "--threads", "1")
    modules = set(found["modules"])
    assert {"openvino", "rmaunet.predict.slab_stream"} <= modules
    assert sorted(NOT_YET & modules) == []
    assert found["cpu"] > 0


def test_a_command_that_fails_before_is_no_measurement(tmp_path):
    with pytest.raises(RmaunetError, match="does not exist"):
        startup.first_slice(tmp_path / "none.nii.gz", tmp_path)


def test_each_start_without_a_converted_network_has_a_cache_of_its_own(monkeypatch, tmp_path):
    used: list[Path] = []

    def start(scan, cache, *options):
        used.append(cache)
        return {"wall": len(used), "cpu": 0.5, "modules": []}

    monkeypatch.setattr(startup, "first_slice", start)
    before, after = startup.startup_rows(tmp_path / "scan.nii.gz", repeats=4)
    assert before == {"network": "not converted yet", "wall": [1, 2], "cpu": [0.5, 0.5]}
    assert after == {"network": "converted before", "wall": [3, 4, 5, 6], "cpu": [0.5] * 4}
    assert len(set(used[:2])) == 2
    assert set(used[2:]) < set(used[:2])
